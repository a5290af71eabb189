"""Combinators of branches side by side: those that see the same input and are summed, and those that share the channels."""

from __future__ import annotations

from functools import reduce
from typing import Any

from convlab.layers.layer import Copies, Field, Layer, Live, Named, Row, layer
from convlab.layers.shape import Interval, Shape, larger


@layer
class Parallel(Layer):
    """The sum of branches that see the same input (RepVGG, large kernels)."""

    children: tuple[Named, ...]

    def output(self, x: Shape) -> Shape:
        return self.children[0][1].output(x)

    def params(self, x: Shape) -> int:
        return sum(child.params(x) for _, child in self.children)

    def macs(self, x: Shape) -> int:
        return sum(child.macs(x) for _, child in self.children)

    def field(self) -> Field:
        return reduce(Field.beside, (child.field() for _, child in self.children))

    def seen(self, pixels: Interval) -> Interval:
        return reduce(Interval.hull, (child.seen(pixels) for _, child in self.children))

    def live(self, x: Shape) -> Live:
        size = self.output(x).elements
        extra, held = 0, 0
        for index, (_, child) in enumerate(self.children):
            live = child.live(x)
            extra = larger(extra, held + live.extra)
            if index:
                extra = larger(extra, held + live.output + size)  # the sum so far, the new branch and the new sum
            held = size if index else live.output
        return Live(extra, held)

    def trace(self, path: str, x: Shape, copies: Copies, rows: list[Row]) -> Shape:
        y = x
        for name, child in self.children:
            y = child.trace(f"{path}.{name}", x, copies, rows)
        return y

    def signature(self) -> list[Any]:
        return ["Parallel", *(child.signature() for _, child in self.children)]


@layer
class Split(Layer):
    """Branches that each see an equal share of the channels; what comes out of them is put side by side (InceptionNeXt, MixNet)."""

    children: tuple[Named, ...]

    def share(self, x: Shape) -> Shape:
        """What one branch sees."""
        return Shape(x.channels // len(self.children), x.height, x.width)

    def output(self, x: Shape) -> Shape:
        seen = self.share(x)
        shapes = [child.output(seen) for _, child in self.children]
        return Shape(sum(shape.channels for shape in shapes), shapes[0].height, shapes[0].width)

    def params(self, x: Shape) -> int:
        seen = self.share(x)
        return sum(child.params(seen) for _, child in self.children)

    def macs(self, x: Shape) -> int:
        seen = self.share(x)
        return sum(child.macs(seen) for _, child in self.children)

    def field(self) -> Field:
        return reduce(Field.beside, (child.field() for _, child in self.children))

    def seen(self, pixels: Interval) -> Interval:
        return reduce(Interval.hull, (child.seen(pixels) for _, child in self.children))

    def live(self, x: Shape) -> Live:
        seen, size = self.share(x), self.output(x).elements
        extra = held = 0
        for _, child in self.children:
            live = child.live(seen)
            extra = larger(extra, held + live.extra)
            held = held + live.output
        return Live(larger(extra, held + size), size)

    def trace(self, path: str, x: Shape, copies: Copies, rows: list[Row]) -> Shape:
        seen = self.share(x)
        for name, child in self.children:
            child.trace(f"{path}.{name}", seen, copies, rows)
        return self.output(x)

    def signature(self) -> list[Any]:
        return ["Split", *(child.signature() for _, child in self.children)]
