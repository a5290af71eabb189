"""Notes: what was rounded, which pixels no window covers, and which are made up to fill windows, each with a way out."""

from __future__ import annotations

from typing import NamedTuple

from convlab.costs import Profile, profile
from convlab.errors import ConvlabError
from convlab.layers import Attention, Row
from convlab.layers.shape import smaller

FARTHEST = 64

Edge = tuple[Row, int, int]
"""A layer, and how many rows and columns of its map it leaves out or adds."""


class Note(NamedTuple):
    """Something that a reader should know of a design that is valid."""

    path: str
    message: str
    help: str


def notes(costs: Profile) -> tuple[Note, ...]:
    """Sizes that were rounded, then layers that leave pixels out, then those that add some."""
    left_out = _told(costs, _losses(costs), "leaves out {} of its {} map")
    added = _told(costs, _paddings(costs), "adds {} to its {} map, to fill whole windows")
    return (*_rounded(costs), *left_out, *added)


def plain_notes(found: tuple[Note, ...]) -> list[dict[str, str]]:
    """The notes as JSON holds them."""
    return [note._asdict() for note in found]


def _rounded(costs: Profile) -> list[Note]:
    return [
        Note(
            item.path,
            f"a width of {item.asked:g} is rounded to {item.given}",
            "a width or ratio that gives a whole multiple avoids it",
        )
        for item in costs.adjustments
    ]


def _told(costs: Profile, edges: list[Edge], does: str) -> list[Note]:
    """One note on the first of some layers; the others are counted."""
    if not edges:
        return []
    row, rows, columns = edges[0]
    pixels = " and ".join(_counted(number, what) for number, what in ((rows, "row"), (columns, "column")) if number)
    done = does.format(pixels, f"{row.input.height}x{row.input.width}")
    more = f", and {_counted(len(edges) - 1, 'later layer')} as well" if len(edges) > 1 else ""
    return [Note(row.path, f"{row.layer.label()} at {row.path} {done}{more}", _fitting_image(costs))]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _paddings(costs: Profile) -> list[Edge]:
    """The layers of attention whose windows do not tile their maps."""
    found = []
    for row in costs.rows:
        if isinstance(row.layer, Attention) and not row.layer.is_global:
            rows, columns = (-side % smaller(row.layer.window, side) for side in row.input[1:])
            if rows or columns:
                found.append((row, rows, columns))
    return found


def _losses(costs: Profile) -> list[Edge]:
    """The layers that lose pixels at the edge; a 1x1 layer of stride 2 skips pixels everywhere, and means to."""
    found = []
    for row, rows, columns in costs.dropped:
        window = row.layer.field().widest
        if window is not None and window.size >= window.stride:
            found.append((row, rows, columns))
    return found


def _fitting_image(costs: Profile) -> str:
    """The image size nearby of which every pixel is used; each axis is searched by itself."""
    sizes = [_fitting(costs, axis) for axis in (1, 2)]
    if None in sizes:
        return f"no image size within {FARTHEST} px avoids it"
    height, width = sizes
    return f"an image of {height} px avoids it" if height == width else f"an image of {height}x{width} px avoids it"


def _fitting(costs: Profile, axis: int) -> int | None:
    size = costs.image.height if axis == 1 else costs.image.width
    for distance in range(FARTHEST + 1):
        for candidate in (size + distance, size - distance):
            if candidate > 0 and _fits(costs, candidate, axis):
                return candidate
    return None


def _fits(costs: Profile, size: int, axis: int) -> bool:
    try:
        found = profile(costs.design, image=size)
    except ConvlabError:
        return False
    lasts = (found.features.height, found.features.width)
    return min(lasts) > 0 and not any(edge[axis] for edge in (*_losses(found), *_paddings(found)))
