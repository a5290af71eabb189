"""Kinds: how a layer of each kind of call is drawn, from three numbers between 0 and 1."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from convlab.layers import (
    ACTIVATIONS,
    Activation,
    Attention,
    AveragePool,
    BatchNorm,
    Chain,
    Convolution,
    Depthwise,
    Gate,
    GlobalAveragePool,
    GlobalMaxPool,
    GlobalResponseNorm,
    GroupNorm,
    Layer,
    LayerNorm,
    LayerScale,
    Linear,
    MaxPool,
    Parallel,
    Pointwise,
    Residual,
    RMSNorm,
    Shape,
    Split,
)

SIDES = (56, 14, 28, 7, 112, 8, 16, 32, 10, 64, 20, 12)
RATIOS = (4.0, 0.25, 1.0, 2.0, 6.0, 1 / 6, 0.5, 3.0)
GROUP_WIDTHS = (8, 16, 32, 24, 4, 48, 64, 12)
EMPTY = Chain(())

Draw = Callable[[float, float, float], tuple[Layer, Shape]]
"""A layer and its input from three numbers between 0 and 1."""


def _pick(choices: tuple[Any, ...], place: float) -> Any:
    return choices[int(place * len(choices))]


def _map(place: float, size: float, *, multiple: int = 8, low: float = 12.0, high: float = 200.0) -> Shape:
    """A map as networks have them: the smaller, the more channels."""
    side = _pick(SIDES, place)
    channels = low * (high / low) ** size * 56 / side
    return Shape(max(multiple, min(4096, round(channels / multiple) * multiple)), side, side)


def _out(x: Shape, place: float) -> int:
    """A width to go to, in the proportions in which blocks expand and shrink."""
    return max(8, min(4096, round(x.channels * float(_pick(RATIOS, place)) / 8) * 8))


def _linear(one: float, two: float, three: float) -> tuple[Layer, Shape]:
    x = _map(one, two)
    return Pointwise(_out(x, three), bias=True, form="linear"), x


def _pointwise(one: float, two: float, three: float) -> tuple[Layer, Shape]:
    x = _map(one, two)
    return Pointwise(_out(x, three)), x


def _pointwise_strided(one: float, two: float, three: float) -> tuple[Layer, Shape]:
    x = _map(one, two)
    return Convolution(_out(x, 0.3 + 0.6 * three), 1, stride=2), x


def _of_a_vector(form: str) -> Draw:
    def draw(one: float, two: float, three: float) -> tuple[Layer, Shape]:
        channels = 8 * round(2 * 256**one)
        width = max(4, min(8192, round(channels * 16 ** (2 * two - 1))))
        if form == "head":
            return Linear(1000 if three > 0.5 else width), Shape(channels, 1, 1)
        return Pointwise(width, bias=True, form=form), Shape(channels, 1, 1)

    return draw


def _convolution(kernel_sizes: tuple[int, ...], strides: tuple[int, ...]) -> Draw:
    def draw(one: float, two: float, three: float) -> tuple[Layer, Shape]:
        x = _map(one, two, high=100.0)
        kernel_size, stride = _pick(kernel_sizes, three), _pick(strides, 3 * three % 1)
        return Convolution(_out(x, 7 * three % 1), kernel_size, stride=stride), x

    return draw


def _patches(one: float, two: float, three: float) -> tuple[Layer, Shape]:
    x = _map(one, two)
    return Convolution(round(x.channels * (1 + two) / 8) * 8, 2, stride=2, bias=True, same=False), x


def _of_an_image(patches: bool) -> Draw:
    def draw(one: float, two: float, three: float) -> tuple[Layer, Shape]:
        side = _pick((224, 64, 128, 288, 192, 32, 256, 96), one)
        width = 8 * round(2 * 20**two)
        if patches:
            size = _pick((4, 2, 16, 4, 8), three)
            return Convolution(width, size, stride=size, bias=True, same=False), Shape(3, side, side)
        size, stride = _pick(((3, 2), (7, 2), (3, 1), (7, 4), (3, 2)), three)
        return Convolution(width, size, stride=stride), Shape(3, side, side)

    return draw


def _grouped(stride: int) -> Draw:
    def draw(one: float, two: float, three: float) -> tuple[Layer, Shape]:
        x = _map(one, two)
        group_width = _pick(GROUP_WIDTHS, three)
        channels = max(2, round(x.channels / group_width)) * group_width
        kernel_size = 5 if 5 * three % 1 > 0.8 else 3
        return Convolution(channels, kernel_size, stride=stride, groups=channels // group_width), x._replace(
            channels=channels
        )

    return draw


def _depthwise(kernel_sizes: tuple[int, ...], stride: int) -> Draw:
    def draw(one: float, two: float, three: float) -> tuple[Layer, Shape]:
        x = _map(one, two, high=400.0)
        return Depthwise(_pick(kernel_sizes, three), stride=stride, bias=5 * three % 1 > 0.5), x

    return draw


def _same(make: Callable[[float], Layer]) -> Draw:
    """A layer that keeps the shape."""

    def draw(one: float, two: float, three: float) -> tuple[Layer, Shape]:
        return make(three), _map(one, two, high=600.0)

    return draw


def _attention(window: int, shifted: bool) -> Draw:
    def draw(one: float, two: float, three: float) -> tuple[Layer, Shape]:
        heads = 1 + round(15 * two)
        width = 32 if window or three > 0.6 else 64
        side = _pick((14, 7, 28, 56, 8, 16) if window else (14, 7, 16, 8, 24), one)
        x = Shape(heads * width, side, side)
        return Attention(heads, window, shifted=shifted, relative_position=window > 0), x

    return draw


def _activation(name: str, _: float) -> Layer:
    return Activation(name)


KINDS: dict[str, Draw] = {
    "linear": _linear,
    "pointwise": _pointwise,
    "pointwise, strided": _pointwise_strided,
    "linear of a vector": _of_a_vector("head"),
    "pointwise of a vector": _of_a_vector("conv"),
    "convolution 3x3": _convolution((3,), (1,)),
    "convolution 3x3, strided": _convolution((3,), (2,)),
    "convolution 5x5": _convolution((5, 7, 4), (1,)),
    "convolution 5x5, strided": _convolution((5, 7, 4), (2,)),
    "convolution, patches": _patches,
    "convolution of an image": _of_an_image(False),
    "convolution of an image, patches": _of_an_image(True),
    "grouped convolution": _grouped(1),
    "grouped convolution, strided": _grouped(2),
    "depthwise 3x3": _depthwise((3,), 1),
    "depthwise 3x3, strided": _depthwise((3,), 2),
    "depthwise 5x5": _depthwise((5,), 1),
    "depthwise 5x5, strided": _depthwise((5,), 2),
    "depthwise 7x7": _depthwise((7,), 1),
    "depthwise 7x7, strided": _depthwise((7,), 2),
    "depthwise 9x9": _depthwise((9, 11, 13, 21, 31), 1),
    "attention": _attention(0, False),
    "attention in windows": _attention(7, False),
    "attention in windows, shifted": _attention(7, True),
    "batch norm": _same(lambda _: BatchNorm()),
    "layer norm": _same(lambda _: LayerNorm()),
    "group norm": _same(lambda _: GroupNorm()),
    "RMS norm": _same(lambda _: RMSNorm()),
    "GRN": _same(lambda _: GlobalResponseNorm()),
    "layer scale": _same(lambda _: LayerScale(1.0)),
    "residual": _same(lambda _: Residual(EMPTY)),
    "scaled residual": _same(lambda _: Residual(EMPTY, LayerScale(1.0))),
    "sum": _same(lambda _: Parallel((("0", EMPTY), ("1", EMPTY)))),
    "gate": _same(lambda _: Gate(EMPTY)),
    "copy": _same(lambda _: Split((("0", EMPTY), ("1", EMPTY)))),
    "max pool": _same(lambda three: MaxPool(*_pick(((3, 2), (2, 2)), three))),
    "average pool": _same(lambda three: AveragePool(*_pick(((3, 2), (2, 2)), three))),
    "global average pool": _same(lambda _: GlobalAveragePool()),
    "global max pool": _same(lambda _: GlobalMaxPool()),
    **{name: _same(partial(_activation, name)) for name in ACTIVATIONS},
}
"""How each kind of call is drawn."""
