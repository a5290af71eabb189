"""Activation memory at inference over the order of execution: how much is live at each moment, and which maps hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, final

from convlab.costs import Profile
from convlab.layers import Chain, Gate, Layer, Named, Parallel, Repeat, Residual, Shape, Split
from convlab.layers.tree import is_in_place

FLOAT32 = 4


class Held(NamedTuple):
    """A map that is live: whose it is, and its elements for one image."""

    what: str
    elements: int


@final
@dataclass(frozen=True, slots=True)
class Moment:
    """A layer or a sum at work. ``start`` is its place in the order; its repetitions follow every ``stride`` places."""

    path: str
    what: str
    held: tuple[Held, ...]
    start: int
    stride: int = 1
    count: int = 1

    @property
    def elements(self) -> int:
        """Everything that is live."""
        return sum(each.elements for each in self.held)


@final
@dataclass(frozen=True, slots=True)
class MemoryLine:
    """The moments in order, repeated ones folded. The greatest is the peak of ``Profile.peak_elements``."""

    moments: tuple[Moment, ...]
    length: int
    """How many moments there are with all repetitions."""

    @property
    def peak(self) -> Moment:
        """The first of the moments with the most live memory."""
        return max(self.moments, key=lambda moment: moment.elements)

    def columns(self, number: int) -> tuple[int, ...]:
        """The greatest live memory in each of so many equal stretches of the order, in elements."""
        found = [0] * number
        for moment in self.moments:
            elements = moment.elements
            for column in self.columns_of(moment, number):
                found[column] = max(found[column], elements)
        # Where there are fewer moments than columns, a moment lasts until the next.
        for column in range(1, number):
            found[column] = found[column] or found[column - 1]
        return tuple(found)

    def columns_of(self, moment: Moment, number: int) -> Sequence[int]:
        """The stretches in which a moment and its repetitions lie."""
        first = moment.start * number // self.length
        if moment.stride * number <= self.length:  # repetitions lie closer than stretches
            last = (moment.start + (moment.count - 1) * moment.stride) * number // self.length
            return range(first, last + 1)
        return [(moment.start + index * moment.stride) * number // self.length for index in range(moment.count)]


@dataclass(slots=True)
class _Recording:
    """Moments as they are met."""

    moments: list[Moment] = field(default_factory=list)
    length: int = 0

    def add(self, path: str, what: str, held: tuple[Held, ...]) -> None:
        self.moments.append(Moment(path, what, tuple(each for each in held if each.elements), self.length))
        self.length += 1

    def repeat(self, other: _Recording, count: int) -> None:
        """What was recorded of one block, so many times."""
        for moment in other.moments:
            start = self.length + moment.start
            self.moments.append(replace(moment, start=start, stride=other.length, count=count))
        self.length += other.length * count


class _Scene(NamedTuple):
    """Where a layer runs: its path, what comes in, and what its callers hold, its input among it."""

    path: str
    input: Shape
    held: tuple[Held, ...]

    def within(self, name: str) -> _Scene:
        return self._replace(path=f"{self.path}.{name}" if self.path else name)

    def holding(self, *more: Held) -> _Scene:
        return self._replace(held=self.held + more)


def memory_line(profile: Profile) -> MemoryLine:
    """The live activation memory of one image, eager and out of place, as ``Profile.peak_bytes`` counts it; weights come on top."""
    into = _Recording()
    scene = _Scene("", profile.image, (Held("image", profile.image.elements),))
    _chain(tuple((part.path, part.part.tree) for part in profile.parts), None, scene, into)
    return MemoryLine(tuple(into.moments), into.length)


def _run(tree: Layer, scene: _Scene, into: _Recording) -> int:
    """Record a layer at work, and give the elements that are left of it as its output."""
    match tree:
        case Chain():
            return _chain(tree.children, None, scene, into)
        case Residual():
            return _residual(tree, scene, into)
        case Gate():
            branch = _run(tree.branch, scene, into)
            factors, product = Held(f"factors of {scene.path}", branch), _output(scene.path, scene.input.elements)
            into.add(scene.path, "product", (*scene.held, factors, product))
            return scene.input.elements
        case Parallel():
            return _parallel(tree, scene, into)
        case Split():
            return _split(tree, scene, into)
        case _:
            live = tree.live(scene.input)
            own = (_output(scene.path, live.output), Held(f"workspace of {scene.path}", live.extra - live.output))
            into.add(scene.path, tree.label(), scene.held + own)
            return live.output


def _chain(children: tuple[Named, ...], before: Layer | None, scene: _Scene, into: _Recording) -> int:
    held = Held("", 0)
    for index, (name, child) in enumerate(children):
        here = scene.within(name).holding(held)
        if isinstance(child, Repeat):
            held = _output(here.path, _repeat(child, here, into, again=not index))
        elif is_in_place(before, child):
            into.add(here.path, f"{child.label()}, in place", here.held)
        else:
            left = _run(child, here, into)
            held = _output(here.path, left) if left else held
        scene = scene._replace(input=child.output(scene.input))
        before = child
    return held.elements


def _repeat(tree: Repeat, scene: _Scene, into: _Recording, *, again: bool) -> int:
    """``again``: the callers hold the chain's input, and from the second repetition on the output before it as well."""
    folder, _, index = scene.path.rpartition(".")
    turns = tuple((str(int(index) + int(name)), block) for name, block in tree.turns())
    inner = scene._replace(path=folder)
    left = tree.block.live(scene.input).output
    first = _Recording()
    _turns(turns, inner, first)
    into.repeat(first, 1 if again else tree.count)
    if again and tree.count > 1:
        later = _Recording()
        _turns(turns, inner.holding(Held("output of the block before", left)), later)
        into.repeat(later, tree.count - 1)
    return left


def _turns(turns: tuple[Named, ...], scene: _Scene, into: _Recording) -> None:
    if len(turns) == 1:
        _run(turns[0][1], scene.within(turns[0][0]), into)
    else:
        _chain(turns, None, scene, into)


def _residual(tree: Residual, scene: _Scene, into: _Recording) -> int:
    y = tree.branch.output(scene.input)
    branch = Held(f"branch of {scene.path}", _run(tree.branch, scene, into))
    shortcut = Held("", 0)
    if tree.shortcut is not None:
        left = _run(tree.shortcut, scene.within("shortcut").holding(branch), into)
        shortcut = Held(f"shortcut of {scene.path}", left)
    if not tree.branch.gives_own_map():  # otherwise the sum is written over the branch's output
        into.add(scene.path, "sum", (*scene.held, branch, shortcut, _output(scene.path, y.elements)))
    if tree.after is not None:
        after = scene.holding(_output(scene.path, y.elements))._replace(input=y)
        _chain(tree.after.children, tree, after, into)
    return y.elements


def _parallel(tree: Parallel, scene: _Scene, into: _Recording) -> int:
    size = tree.output(scene.input).elements
    held = Held("", 0)
    for index, (name, child) in enumerate(tree.children):
        left = _run(child, scene.within(name).holding(held), into)
        if index:
            branch, total = Held(f"branch {scene.path}.{name}", left), _output(scene.path, size)
            into.add(scene.path, "sum", (*scene.held, held, branch, total))
        held = Held(f"sum so far of {scene.path}", size if index else left)
    return held.elements


def _split(tree: Split, scene: _Scene, into: _Recording) -> int:
    held: tuple[Held, ...] = ()
    share = tree.share(scene.input)
    for name, child in tree.children:
        left = _run(child, scene.within(name).holding(*held)._replace(input=share), into)
        held += (Held(f"branch {scene.path}.{name}", left),)
    size = tree.output(scene.input).elements
    into.add(scene.path, "side by side", (*scene.held, *held, _output(scene.path, size)))
    return size


def _output(path: str, elements: int) -> Held:
    return Held(f"output of {path}", elements)
