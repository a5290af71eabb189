"""Corrections: what whole networks say beside the sum of their layers, and how far off predictions of networks are that had no say."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from convlab.costs import Profile
from convlab.prediction.calibration import LEAST_NETWORKS, Checked, Table
from convlab.prediction.calls import Call, in_training
from convlab.prediction.estimating import GROUPS, Estimate, Estimator, calls_of_profile, shares
from convlab.prediction.fitting import factors_of
from convlab.prediction.laws import Law

PULL = 0.05
"""What it costs a factor to leave 1 by 1, as the square of a relative error in one network."""

COVERED = 0.8
DEFAULT_STRETCH = 2.0
"""Where too few networks were measured to say how far off predictions are."""


class Whole(NamedTuple):
    """A network measured whole: seconds of a step, without the optimizer."""

    profile: Profile
    calls: list[Call]
    batch: int
    seconds: float


def whole(profile: Profile, batch: int, seconds: float, *, trains: bool = False) -> Whole:
    """A measured network with its calls."""
    calls = calls_of_profile(profile)
    return Whole(profile, in_training(calls) if trains else calls, batch, seconds)


def table(laws: Mapping[str, Law], issue: Mapping[str, float], measured: Sequence[Whole], element_bytes: int) -> Table:
    """The table of a task: laws corrected by all networks; the error is that at each one without its say."""
    checked = []
    for index, one in enumerate(measured):
        others = [*measured[:index], *measured[index + 1 :]]
        found = _estimate(laws, issue, others, one, element_bytes)
        checked.append(
            Checked(one.profile.design.name, one.batch, one.profile.macs, one.seconds, found.seconds, found.doubt)
        )
    factors, issue_factor = _corrected(laws, issue, measured, element_bytes)
    return Table(laws, factors, issue, issue_factor, tuple(checked), _stretch(checked))


def _estimate(
    laws: Mapping[str, Law], issue: Mapping[str, float], others: Sequence[Whole], one: Whole, element_bytes: int
) -> Estimate:
    factors, issue_factor = _corrected(laws, issue, others, element_bytes)
    asked = {kind: seconds * issue_factor for kind, seconds in issue.items()}
    (found,) = Estimator(laws, factors, element_bytes, asked).estimates(one.calls, (one.batch,))
    return found


def _corrected(
    laws: Mapping[str, Law], issue: Mapping[str, float], measured: Sequence[Whole], element_bytes: int
) -> tuple[dict[str, float], float]:
    """Factors of the groups, and of what the host takes to ask for the work, each from the networks that it decides."""
    rows, asked = [], []
    for each in measured:
        found = shares(laws, each.calls, each.batch, element_bytes)
        host = sum(call.times * issue.get(call.kind, 0.0) for call in each.calls)
        if host > sum(found):
            asked.append(each.seconds / host)
        else:
            rows.append([seconds / each.seconds for seconds in found])
    factors = factors_of(rows, PULL) if rows else [1.0] * len(GROUPS)
    return dict(zip(GROUPS, factors, strict=True)), statistics.median(asked) if asked else 1.0


def _stretch(checked: Sequence[Checked]) -> float:
    if len(checked) < LEAST_NETWORKS:
        return DEFAULT_STRETCH
    ratios = sorted(abs(math.log(each.predicted / each.measured)) / each.doubt for each in checked)
    return ratios[min(len(ratios) - 1, math.ceil(COVERED * (len(ratios) + 1)) - 1)]
