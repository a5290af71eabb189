"""Ranking: designs by the validation loss of paired seeds, with intervals, tests and ties; how much of a lead is luck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import final

from convlab.training.verdicts import student
from convlab.training.verdicts.additive import LEVEL, Estimated, Fit, Score, fitted
from convlab.training.verdicts.connected import comparable
from convlab.training.verdicts.sentences import sentences
from convlab.training.verdicts.ties import holm, tied

__all__ = ["Estimated", "Pair", "Placed", "Ranking", "Score", "ranked"]

MANY = 3
"""From one design more than this on, the best of all is said to be partly luck."""


@final
@dataclass(frozen=True, slots=True)
class Placed:
    """A design in the ranking, with the number of seeds that it has results of."""

    name: str
    place: int
    loss: Estimated
    accuracy: Estimated
    seeds: int


@final
@dataclass(frozen=True, slots=True)
class Pair:
    """A design compared with another: loss and accuracy of ``one`` less those of ``other``, over the same seeds.

    In a ranking ``other`` is placed after ``one``. Intervals and ``p``, of the two-sided test of the loss, are for this pair alone;
    ``adjusted_p`` is for all pairs at once (Holm). NaN for a single seed.
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
    def excludes_0(self) -> bool:
        """Whether the interval of the loss leaves out 0, this pair alone considered."""
        return self.p < 1 - LEVEL

    @property
    def turned(self) -> Pair:
        """The same comparison, seen from the other design."""
        return Pair(self.other, self.one, self.loss.negative, self.accuracy.negative, self.p, self.adjusted_p)


@final
@dataclass(frozen=True, slots=True)
class Ranking:
    """Designs from the best to the worst, every pair of them, and those that have no place with the reason."""

    places: tuple[Placed, ...]
    pairs: tuple[Pair, ...]
    groups: tuple[tuple[str, ...], ...]
    """Names that are tied, group by group from the best on; one may be in several. Empty where no ties can be seen, as of one seed."""
    unranked: Mapping[str, str]
    seeds: tuple[int, ...]
    loss_deviation: float
    accuracy_deviation: float
    """Standard deviations of one training around what its design and its seed make one expect; NaN for a single seed."""
    freedom: int
    """Degrees of freedom of the deviations."""

    def pair(self, one: str, other: str) -> Pair | None:
        """The comparison of two designs, in whichever order; None where one has no place."""
        return next((pair for pair in self.pairs if {pair.one, pair.other} == {one, other}), None)

    def difference(self, one: str, other: str) -> Pair | None:
        """``one`` less ``other``, whichever is better; None where one has no place."""
        found = self.pair(one, other)
        return found if found is None or found.one == one else found.turned

    @property
    def optimism(self) -> float:
        """By how much the best loss of this many designs is too good on average where all are equal; NaN where that is not known.

        It is the mean of the largest of as many deviations of a design's mean. Where designs differ it is less.
        """
        return self._luck(self.loss_deviation)

    @property
    def accuracy_optimism(self) -> float:
        """The same of the accuracy, as a share of 1, were it what designs are ranked by; of the best by loss it is less."""
        return self._luck(self.accuracy_deviation)

    def _luck(self, deviation: float) -> float:
        if len(self.places) <= MANY or not self.freedom:
            return math.nan
        return student.expected_largest(len(self.places)) * deviation / math.sqrt(self.places[0].seeds)

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be known to read the ranking, a sentence each."""
        return tuple(sentences(self))


def ranked(scores: Sequence[Score], *, unranked: Mapping[str, str] | None = None) -> Ranking:
    """The ranking of trainings, at most one a design and seed, those of one seed having seen the same data in the same order.

    By mean cross-entropy, then accuracy. The model is additive (an effect of the design, one of the seed, and a residual of one
    variance for all), fitted by least squares, so that designs that lack seeds are compared as fairly as it goes. Intervals are
    Student's t; the tests of all pairs are adjusted by Holm. No place, but a reason in ``unranked``, have those that are given there,
    designs that share no seed with the others, and designs of which any score is not finite: seeds that are missing because the
    design diverged with them are not missing by chance, and the mean of the others would flatter it.
    """
    left_out = {**_diverged(scores), **(unranked or {})}
    whole = [score for score in scores if score.name not in left_out]
    linked = comparable((score.name, score.seed) for score in whole)
    left_out |= {score.name: "it shares no seed with the others" for score in whole if score.name not in linked}
    whole = [score for score in whole if score.name in linked]
    names = list(dict.fromkeys(score.name for score in whole))
    if not names:
        return Ranking((), (), (), left_out, (), math.nan, math.nan, 0)
    loss, accuracy = (fitted(whole, names, of) for of in ("loss", "accuracy"))
    order = sorted(range(len(names)), key=lambda index: (loss.means[index], -accuracy.means[index]))
    pairs = _pairs(names, order, loss, accuracy)
    counts = [sum(score.name == name for score in whole) for name in names]
    places = tuple(
        Placed(names[index], place, loss.mean(index), accuracy.mean(index), counts[index])
        for place, index in enumerate(order, 1)
    )
    apart = ((pair.one, pair.other) for pair in pairs if pair.differs)
    groups = tied([place.name for place in places], apart) if loss.freedom else ()
    seeds = tuple(sorted({score.seed for score in whole}))
    return Ranking(places, pairs, groups, left_out, seeds, loss.deviation, accuracy.deviation, loss.freedom)


def _diverged(scores: Sequence[Score]) -> dict[str, str]:
    """Designs that came to no figures with a seed, and why they have no place."""
    found = {}
    for name in dict.fromkeys(score.name for score in scores if not score.finite):
        finite = [score.finite for score in scores if score.name == name]
        rest = finite.count(True)
        alone = f"the other {rest}" if rest > 1 else "the other one"
        some = f"it diverged with {finite.count(False)} of {len(finite)} seeds: {alone} alone would flatter it"
        found[name] = some if rest else "no training of it came to a result"
    return found


def _pairs(names: Sequence[str], order: Sequence[int], loss: Fit, accuracy: Fit) -> tuple[Pair, ...]:
    both = list(combinations(order, 2))
    alone = [loss.p(one, other) for one, other in both]
    return tuple(
        Pair(names[one], names[other], loss.difference(one, other), accuracy.difference(one, other), p, adjusted)
        for (one, other), p, adjusted in zip(both, alone, holm(alone), strict=True)
    )
