"""Learning curves as plain series, one for each design and seed or averaged over seeds, and as a line of text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from convlab.views.tables import Cell, Column, Table, words

if TYPE_CHECKING:
    from convlab.training.keeping.trained import Point, Trained

FIGURES: Mapping[str, tuple[str, str]] = {
    "validation_accuracy": ("validation accuracy", "%"),
    "validation_loss": ("validation loss", "nats"),
    "training_loss": ("training loss", "nats"),
}
"""What a curve can show: its name for people, and its unit."""

HEIGHTS = "▁▂▃▄▅▆▇█"
GAP = "·"
"""Stands where a curve has no finite value."""

COLUMNS = (
    Column("name", "design", least=12),
    Column("n", "n", right=True, rank=2),
    Column("samples", "images", right=True, rank=2),
    Column("accuracy", "validation accuracy"),
    Column("first", "first", right=True, rank=1),
    Column("last", "last", right=True),
    Column("loss", "validation loss", rank=3),
)


@final
@dataclass(frozen=True, slots=True)
class Series:
    """One curve: whose, what it shows, and its points; a value is None where it is not finite."""

    name: str
    figure: str
    unit: str
    samples: tuple[int, ...]
    values: tuple[float | None, ...]
    seeds: tuple[int, ...]
    """The seeds that it is the mean of."""

    @property
    def known(self) -> bool:
        """Whether there is a finite value."""
        return any(value is not None for value in self.values)


def learning_curves(trained: Sequence[Trained], figure: str = "validation_accuracy") -> tuple[Series, ...]:
    """A curve for each design and seed; ``figure`` is one of ``FIGURES``."""
    return tuple(
        Series(each.name, figure, FIGURES[figure][1], *_points(each.curve, figure), (each.seed,)) for each in trained
    )


def mean_curves(trained: Sequence[Trained], figure: str = "validation_accuracy") -> tuple[Series, ...]:
    """A curve for each design, the mean over those of its seeds that came furthest: a training cut short would cut the others."""
    return tuple(_mean(curves) for curves in _by_name(learning_curves(trained, figure)))


def curve_table(trained: Sequence[Trained]) -> Table | None:
    """A row a design with its curve as a line of text, all rows on one scale; None where nothing was evaluated twice."""
    accuracies = mean_curves(trained)
    losses = mean_curves(trained, "validation_loss")
    if all(len(curve.values) < 2 for curve in accuracies):
        return None
    scale, loss_scale = span(accuracies), span(losses)
    pairs = zip(accuracies, losses, strict=True)
    return Table(COLUMNS, tuple(_row(one, other, scale, loss_scale) for one, other in pairs))


def sparkline(values: Sequence[float | None], low: float, high: float) -> str:
    """Values as heights from ``low`` to ``high``, a character each."""
    return "".join(_height(value, low, high) for value in values)


def span(curves: Iterable[Series]) -> tuple[float, float]:
    """The least and the greatest value of curves; 0 and 1 where they have none."""
    found = [value for curve in curves for value in curve.values if value is not None]
    return (min(found), max(found)) if found else (0.0, 1.0)


def _points(curve: Sequence[Point], figure: str) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    factor = 100.0 if FIGURES[figure][1] == "%" else 1.0
    found = [_finite(getattr(point, figure)) for point in curve]
    return tuple(point.samples for point in curve), tuple(None if value is None else factor * value for value in found)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _by_name(curves: Sequence[Series]) -> Iterator[list[Series]]:
    for name in dict.fromkeys(curve.name for curve in curves):
        yield [curve for curve in curves if curve.name == name]


def _mean(curves: Sequence[Series]) -> Series:
    """The mean of the longest curves of one design; a point that one of them has not, or not finite, has no mean."""
    longest = max(curve.samples[-1:] for curve in curves)
    curves = [curve for curve in curves if curve.samples[-1:] == longest]
    first = curves[0]
    tables = [dict(zip(curve.samples, curve.values, strict=True)) for curve in curves]
    samples = [place for place in first.samples if all(place in table for table in tables)]
    columns = [[table[place] for table in tables] for place in samples]
    values = tuple(None if None in column else math.fsum(filter(None, column)) / len(column) for column in columns)
    seeds = tuple(seed for curve in curves for seed in curve.seeds)
    return Series(first.name, first.figure, first.unit, tuple(samples), values, seeds)


def _height(value: float | None, low: float, high: float) -> str:
    if value is None:
        return GAP
    share = 1.0 if high <= low else (value - low) / (high - low)
    return HEIGHTS[round(min(max(share, 0.0), 1.0) * (len(HEIGHTS) - 1))]


def _row(
    accuracy: Series, loss: Series, scale: tuple[float, float], loss_scale: tuple[float, float]
) -> tuple[Cell, ...]:
    shown = accuracy.samples[-1] if accuracy.samples else None
    return (
        words(accuracy.name),
        Cell(len(accuracy.seeds), str(len(accuracy.seeds))),
        Cell(shown, "-" if shown is None else f"{shown:,}"),
        Cell(list(accuracy.values), sparkline(accuracy.values, *scale)),
        _percent(accuracy.values[0] if accuracy.values else None),
        _percent(accuracy.values[-1] if accuracy.values else None),
        Cell(list(loss.values), sparkline(loss.values, *loss_scale)),
    )


def _percent(value: float | None) -> Cell:
    return Cell(value, "-" if value is None else f"{value:.1f} %")
