"""Estimates: from the laws of a table and the calls of a network to seconds, with the doubt in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, final

from convlab.costs import Profile
from convlab.prediction.calls import Call, calls_of
from convlab.prediction.laws import PLAIN_TERMS, Law, Pricing, amounts

GROUPS = (
    "calls",
    "weights",
    "products",
    "convolutions",
    "grouped convolutions",
    "depthwise convolutions",
    "streams",
    "maps",
    "attention",
    "attention in windows",
    "far",
)
"""What whole networks correct by a factor each: the price of any call, reading weights, the work of families of kinds, and what elements
of maps beyond the caches cost more: by itself a layer finds its map further away than after the one that wrote it."""

STREAMS = frozenset(
    {
        "batch norm",
        "copy",
        "gate",
        "hardsigmoid",
        "hardswish",
        "layer scale",
        "leaky_relu",
        "relu",
        "relu6",
        "residual",
        "scaled residual",
        "sum",
    }
)
"""Kinds that do next to nothing with the numbers that pass: what they cost hangs on how near the map before them still lies."""

LEAST_DOUBT = 0.03
BEYOND_DOUBT = 0.5
"""The doubt in calls beyond what was measured, and in those of kinds that were not."""

INSTEAD = (", strided", ", patches", ", shifted", " of a vector")
"""What is left out of the name of a kind that was not measured, for one that is most like it."""


class Estimate(NamedTuple):
    """Seconds of one pass on a batch. ``doubt`` is relative; ``beyond`` the share of the time that lies beyond what was measured."""

    seconds: float
    doubt: float
    beyond: float


def group_of(kind: str) -> str:
    """The group whose factor corrects a kind's work."""
    for start, group in (
        ("attention in windows", "attention in windows"),
        ("attention", "attention"),
        ("depthwise", "depthwise convolutions"),
        ("grouped", "grouped convolutions"),
        ("convolution", "convolutions"),
        ("linear", "products"),
        ("pointwise", "products"),
    ):
        if kind.startswith(start):
            return group
    return "streams" if kind in STREAMS else "maps"


def corrected(law: Law, kind: str, factors: Mapping[str, float]) -> Law:
    """A law with the corrections of its terms."""
    work = factors.get(group_of(kind), 1.0)
    far = [factors.get("far", 1.0)] * (len(law.rates) - len(PLAIN_TERMS))
    each = (factors.get("calls", 1.0), factors.get("weights", 1.0), *[work] * (len(PLAIN_TERMS) - 2), *far)
    return replace(law, rates=tuple(rate * factor for rate, factor in zip(law.rates, each, strict=True)))


def shares(laws: Mapping[str, Law], calls: Iterable[Call], batch: int, element_bytes: int) -> list[float]:
    """Seconds of a network by group, as laws without corrections give them."""
    found = dict.fromkeys(GROUPS, 0.0)
    for call in calls:
        law = laws.get(_known(call.kind, laws))
        if law is None:
            continue
        parts = [
            rate * amount * call.times
            for rate, amount in zip(law.rates, amounts(call, batch, element_bytes), strict=True)
        ]
        found["calls"] += parts[0]
        found["weights"] += parts[1]
        found[group_of(call.kind)] += sum(parts[2 : len(PLAIN_TERMS)])
        found["far"] += sum(parts[len(PLAIN_TERMS) :])
    return list(found.values())


@final
class Estimator:
    """Laws made ready: what they say of the calls of a network on several batches at once."""

    def __init__(
        self,
        laws: Mapping[str, Law],
        factors: Mapping[str, float],
        element_bytes: int,
        issue: Mapping[str, float] | None = None,
    ) -> None:
        assert all(len(law.rates) > len(PLAIN_TERMS) for law in laws.values())
        self._laws = laws
        self._pricings = {kind: Pricing(corrected(law, kind, factors), element_bytes) for kind, law in laws.items()}
        self._issue = issue or {}
        self._stand_ins: dict[str, str] = {}

    def estimates(self, calls: Iterable[Call], batches: Sequence[int]) -> list[Estimate]:
        """One estimate a batch. Where the host asks a device to work, the slower of both decides."""
        kinds: dict[str, list[float]] = {}
        beyond = [0.0] * len(batches)
        asked = 0.0
        for call in calls:
            kind, times = call.kind, call.times
            pricing = self._pricings.get(kind)
            known = pricing is not None
            if pricing is None:
                kind = self._stand_in(kind)
                pricing = self._pricings[kind]
            seconds = pricing.seconds(call, batches)
            sums = kinds.get(kind)
            if sums is None:
                sums = kinds[kind] = [0.0] * len(batches)
            for place, each in enumerate(seconds):
                sums[place] += times * each
                if not known or pricing.is_beyond(call, batches[place]):
                    beyond[place] += times * each
            if self._issue:
                asked += times * self._issue.get(kind, 0.0)
        return [self._estimate(kinds, place, beyond[place], asked) for place in range(len(batches))]

    def _estimate(self, kinds: Mapping[str, list[float]], place: int, beyond: float, asked: float) -> Estimate:
        total = sum(sums[place] for sums in kinds.values()) or 1e-9
        squares = sum((sums[place] * self._pricings[kind].deviation) ** 2 for kind, sums in kinds.items())
        share = beyond / total
        doubt = math.sqrt(LEAST_DOUBT**2 + squares / total**2 + (share * BEYOND_DOUBT) ** 2)
        return Estimate(max(total, asked), doubt, share)

    def _stand_in(self, kind: str) -> str:
        """The measured kind most like one that was not."""
        if kind not in self._stand_ins:
            found = _known(kind, self._laws)
            if found not in self._laws:
                same = [other for other in self._laws if group_of(other) == group_of(kind)]
                found = same[0] if same else next(iter(self._laws))
            self._stand_ins[kind] = found
        return self._stand_ins[kind]


def calls_of_profile(profile: Profile) -> list[Call]:
    """The calls of a network on one image."""
    return [call for part in profile.parts for call in calls_of(part.part.tree, part.input)]


def parameter_tensors(profile: Profile) -> int:
    """How many parameter tensors a network has, nearly: a weight and a bias for each layer that has any."""
    return sum(
        2 * row.count for part in profile.parts for row in part.rows if part.params and row.layer.params(row.input)
    )


def _known(kind: str, laws: Mapping[str, Law]) -> str:
    for ending in ("", *INSTEAD):
        shorter = kind.replace(ending, "") if ending else kind
        if shorter in laws:
            return shorter
    return kind
