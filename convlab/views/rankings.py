"""A ranking of trained designs as a table: places, means with their intervals, ties, what the lead over the next is worth, and costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from string import ascii_letters
from typing import TYPE_CHECKING, Any

from convlab import units
from convlab.costs import profile
from convlab.views.tables import Cell, Column, Table, words

if TYPE_CHECKING:
    from convlab.training.keeping.trained import Trained
    from convlab.training.verdicts.ranking import Estimated, Pair, Placed, Ranking

NONE = Cell(None, "-")


def ranking_table(ranking: Ranking, trained: Sequence[Trained]) -> Table | None:
    """A row a design that has a place, the best first; None where none has.

    Losses are cross-entropies on the validation split. "behind" is the loss less that of the best, with the interval of the difference.
    """
    if not ranking.places:
        return None
    chosen = _columns(ranking, trained)
    rows = tuple(tuple(cell(place) for _, cell in chosen) for place in ranking.places)
    return Table(tuple(column for column, _ in chosen), rows)


def estimate_text(found: Estimated, *, factor: float = 1.0, digits: int = 3, signed: bool = False) -> str:
    """A mean with half of its interval, which is symmetric; the mean alone where there is no interval."""
    rounded = round(factor * found.mean, digits) + 0.0  # a negative zero is none
    mean = f"{rounded:{'+' if signed else ''}.{digits}f}"
    return f"{mean} ± {factor * (found.high - found.low) / 2:.{digits}f}" if math.isfinite(found.low) else mean


def share_text(found: Estimated) -> str:
    """A share in percent with half of its interval; where that would leave 0 to 100, with its ends, cut there."""
    low, high = 100 * found.low, 100 * found.high
    if not math.isfinite(low) or (low >= 0 and high <= 100):
        return estimate_text(found, factor=100, digits=2)
    return f"{100 * found.mean:.2f} ({max(low, 0):.2f} to {min(high, 100):.2f})"


def interval_text(ranking: Ranking) -> str:
    """What the intervals of a ranking are; empty where it has none."""
    if not any(math.isfinite(place.loss.low) for place in ranking.places):
        return ""
    text = "± is how far another seed may move a design alone"
    if len(ranking.places) < 2:
        return f"{text}."
    return f'{text}; rank and ties come from differences at the same seeds, in "behind".'


def plain_ranking(ranking: Ranking) -> dict[str, Any]:
    """The ranking as JSON holds it; what is not known is None."""
    return {
        "places": [finite(asdict(place)) for place in ranking.places],
        "pairs": [{**finite(asdict(pair)), "differs": pair.differs} for pair in ranking.pairs],
        "groups": [list(group) for group in ranking.groups],
        "unranked": dict(ranking.unranked),
        "seeds": list(ranking.seeds),
        "loss_deviation": finite(ranking.loss_deviation),
        "accuracy_deviation": finite(ranking.accuracy_deviation),
        "freedom": ranking.freedom,
        "optimism": finite(ranking.optimism),
        "notes": list(ranking.notes),
    }


Cells = list[tuple[Column, Callable[["Placed"], Cell]]]


def _columns(ranking: Ranking, trained: Sequence[Trained]) -> Cells:
    of = {
        name: [each for each in trained if each.name == name] for name in dict.fromkeys(each.name for each in trained)
    }
    costs = {name: profile(found[0].design) for name, found in of.items()}
    chosen: Cells = [
        (Column("place", "#", right=True), lambda place: Cell(place.place, str(place.place))),
        (Column("name", "design", least=12), lambda place: words(place.name)),
        (Column("loss", "loss", right=True), lambda place: _estimated(place.loss, estimate_text(place.loss))),
        (Column("accuracy", "accuracy %", right=True), _accuracy),
    ]
    if len(ranking.places) > 1:
        chosen.append((Column("behind", "behind", right=True, rank=2), lambda place: _behind(ranking, place)))
        if ranking.groups:
            chosen.append((Column("ties", "ties"), lambda place: _ties(ranking, place)))
    chosen += [
        (Column("test_accuracy", "test %", right=True, rank=3), lambda place: _test(of[place.name])),
        (Column("n", "n", right=True, rank=1), lambda place: Cell(place.seeds, str(place.seeds))),
        (Column("params", "params", right=True, rank=4), lambda place: _count(costs[place.name].params)),
        (Column("macs", "MACs", right=True, rank=4), lambda place: _count(costs[place.name].macs)),
        (Column("images_per_second", "images/s", right=True, rank=5), lambda place: _speed(of[place.name])),
    ]
    return chosen


def _accuracy(place: Placed) -> Cell:
    return _estimated(place.accuracy, share_text(place.accuracy))


def _behind(ranking: Ranking, place: Placed) -> Cell:
    best = ranking.places[0].name
    pair = ranking.pair(best, place.name)
    if place.name == best or pair is None:
        return Cell(None, "best")
    low, high = sorted((-pair.loss.high, -pair.loss.low)) if math.isfinite(pair.loss.low) else (math.nan, math.nan)
    ends = f" ({low:+.3f} to {high:+.3f})" if math.isfinite(low) else ""
    return Cell(_pair(pair), f"{-pair.loss.mean:+.3f}{ends}")


def _pair(pair: Pair) -> Mapping[str, Any]:
    found: Mapping[str, Any] = finite(asdict(pair))
    return found


def _ties(ranking: Ranking, place: Placed) -> Cell:
    """A letter for each group of ties that a design is in: designs that share one are tied."""
    found = [number for number, group in enumerate(ranking.groups) if place.name in group]
    letters = [ascii_letters[number] if number < len(ascii_letters) else f"({number + 1})" for number in found]
    return Cell([number + 1 for number in found], "".join(letters))


def _test(trained: Sequence[Trained]) -> Cell:
    found = [each.test_accuracy for each in trained if math.isfinite(each.test_accuracy)]
    if not found:
        return NONE
    mean = math.fsum(found) / len(found)
    return Cell(mean, f"{100 * mean:.2f}")


def _speed(trained: Sequence[Trained]) -> Cell:
    found = [each.images_per_second for each in trained if math.isfinite(each.images_per_second)]
    if not found:
        return NONE
    mean = len(found) / math.fsum(1 / each for each in found)
    return Cell(mean, f"{mean:,.0f}")


def _count(number: int) -> Cell:
    return Cell(number, units.count(number))


def _estimated(found: Estimated, text: str) -> Cell:
    return Cell(finite(asdict(found)), text)


def finite(value: Any) -> Any:
    """The value as JSON holds it, None in the place of numbers that are not finite."""
    if isinstance(value, dict):
        return {name: finite(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
