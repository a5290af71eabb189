"""Ties: which of many pairs differ, all of them considered at once, and the groups of designs that are not told apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """The p values of several tests, so adjusted that rejecting those below 5 % is wrong anywhere in 5 % of cases (Holm, 1979)."""
    found, highest = [math.nan] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[index]))
        found[index] = highest if math.isfinite(ps[index]) else math.nan
    return found


def tied(names: Sequence[str], apart: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """The largest groups in which no two names are apart, in the order of ``names``; a name may be in several (Piepho, 2004).

    Ties do not carry over: where a and b are tied, and b and c, but a and c are apart, the groups are a b and b c.
    """
    groups = [frozenset(names)]
    for pair in apart:
        split = [part for group in groups for part in _split(group, pair)]
        groups = [group for group in dict.fromkeys(split) if not any(group < other for other in split)]
    places = sorted([index for index, name in enumerate(names) if name in group] for group in groups)
    return tuple(tuple(names[index] for index in group) for group in places)


def _split(group: frozenset[str], pair: tuple[str, str]) -> list[frozenset[str]]:
    """The group, or where it holds both of a pair, the two groups that lack one of them."""
    return [group - {name} for name in pair] if group.issuperset(pair) else [group]
