"""Stored trainings as a table: a row for each design and seed, with the losses and the curve that stand among its details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convlab.runs.records import Row
from convlab.views.learning import sparkline
from convlab.views.tables import Cell, Column, Table, words

NONE = "-"

COLUMNS = (
    Column("position", "#", right=True, rank=2),
    Column("subject", "design", least=12),
    Column("seed", "seed", right=True),
    Column("validation_loss", "loss", right=True),
    Column("validation_accuracy", "accuracy", right=True),
    Column("test_accuracy", "test", right=True, rank=3),
    Column("curve", "learning curve", rank=1),
    Column("samples", "images", right=True, rank=4),
    Column("images_per_second", "images/s", right=True, rank=4),
    Column("state", "", least=12),
)


def stored_training_table(rows: Mapping[int, Row]) -> Table:
    """A row for each design and seed; all curves are of validation accuracy, on one scale."""
    curves = {position: _accuracies(row) for position, row in rows.items()}
    found = [value for curve in curves.values() for value in curve if value is not None]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    drawn = {position: sparkline(curve, low, high) for position, curve in curves.items()}
    return Table(COLUMNS, tuple(_cells(position, row, drawn[position]) for position, row in rows.items()))


def _accuracies(row: Row) -> list[float | None]:
    return [point.get("validation_accuracy") for point in row.details.get("curve") or ()]


def _cells(position: int, row: Row, drawn: str) -> tuple[Cell, ...]:
    told = row.details
    loss, speed, samples = (told.get(name) for name in ("validation_loss", "images_per_second", "samples"))
    return (
        Cell(position, str(position)),
        words(row.subject),
        Cell(told.get("seed"), str(told.get("seed", NONE))),
        Cell(loss, NONE if loss is None else f"{loss:.4f}"),
        _percent(told.get("validation_accuracy")),
        _percent(told.get("test_accuracy")),
        Cell(_accuracies(row), drawn),
        Cell(samples, NONE if samples is None else f"{samples:,}"),
        Cell(speed, NONE if speed is None else f"{speed:,.0f}"),
        words(_state(told)),
    )


def _state(told: Mapping[str, Any]) -> str:
    """What became of a training, where it did not come to its end."""
    failure = told.get("failure")
    if failure:
        return str(failure)
    if told.get("stopped"):
        return "stopped"
    return "" if told.get("test_accuracy") is not None else "under way"


def _percent(share: float | None) -> Cell:
    return Cell(share, NONE if share is None else f"{100 * share:.2f} %")
