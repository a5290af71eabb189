"""How the receptive field grows layer by layer, against the image; repeated blocks are steps with a count."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple, final

from convlab.costs import Profile
from convlab.layers import Chain, Field, Gate, Layer, Parallel, Repeat, Residual, Shape, Split, Window
from convlab.layers.layer import POINTWISE


@final
@dataclass(frozen=True, slots=True)
class Step:
    """A layer that sees more than its own pixel. ``first`` and ``last`` are what a pixel after its first and last repetition sees.

    None is the whole map. ``number`` counts such layers from the image on, at the first repetition and at the last.
    """

    path: str
    label: str
    count: int
    first: Window | None
    last: Window | None
    number: tuple[int, int] = (0, 0)


@final
@dataclass(frozen=True, slots=True)
class Growth:
    """The steps in order on the widest way, of the layers before the head. Squeeze-excite, one factor for a whole channel, is told apart.

    Where attention has windows, what lies between two steps is an upper bound: no more than what the last feature map sees.
    """

    image: Shape
    steps: tuple[Step, ...]
    widest: int | None
    """The side of what a pixel of the last map sees, squeeze-excite aside; None: the whole image."""
    narrowest: int
    gate: str
    """The path of the first squeeze-excite; "" where there is none. From there on every pixel depends on all, if weakly."""

    @property
    def side(self) -> int:
        """The longer side of the image in pixels."""
        return max(self.image.height, self.image.width)

    @property
    def covers(self) -> Step | None:
        """The first step after which a pixel sees as many pixels as the image has on its longer side, or the whole map."""
        return next((step for step in self.steps if step.last is None or step.last.size >= self.side), None)

    @property
    def whole(self) -> Step | None:
        """The first step of a layer that sees the whole map by itself: global attention."""
        return next((step for step in self.steps if step.first is None), None)


class _Grown(NamedTuple):
    field: Field
    steps: tuple[Step, ...]
    gate: str


def growth(profile: Profile) -> Growth:
    """How the receptive field of a design grows up to its last feature map."""
    grown = _Grown(POINTWISE, (), "")
    for part in profile.parts:
        if not part.head:
            grown = _after(grown, _grown(part.part.tree, part.path, grown.field))
    exact = profile.receptive_field
    widest = grown.field.widest
    if widest is not None and exact.widest is not None and exact.widest.size < widest.size:
        widest = exact.widest
        grown = grown._replace(steps=tuple(_bounded(step, widest) for step in grown.steps))
    size = None if widest is None else widest.size
    return Growth(profile.image, tuple(_numbered(grown.steps)), size, exact.narrowest.size, grown.gate)


def square(seen: Window | None, image: Shape) -> tuple[float, float]:
    """The sides of what a pixel in the middle sees, as shares of the image's height and width, at most 1."""
    if seen is None:
        return 1.0, 1.0
    return min(1.0, seen.size / image.height), min(1.0, seen.size / image.width)


def _grown(tree: Layer, path: str, before: Field) -> _Grown:
    match tree:
        case Chain():
            return _chain(tree, path, before)
        case Residual():
            return _residual(tree, path, before)
        case Gate():
            return _Grown(before, (), path)
        case Parallel() | Split():
            branches = [_grown(child, f"{path}.{name}", before) for name, child in tree.children]
            return reduce(_beside, branches)
        case Repeat():
            raise AssertionError("a repeat stands in a chain, which knows its name")
        case _:
            own = tree.field()
            if own == POINTWISE:
                return _Grown(before, (), "")
            field = before.then(own)
            return _Grown(field, (Step(path, tree.label(), 1, field.widest, field.widest),), "")


def _chain(tree: Chain, path: str, before: Field) -> _Grown:
    grown = _Grown(before, (), "")
    for name, child in tree.children:
        inner = f"{path}.{name}" if path else name
        one = _repeat(child, inner, grown.field) if isinstance(child, Repeat) else _grown(child, inner, grown.field)
        grown = _after(grown, one)
    return grown


def _repeat(tree: Repeat, path: str, before: Field) -> _Grown:
    folder, _, index = path.rpartition(".")
    own = _turns(tree, folder, int(index), POINTWISE).field
    first = _turns(tree, folder, int(index), before)
    last = _turns(tree, folder, int(index), before.then(_powered(own, tree.count - 1)))
    pairs = zip(first.steps, last.steps, strict=True)
    return _Grown(
        last.field, tuple(replace(one, count=one.count * tree.count, last=end.last) for one, end in pairs), first.gate
    )


def _turns(tree: Repeat, folder: str, index: int, before: Field) -> _Grown:
    grown = _Grown(before, (), "")
    for name, block in tree.turns():
        grown = _after(grown, _grown(block, f"{folder}.{index + int(name)}", grown.field))
    return grown


def _residual(tree: Residual, path: str, before: Field) -> _Grown:
    found = _grown(tree.branch, path, before)
    if tree.shortcut is None:
        found = found._replace(field=found.field.beside(before))
    else:
        found = _beside(found, _grown(tree.shortcut, f"{path}.shortcut", before))
    return found if tree.after is None else _after(found, _grown(tree.after, path, found.field))


def _powered(field: Field, count: int) -> Field:
    """The field of so many layers in a row that keep the resolution."""
    widest, narrowest = field
    ends = [
        None if window is None else Window(1 + (window.size - 1) * count, 1, window.start * count)
        for window in (widest, narrowest)
    ]
    assert ends[1] is not None
    return Field(ends[0] if count else POINTWISE.widest, ends[1])


def _after(one: _Grown, other: _Grown) -> _Grown:
    return _Grown(other.field, one.steps + other.steps, one.gate or other.gate)


def _beside(one: _Grown, other: _Grown) -> _Grown:
    """Branches of one input: the steps are those on the widest way, the first of equal ones."""
    sizes = [math.inf if each.field.widest is None else each.field.widest.size for each in (one, other)]
    steps = one.steps if sizes[0] >= sizes[1] else other.steps
    return _Grown(one.field.beside(other.field), steps, one.gate or other.gate)


def _bounded(step: Step, widest: Window) -> Step:
    first, last = (
        (widest if seen is not None and seen.size > widest.size else seen) for seen in (step.first, step.last)
    )
    return replace(step, first=first, last=last)


def _numbered(steps: tuple[Step, ...]) -> list[Step]:
    """Steps of one repeated block have one count and share their numbers in turn."""
    found: list[Step] = []
    reached, place = 0, 0
    while place < len(steps):
        together = _together(steps, place)
        count = steps[place].count
        for index, step in enumerate(steps[place : place + together], start=1):
            found.append(replace(step, number=(reached + index, reached + (count - 1) * together + index)))
        reached += count * together
        place += together
    return found


def _together(steps: tuple[Step, ...], place: int) -> int:
    """How many steps from a place on are of one repeated block."""
    one = steps[place]
    if one.count == 1:
        return 1
    block = _block(one.path)
    return sum(1 for step in steps[place:] if step.count == one.count and _block(step.path) == block)


def _block(path: str) -> str:
    """The folder of blocks, and for what stands in none the path itself."""
    folder, found, _ = path.partition("blocks.")
    return folder + found if found else path
