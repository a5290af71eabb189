"""The catalogue: the designs that come with convlab, each with what it is and what it costs."""

from __future__ import annotations

from collections.abc import Iterable

from convlab import units
from convlab.costs import Profile, profile
from convlab.files import load
from convlab.views.tables import Cell, Column, Table, plain_shape, words

COLUMNS = (
    Column("name", "name"),
    Column("params", "params", right=True),
    Column("macs", "MACs", right=True),
    Column("image", "image", right=True, rank=1),
    Column("summary", "summary", wraps=True),
)


def catalogue(names: Iterable[str]) -> Table:
    """A row a preset, with its costs at its own image size."""
    return Table(COLUMNS, tuple(_row(name, profile(load(name))) for name in names))


def _row(name: str, costs: Profile) -> tuple[Cell, ...]:
    image = costs.image
    side = f"{image.height}" if image.height == image.width else f"{image.height}x{image.width}"
    return (
        words(name),
        Cell(costs.params, units.count(costs.params)),
        Cell(costs.macs, units.count(costs.macs)),
        Cell(plain_shape(image), side),
        words(costs.design.summary),
    )
