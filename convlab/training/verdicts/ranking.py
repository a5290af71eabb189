"""Ranking: designs by the validation loss of paired seeds, with intervals, tests and ties; how much of a lead is luck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, final

import numpy as np

from convlab.training.verdicts import student
from convlab.training.verdicts.connected import comparable

LEVEL = 0.95
"""Of the intervals; tests reject at its complement."""

MANY = 3
"""From one design more than this on, the best of all is said to be partly luck."""


@final
@dataclass(frozen=True, slots=True)
class Score:
    """What one training of a design came to on the validation split: cross-entropy (nats) and share of right answers."""

    name: str
    seed: int
    loss: float
    accuracy: float


@final
@dataclass(frozen=True, slots=True)
class Estimated:
    """A mean with its 95 % interval; NaN for bounds that nobody can know, as of a single seed."""

    mean: float
    low: float
    high: float

    @property
    def negative(self) -> Estimated:
        """The estimate of the negative."""
        return Estimated(-self.mean, -self.high, -self.low)


@final
@dataclass(frozen=True, slots=True)
class Placed:
    """A design in the ranking. ``group`` counts groups of ties from 1; it is 0 where a single seed shows no ties."""

    name: str
    place: int
    group: int
    loss: Estimated
    accuracy: Estimated
    seeds: int


@final
@dataclass(frozen=True, slots=True)
class Pair:
    """A design compared with another: loss and accuracy of ``one`` less those of ``other``, over the same seeds.

    In a ranking ``other`` is placed after ``one``. ``p`` is of the two-sided test of the loss for this pair alone, ``adjusted_p`` for all
    pairs at once (Holm); NaN for a single seed.
    """

    one: str
    other: str
    loss: Estimated
    accuracy: Estimated
    p: float
    adjusted_p: float

    @property
    def differs(self) -> bool:
        """Whether the designs differ by more than seeds do, all pairs considered."""
        return self.adjusted_p < 1 - LEVEL

    @property
    def turned(self) -> Pair:
        """The same comparison, seen from the other design."""
        return Pair(self.other, self.one, self.loss.negative, self.accuracy.negative, self.p, self.adjusted_p)


@final
@dataclass(frozen=True)
class Ranking:
    """Designs from the best to the worst, every pair of them, and those that have no place with the reason."""

    places: tuple[Placed, ...]
    pairs: tuple[Pair, ...]
    unranked: Mapping[str, str]
    seeds: tuple[int, ...]
    loss_deviation: float
    accuracy_deviation: float
    """Standard deviations of one training around what its design and its seed make one expect; NaN for a single seed."""
    freedom: int
    """Degrees of freedom of the deviations."""

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Names that are tied, group by group from the best on; empty for a single seed.

        A group is everything after its first design that does not differ from it; so the last of a group may differ from the second.
        """
        last = max((place.group for place in self.places), default=0)
        return tuple(tuple(each.name for each in self.places if each.group == number) for number in range(1, last + 1))

    def pair(self, one: str, other: str) -> Pair | None:
        """The comparison of two designs, in whichever order; None where one has no place."""
        return next((pair for pair in self.pairs if {pair.one, pair.other} == {one, other}), None)

    def difference(self, one: str, other: str) -> Pair | None:
        """``one`` less ``other``, whichever is better; None where one has no place."""
        found = self.pair(one, other)
        return found if found is None or found.one == one else found.turned

    @property
    def optimism(self) -> float:
        """By how much the best loss of this many designs is too good at most, by chance alone; NaN where that is not known.

        It is the mean of the largest of as many deviations of a design's mean: what is to be expected where all designs are equal. Where
        they differ it is less.
        """
        return self._luck(self.loss_deviation)

    @property
    def accuracy_optimism(self) -> float:
        """The same of the accuracy, as a share of 1."""
        return self._luck(self.accuracy_deviation)

    def _luck(self, deviation: float) -> float:
        if len(self.places) <= MANY or not self.freedom:
            return math.nan
        return student.expected_largest(len(self.places)) * deviation / math.sqrt(self.places[0].seeds)

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be known to read the ranking, a sentence each."""
        return tuple(_notes(self))


def ranked(scores: Sequence[Score], *, unranked: Mapping[str, str] | None = None) -> Ranking:
    """The ranking of trainings, at most one a design and seed, those of one seed having seen the same data in the same order.

    By mean cross-entropy, then accuracy. The model is additive (an effect of the design, one of the seed, and a residual of one
    variance for all), fitted by least squares, so that designs that lack seeds are compared as fairly as it goes. Intervals are
    Student's t with the pooled residual variance; the tests of all pairs are adjusted by Holm. Scores that are not finite are left out,
    and their designs told in ``unranked``,
    as are those that share no seed with the others.
    """
    left_out = dict(unranked or {})
    whole = [score for score in scores if math.isfinite(score.loss) and math.isfinite(score.accuracy)]
    names = list(dict.fromkeys(score.name for score in whole))
    for name in dict.fromkeys(score.name for score in scores):
        if name not in names:
            left_out.setdefault(name, "no training of it came to a result")
    if not names:
        return Ranking((), (), left_out, (), math.nan, math.nan, 0)
    linked = comparable((score.name, score.seed) for score in whole)
    left_out |= {name: "it shares no seed with the others" for name in names if name not in linked}
    names = [name for name in names if name in linked]
    whole = [score for score in whole if score.name in linked]
    seeds = tuple(sorted({score.seed for score in whole}))
    loss, accuracy = (_fit(whole, names, seeds, of) for of in ("loss", "accuracy"))
    order = sorted(range(len(names)), key=lambda index: (loss.means[index], -accuracy.means[index]))
    pairs = _pairs(names, order, loss, accuracy)
    counts = [sum(score.name == name for score in whole) for name in names]
    groups = _groups([names[index] for index in order], pairs) if loss.freedom else [0] * len(names)
    places = tuple(
        Placed(names[index], place, group, loss.mean(index), accuracy.mean(index), counts[index])
        for place, (index, group) in enumerate(zip(order, groups, strict=True), 1)
    )
    return Ranking(places, tuple(pairs), left_out, seeds, loss.deviation, accuracy.deviation, loss.freedom)


@final
@dataclass(frozen=True, slots=True)
class _Fit:
    """The additive model fitted to one figure: means of designs over all seeds, and what their differences vary by."""

    means: tuple[float, ...]
    covariance: Any
    """Of the means, over the residual variance."""
    deviation: float
    freedom: int

    def mean(self, index: int) -> Estimated:
        """The mean of a design over the seeds of the comparison."""
        return self._estimated(self.means[index], self.covariance[index, index])

    def difference(self, one: int, other: int) -> Estimated:
        """The mean of one design less that of another."""
        return self._estimated(self.means[one] - self.means[other], self._spread(one, other))

    def p(self, one: int, other: int) -> float:
        """The two-sided p of the hypothesis that two designs are equal."""
        if not self.freedom:
            return math.nan
        difference, error = self.means[one] - self.means[other], self.deviation * math.sqrt(self._spread(one, other))
        if not error:
            return float(difference == 0)
        return student.two_sided(difference / error, self.freedom)

    def _spread(self, one: int, other: int) -> float:
        c = self.covariance
        return max(0.0, float(c[one, one] + c[other, other] - 2 * c[one, other]))

    def _estimated(self, value: float, spread: float) -> Estimated:
        if not self.freedom:
            return Estimated(value, math.nan, math.nan)
        half = student.quantile(LEVEL, self.freedom) * self.deviation * math.sqrt(spread)
        return Estimated(value, value - half, value + half)


def _fit(scores: Sequence[Score], names: Sequence[str], seeds: Sequence[int], of: str) -> _Fit:
    """Least squares of design effects and seed effects that sum to 0; a single design has none of the seeds to tell from luck."""
    if len(names) == 1:
        seeds = seeds[:1]
    rows, columns = {name: index for index, name in enumerate(names)}, {seed: index for index, seed in enumerate(seeds)}
    model = np.zeros((len(scores), len(names) + len(seeds) - 1))
    for number, score in enumerate(scores):
        model[number, rows[score.name]] = 1
        seed = columns.get(score.seed, 0)
        if seed < len(seeds) - 1:
            model[number, len(names) + seed] = 1
        else:
            model[number, len(names) :] = -1
    figures = np.array([getattr(score, of) for score in scores], dtype=np.float64)
    inverse = np.linalg.pinv(model.T @ model)
    effects = inverse @ model.T @ figures
    freedom = len(scores) - int(np.linalg.matrix_rank(model))
    residuals = figures - model @ effects
    deviation = math.sqrt(float(residuals @ residuals) / freedom) if freedom else math.nan
    count = len(names)
    return _Fit(tuple(effects[:count].tolist()), inverse[:count, :count], deviation, freedom)


def _pairs(names: Sequence[str], order: Sequence[int], loss: _Fit, accuracy: _Fit) -> list[Pair]:
    both = list(combinations(order, 2))
    alone = [loss.p(one, other) for one, other in both]
    return [
        Pair(names[one], names[other], loss.difference(one, other), accuracy.difference(one, other), p, adjusted)
        for (one, other), p, adjusted in zip(both, alone, holm(alone), strict=True)
    ]


def holm(ps: Sequence[float]) -> list[float]:
    """The p values of several tests, so adjusted that rejecting those below 5 % is wrong anywhere in 5 % of cases (Holm, 1979)."""
    found, highest = [math.nan] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[index]))
        found[index] = highest if math.isfinite(ps[index]) else math.nan
    return found


def _groups(ordered: Sequence[str], pairs: Sequence[Pair]) -> list[int]:
    """The group of ties of each design, from 1; a group ends before the first design that differs from its first."""
    differ = {(pair.one, pair.other) for pair in pairs if pair.differs}
    groups, first = [1], ordered[0]
    for name in ordered[1:]:
        new = (first, name) in differ
        groups.append(groups[-1] + new)
        first = name if new else first
    return groups


def _notes(ranking: Ranking) -> list[str]:
    found = []
    if not ranking.freedom and ranking.places:
        found.append(
            "with one seed there are no intervals and no ties to be seen: small differences may be luck; --seeds 3 tells"
        )
    for group in ranking.groups:
        if len(group) > 1:
            found.append(f"{', '.join(group[:-1])} and {group[-1]} are tied: they differ by no more than seeds do")
    if math.isfinite(ranking.optimism):
        best, points = ranking.places[0].name, 100 * ranking.accuracy_optimism
        found.append(
            f"{best} is the best of {len(ranking.places)}, and the best of many is partly luck: its loss is too good by up to"
            f" {ranking.optimism:.3f}, its accuracy by up to {points:.2f} points; train it again with other seeds to know"
        )
    fewer = [place for place in ranking.places if place.seeds < len(ranking.seeds)]
    for place in fewer:
        found.append(f"{place.name} has results of {place.seeds} of {len(ranking.seeds)} seeds only")
    return found
