"""What a block diagram is made of: boxes, lines, marks and words in a plane whose unit is about a line of text, y growing downward."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, final

from convlab.layers import (
    Activation,
    Attention,
    Convolution,
    Depthwise,
    GlobalResponseNorm,
    GroupNorm,
    Layer,
    LayerNorm,
    LayerScale,
    Linear,
    Pointwise,
    RMSNorm,
    Shape,
)
from convlab.layers.norms import BatchNorm

TIMES = "\N{MULTIPLICATION SIGN}"

KINDS = ("spatial", "depthwise", "pointwise", "attention", "norm", "activation", "other")
"""What a box can be of, for its colour; its text says it as well."""


class Point(NamedTuple):
    """A place in the plane."""

    x: float
    y: float


@final
@dataclass(frozen=True, slots=True)
class Box:
    """A layer: its layer path, what stands in it, what it is of, its middle and its size, and what goes out of it."""

    path: str
    lines: tuple[str, ...]
    kind: str
    middle: Point
    width: float
    height: float
    output: Shape

    @property
    def left(self) -> float:
        """Where it begins."""
        return self.middle.x - self.width / 2

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.middle.x + self.width / 2


class Line(NamedTuple):
    """A line through points, with an arrow at its end or without."""

    points: tuple[Point, ...]
    arrow: bool = True


class Mark(NamedTuple):
    """Where branches meet: "+" a sum, a cross a product, "‖" side by side."""

    text: str
    at: Point


class Word(NamedTuple):
    """A text beside what it speaks of."""

    text: str
    at: Point


@final
@dataclass(slots=True)
class Pen:
    """Parts as they are drawn."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)

    def line(self, *points: Point, arrow: bool = True) -> None:
        """Draw a line."""
        self.lines.append(Line(points, arrow))

    def right(self, since: int = 0) -> float:
        """How far right boxes reach, from the given one on, and lines."""
        ends = [box.right for box in self.boxes[since:]]
        return max([*ends, *(point.x for line in self.lines for point in line.points)], default=0.0)

    def left(self) -> float:
        """How far left boxes and lines reach."""
        ends = [box.left for box in self.boxes]
        return min([*ends, *(point.x for line in self.lines for point in line.points)], default=0.0)


def kind_of(layer: Layer) -> str:
    """What a leaf is of."""
    match layer:
        case Depthwise():
            return "depthwise"
        case Convolution(kernel_size=1) | Pointwise() | Linear():
            return "pointwise"
        case Convolution():
            return "spatial"
        case Attention():
            return "attention"
        case BatchNorm() | LayerNorm() | GroupNorm() | RMSNorm() | GlobalResponseNorm():
            return "norm"
        case Activation():
            return "activation"
        case _:
            return "other"


def lines_of(layer: Layer, x: Shape) -> tuple[str, ...]:
    """What stands in the box of a leaf: kernel and width as papers write them, d for depthwise; of attention its three steps."""
    width = layer.output(x).channels
    match layer:
        case Depthwise():
            return (f"d{_side(layer.kernel_size)}{_marks(layer.stride, layer.dilation, 1)}, {width}",)
        case Convolution():
            return (f"{_side(layer.kernel_size)}{_marks(layer.stride, layer.dilation, layer.groups)}, {width}",)
        case Pointwise():
            return (f"1{TIMES}1, {width}",)
        case Linear():
            return (f"linear, {width}",)
        case Attention():
            where = "global attention" if layer.is_global else f"attention, windows {_side(layer.window)}"
            bias = ", rel. pos." if layer.relative_position else ""
            return (
                f"1{TIMES}1, 3 {TIMES} {width}",
                f"{where}{', shifted' * layer.shifted}",
                f"{layer.heads} heads{bias}",
                f"1{TIMES}1, {width}",
            )
        case BatchNorm():
            return ("BN",)
        case LayerNorm():
            return ("LN",)
        case GlobalResponseNorm():
            return ("GRN",)
        case LayerScale():
            return ("layer scale",)
        case _:
            return (layer.label(),)


def size_words(shape: Shape) -> str:
    """A feature map as channels, height and width."""
    return f" {TIMES} ".join(map(str, shape))


def _side(size: int) -> str:
    return f"{size}{TIMES}{size}"


def _marks(stride: int, dilation: int, groups: int) -> str:
    told = (
        [f"stride {stride}"] * (stride > 1)
        + [f"dilation {dilation}"] * (dilation > 1)
        + [f"{groups} groups"] * (groups > 1)
    )
    return "".join(f", {word}" for word in told)
