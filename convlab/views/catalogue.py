"""The catalogue: the designs that come with convlab, each with what it is and what it costs."""

from __future__ import annotations

from collections.abc import Iterable

from convlab import units
from convlab.costs import Profile, profile
from convlab.language.files import load
from convlab.views.tables import Cell, Column, Table, plain_shape, words

COLUMNS = (
    Column("name", "name"),
    Column("params", "params", right=True),
    Column("macs", "MACs", right=True),
    Column("image", "image", right=True, rank=1),
    Column("summary", "summary", least=40),
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


SPACE_COLUMNS = (Column("name", "name"), Column("size", "designs", right=True), Column("summary", "summary", least=30))


def space_catalogue(names: Iterable[str]) -> Table:
    """A row a space, with how many designs it holds before limits."""
    from convlab.spaces.reading import load_space

    spaces = ((name, load_space(name)) for name in names)
    rows = [
        (words(name), Cell(space.size, count_text(space.size)), words(space.base.summary)) for name, space in spaces
    ]
    return Table(SPACE_COLUMNS, tuple(rows))


def count_text(number: int) -> str:
    """A count of any size: exact up to 40 digits, then with a power of ten."""
    if number < 10**40:
        return f"{number:,}"
    exponent = len(str(number)) - 1
    return f"{number / 10**exponent:.2f}e{exponent}"
