"""Where the names of points stand, so that they hide neither each other nor the points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

LETTER = 5.6
"""Px that a letter of a name takes on average."""
LINE = 12.0
"""Px that a line of a name is high."""
GAP = 5.0
"""Px from the middle of a point to its name."""
STEP = 8.0
"""Px between the places on a line that a name should not hide."""
PLACES = (
    "top center",
    "bottom center",
    "middle right",
    "middle left",
    "top right",
    "bottom right",
    "top left",
    "bottom left",
)
"""In the order in which they are liked, as plotly calls them."""

Point = tuple[float, float]
"""Px to the right and up."""


class Box(NamedTuple):
    """A rectangle, in px."""

    left: float
    bottom: float
    right: float
    top: float

    def shared(self, other: Box) -> float:
        """The area that two boxes have in common."""
        across = min(self.right, other.right) - max(self.left, other.left)
        up = min(self.top, other.top) - max(self.bottom, other.bottom)
        return across * up if across > 0 and up > 0 else 0.0


def placed(points: Sequence[Point], names: Sequence[str], lines: Sequence[tuple[Point, Point]] = ()) -> list[str]:
    """A place beside each point for its name: one after the other, each where it hides least of points, lines and names before it."""
    taken = [*(_around(point, 4.0) for point in points), *(_around(dot, 1.5) for line in lines for dot in _dots(*line))]
    found = []
    for point, name in zip(points, names, strict=True):
        boxes = {place: _box(point, name, place) for place in PLACES}
        best = min(PLACES, key=lambda place: sum(boxes[place].shared(other) for other in taken))
        taken.append(boxes[best])
        found.append(best)
    return found


def _around(point: Point, reach: float) -> Box:
    return Box(point[0] - reach, point[1] - reach, point[0] + reach, point[1] + reach)


def _dots(start: Point, end: Point) -> Iterator[Point]:
    """Places along a line, from its start to its end."""
    across, up = end[0] - start[0], end[1] - start[1]
    count = max(1, round(max(abs(across), abs(up)) / STEP))
    for number in range(count + 1):
        yield start[0] + across * number / count, start[1] + up * number / count


def _box(point: Point, name: str, place: str) -> Box:
    upright, _, sideways = place.partition(" ")
    width = LETTER * len(name)
    left = {"left": -GAP - width, "center": -width / 2, "right": GAP}[sideways]
    bottom = {"bottom": -GAP - LINE, "middle": -LINE / 2, "top": GAP}[upright]
    return Box(point[0] + left, point[1] + bottom, point[0] + left + width, point[1] + bottom + LINE)
