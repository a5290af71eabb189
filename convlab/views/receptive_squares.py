"""What the pixel in the middle of each stage's map sees, as squares over the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from convlab.costs import Profile, receptive_field
from convlab.layers import Shape, Window


@final
@dataclass(frozen=True, slots=True)
class Square:
    """What one pixel sees, in pixels of the image: rows ``top`` to ``bottom``, columns ``left`` to ``right``, both ends included.

    It reaches into the padding where a row or column is negative or beyond the image. ``size`` is None where it is the whole image.
    """

    path: str
    map: Shape
    size: int | None
    stride: int | None
    top: int
    left: int
    bottom: int
    right: int
    share: float
    """How much of the image lies in it, from 0 to 1."""


def squares(profile: Profile) -> tuple[Square, ...]:
    """A square for the stem and every stage, over the widest path; of windows of attention the hull over all places in them.

    Squeeze-excite, one factor for a whole channel, is not counted.
    """
    parts = [part for part in profile.parts if not part.head]
    return tuple(
        _square(part.path, part.output, receptive_field(parts[: number + 1]).widest, profile.image)
        for number, part in enumerate(parts)
    )


def _square(path: str, output: Shape, seen: Window | None, image: Shape) -> Square:
    if seen is None:
        return Square(path, output, None, None, 0, 0, image.height - 1, image.width - 1, 1.0)
    top, left = ((side // 2) * seen.stride + seen.start for side in (output.height, output.width))
    bottom, right = top + seen.size - 1, left + seen.size - 1
    rows = min(bottom, image.height - 1) - max(top, 0) + 1
    columns = min(right, image.width - 1) - max(left, 0) + 1
    share = max(rows, 0) * max(columns, 0) / image.positions
    return Square(path, output, seen.size, seen.stride, top, left, bottom, right, share)
