"""Sentences on a ranking: what its intervals, ties and lead are worth, so that nobody reads more into it than is there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convlab.training.verdicts.ranking import Pair, Ranking


def sentences(ranking: Ranking) -> Iterator[str]:
    """What has to be known to read the ranking, a sentence each."""
    if ranking.places:
        yield from _on_ties(ranking) if ranking.freedom else _without_intervals(ranking)
        yield from _on_luck(ranking)
        yield from _on_missing_seeds(ranking)


def _without_intervals(ranking: Ranking) -> Iterator[str]:
    if len(ranking.places) == 1:
        yield "with one seed there is no interval: how much another seed would change is not known; train with --seeds 3"
    elif len(ranking.seeds) == 1:
        yield "with one seed there are no intervals and no ties: a lead may be luck; train with --seeds 3 to tell"
    else:
        yield "too few results share a seed for intervals and ties: a lead may be luck; all designs need at least two seeds"


def _on_ties(ranking: Ranking) -> Iterator[str]:
    for group in ranking.groups:
        if len(group) > 1:
            yield f"{_listed(group)} are tied: {len(ranking.seeds)} seeds do not tell them apart"
    yield from _on_chains(ranking)
    best = ranking.places[0].name
    if any(pair.one == best and pair.excludes_0 and not pair.differs for pair in ranking.pairs):
        yield (
            f"an interval behind the best that leaves out 0 does not yet break a tie: ties consider all"
            f" {len(ranking.pairs)} pairs at once"
        )


def _on_chains(ranking: Ranking) -> Iterator[str]:
    """A design that is tied with two that are told apart: the first one says it for all."""
    for place in ranking.places:
        ties = {name for group in ranking.groups if place.name in group for name in group}
        if pair := _apart(ranking.pairs, ties):
            yield (
                f"a tie does not carry over: {place.name} is tied with {pair.one} and with {pair.other}, though {pair.one}"
                f" is better than {pair.other}"
            )
            return


def _apart(pairs: Sequence[Pair], names: set[str]) -> Pair | None:
    return next((pair for pair in pairs if pair.differs and {pair.one, pair.other} <= names), None)


def _on_luck(ranking: Ranking) -> Iterator[str]:
    if math.isfinite(ranking.optimism):
        yield (
            f"{ranking.places[0].name} is the best of {len(ranking.places)}, and the best of many is partly luck: if all were"
            f" equally good, the best would on average still seem better than it is by {ranking.optimism:.3f} in loss and"
            f" up to {100 * ranking.accuracy_optimism:.2f} points of accuracy; train it again with other seeds to know"
        )


def _on_missing_seeds(ranking: Ranking) -> Iterator[str]:
    counts: dict[int, list[str]] = {}
    for place in ranking.places:
        counts.setdefault(place.seeds, []).append(place.name)
    for count, names in counts.items():
        if count < len(ranking.seeds):
            has = "has" if len(names) == 1 else "have"
            yield f"{_listed(names)} {has} results of only {count} of {len(ranking.seeds)} seeds"


def _listed(names: Sequence[str]) -> str:
    """Names as people list them: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
