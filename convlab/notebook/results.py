"""What a worker printed at its end, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from convlab.views.live_learning import rates
from convlab.views.tables import Cell, Column, Table, words

RANKED = (
    Column("name", "design"),
    Column("loss", "validation loss", right=True),
    Column("accuracy", "accuracy", right=True),
    Column("n", "n", right=True),
)
RATED = (
    Column("name", "network"),
    Column("rate", "images/s", right=True),
    Column("spread", "from … to", right=True),
    Column("conditions", "conditions"),
)


def result_table(result: Mapping[str, Any]) -> Table | None:
    """A training's ranking or a measurement's rates; None of anything else."""
    places = (result.get("ranking") or {}).get("places")
    if places:
        return Table(RANKED, tuple(_ranked(places)))
    found = tuple(
        (
            words(rate.name),
            _number(rate.median),
            words(f"{rate.low:,.4g} … {rate.high:,.4g}" if rate.low is not None and rate.high is not None else "-"),
            words(rate.failure or rate.conditions),
        )
        for rate in rates(result)
    )
    return Table(RATED, found) if found else None


def _ranked(places: list[Mapping[str, Any]]) -> Iterator[tuple[Cell, ...]]:
    for place in places:
        loss, accuracy = place["loss"]["mean"], place["accuracy"]["mean"]
        yield (
            words(place["name"]),
            Cell(loss, f"{loss:.3f}"),
            Cell(accuracy, f"{100 * accuracy:.1f} %"),
            words(place["seeds"]),
        )


def _number(value: float | None) -> Cell:
    return Cell(value, "-" if value is None else f"{value:,.4g}")
