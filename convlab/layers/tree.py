"""Combinators: how layers make blocks, and blocks networks. Each derives its facts from those of its children."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from convlab.layers.layer import POINTWISE, Copies, Field, Layer, Live, Named, Row, layer
from convlab.layers.shape import POINT, Interval, Shape, Window, larger, largest, smaller


@layer
class LayerScale(Layer):
    """One factor a channel on a residual branch (Touvron et al., 2021, arXiv:2103.17239), ``initial`` at the start."""

    initial: float

    def params(self, x: Shape) -> int:
        return x.channels

    def signature(self) -> list[Any]:
        return ["LayerScale"]

    def label(self) -> str:
        return "Layer scale"


@layer
class Chain(Layer):
    """Named layers in order. A ``Repeat`` among them stands under the index of its first instance."""

    children: tuple[Named, ...]

    def output(self, x: Shape) -> Shape:
        for _, child in self.children:
            x = child.output(x)
        return x

    def params(self, x: Shape) -> int:
        return _total(self.children, x, "params")

    def macs(self, x: Shape) -> int:
        return _total(self.children, x, "macs")

    def field(self) -> Field:
        field = POINTWISE
        for _, child in self.children:
            seen = child.field()
            if seen is not POINTWISE:
                field = field.then(seen)
        return field

    def seen(self, pixels: Interval) -> Interval:
        for _, child in reversed(self.children):
            pixels = child.seen(pixels)
        return pixels

    def live(self, x: Shape) -> Live:
        return self.live_behind(None, x)

    def live_behind(self, before: Layer | None, x: Shape) -> Live:
        """As ``live``, where a layer that is known ran before, whose output the first child may write over."""
        extra, held = 0, 0  # `held`: the output of the child before; the chain's own input is held by its caller
        for index, (_, child) in enumerate(self.children):
            if not is_in_place(before, child):
                live = child.live_after(x) if index and isinstance(child, Repeat) else child.live(x)
                extra = larger(extra, held + live.extra)
                held = _left(live.output, held)
            x = child.output(x)
            before = child
        return Live(extra, held)

    def gives_own_map(self) -> bool:
        return bool(self.children) and self.children[-1][1].gives_own_map()

    def trace(self, path: str, x: Shape, copies: Copies, rows: list[Row]) -> Shape:
        prefix = path + "." if path else ""
        for name, child in self.children:
            x = child.trace(prefix + name, x, copies, rows)
        return x

    def signature(self) -> list[Any]:
        plain: list[Any] = ["Chain"]
        for _, child in self.children:
            inner = child.signature()
            plain += (
                inner[1:] if type(child) is Chain else [inner] * bool(inner)
            )  # how names group layers is not what they are
        return plain


@layer
class Repeat(Layer):
    """The same block ``count`` times, each on the output of the one before; it keeps the shape.

    With a ``period`` above 1 the block is a chain of so many blocks that take turns, named from "0".
    """

    block: Layer
    count: int
    period: int = 1

    def params(self, x: Shape) -> int:
        return self.count * self.block.params(x)

    def macs(self, x: Shape) -> int:
        return self.count * self.block.macs(x)

    def field(self) -> Field:
        field = self.block.field()
        widest = None if field.widest is None else _powered(field.widest, self.count)
        return Field(widest, _powered(field.narrowest, self.count))

    def seen(self, pixels: Interval) -> Interval:
        if type(self.count) is int:
            for _ in range(self.count):
                pixels = self.block.seen(pixels)
            return pixels
        for index in range(largest(self.count)):
            further = self.block.seen(pixels)
            there = smaller(larger(self.count - index, 0), 1)
            pixels = Interval(*(there * one + (1 - there) * other for one, other in zip(further, pixels, strict=True)))
        return pixels

    def live(self, x: Shape) -> Live:
        live, there = self.block.live(x).repeated(self.count), smaller(self.count, 1)
        return Live(live.extra * there, live.output * there)

    def live_after(self, x: Shape) -> Live:
        """As ``live``, where a layer of the same output ran before and its output is counted already."""
        live = self.block.live(x)
        return Live(live.extra * smaller(self.count, 1), live.output)

    def trace(self, path: str, x: Shape, copies: Copies, rows: list[Row]) -> Shape:
        copies = Copies(copies.count * self.count, path.count("."), self.period)
        if self.period == 1:
            return self.block.trace(path, x, copies, rows)
        folder, _, first = path.rpartition(".")
        for name, block in self.turns():
            x = block.trace(f"{folder}.{int(first) + int(name)}", x, copies, rows)
        return x

    def turns(self) -> tuple[Named, ...]:
        """The blocks that take turns, by their index among themselves."""
        if self.period == 1:
            return (("0", self.block),)
        assert isinstance(self.block, Chain)
        return self.block.children

    def signature(self) -> list[Any]:
        return ["Repeat", self.count, self.block.signature()]


@layer
class Residual(Layer):
    """``x + f(x)``: a branch whose children stand at the block's own path, an identity or projection shortcut, what comes after.

    Drop path belongs to it too; its rate rises block by block and is the builder's to know.
    """

    branch: Chain
    scale: LayerScale | None = None
    shortcut: Chain | None = None
    after: Chain | None = None

    def output(self, x: Shape) -> Shape:
        return self.branch.output(x)

    def params(self, x: Shape) -> int:
        params = self.branch.params(x)
        if self.scale is not None:
            params = params + self.scale.params(self.branch.output(x))
        return params if self.shortcut is None else params + self.shortcut.params(x)

    def macs(self, x: Shape) -> int:
        return self.branch.macs(x) if self.shortcut is None else self.branch.macs(x) + self.shortcut.macs(x)

    def field(self) -> Field:
        shortcut = POINTWISE if self.shortcut is None else self.shortcut.field()
        return self.branch.field().beside(shortcut)

    def seen(self, pixels: Interval) -> Interval:
        shortcut = pixels if self.shortcut is None else self.shortcut.seen(pixels)
        return self.branch.seen(pixels).hull(shortcut)

    def live(self, x: Shape) -> Live:
        size = self.branch.output(x).elements
        branch = self.branch.live(x)
        extra, held = branch.extra, branch.output
        if self.shortcut is not None:
            shortcut = self.shortcut.live(x)
            extra = larger(extra, held + shortcut.extra)
            held = held + shortcut.output
        if not self.branch.gives_own_map():  # otherwise the sum is written over the branch's output
            extra = larger(extra, held + size)
        if self.after is not None:
            extra = larger(extra, size + self.after.live_behind(self, self.branch.output(x)).extra)
        return Live(extra, size)

    def gives_own_map(self) -> bool:
        return True

    def trace(self, path: str, x: Shape, copies: Copies, rows: list[Row]) -> Shape:
        y = self.branch.trace(path, x, copies, rows)
        if self.scale is not None:
            self.scale.trace(f"{path}.gamma", y, copies, rows)
        if self.shortcut is not None:
            self.shortcut.trace(f"{path}.shortcut", x, copies, rows)
        if self.after is not None:
            self.after.trace(path, y, copies, rows)
        return y

    def signature(self) -> list[Any]:
        parts = (self.branch, self.scale, self.shortcut, self.after)
        return ["Residual", *(None if part is None else part.signature() for part in parts)]


@layer
class Gate(Layer):
    """``x * f(x)`` with one factor a channel: squeeze-excite (Hu et al., 2018, arXiv:1709.01507)."""

    branch: Chain

    def params(self, x: Shape) -> int:
        return self.branch.params(x)

    def macs(self, x: Shape) -> int:
        return self.branch.macs(x)

    def field(self) -> Field:
        return Field(None, POINT)

    def live(self, x: Shape) -> Live:
        branch = self.branch.live(x)
        return Live(larger(branch.extra, branch.output + x.elements), x.elements)

    def gives_own_map(self) -> bool:
        return True

    def trace(self, path: str, x: Shape, copies: Copies, rows: list[Row]) -> Shape:
        self.branch.trace(path, x, copies, rows)
        return x

    def signature(self) -> list[Any]:
        return ["Gate", self.branch.signature()]


def is_in_place(before: Layer | None, child: Layer) -> bool:
    """Whether a layer writes over its input at inference, which the layer before it in the same chain gave."""
    return before is not None and child.writes_over() and before.gives_own_map()


def chain(items: Iterable[Named]) -> Chain:
    """A chain from names that may hold dots: neighbours with a common first part make a chain of their own ("mlp.fc1", "mlp.fc2")."""
    children: list[Named] = []
    inner: list[Named] = []
    group = ""
    for item in items:
        head, _, rest = item[0].partition(".")
        if inner and (not rest or head != group):
            children.append((group, chain(inner)))
            inner = []
        if rest:
            group = head
            inner.append((rest, item[1]))
        else:
            children.append(item)
    if inner:
        children.append((group, chain(inner)))
    return Chain(tuple(children))


def walk(tree: Layer, x: Shape, path: str = "") -> list[Row]:
    """A row for every leaf of a tree in order of execution."""
    rows: list[Row] = []
    tree.trace(path, x, Copies(), rows)
    return rows


def _total(children: tuple[Named, ...], x: Shape, fact: str) -> int:
    total = 0
    for _, child in children:
        total = total + getattr(child, fact)(x)
        x = child.output(x)
    return total


def _powered(window: Window, count: int) -> Window:
    """The window of ``count`` layers of stride 1 in a row."""
    return Window(1 + (window.size - 1) * count, 1, window.start * count)


def _left(output: int, held: int) -> int:
    """What a chain holds after a child: the child's output, or still the one before where the child gives a view of it."""
    return held if type(output) is int and output == 0 else output
