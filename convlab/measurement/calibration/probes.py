"""Probes: the layers that a calibration measures, without end. Sizes of each kind are spread evenly over what networks have.

However many of them time allows to measure, they cover all kinds and the whole range of sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, cycle, islice
from typing import Any, final

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
from convlab.prediction.calls import Call, calls_of, in_training

SIDES = (56, 14, 28, 7, 112, 8, 16, 32, 10, 64, 20, 12)
RATIOS = (4.0, 0.25, 1.0, 2.0, 6.0, 1 / 6, 0.5, 3.0)
GROUP_WIDTHS = (8, 16, 32, 24, 4, 48, 64, 12)
EMPTY = Chain(())

TRIES = 200

SELDOM = frozenset(
    {
        *ACTIVATIONS,
        "group norm",
        "RMS norm",
        "copy",
        "layer scale",
        "sum",
        "max pool",
        "average pool",
        "global average pool",
        "global max pool",
        "linear of a vector",
        "depthwise 7x7, strided",
        "convolution 5x5, strided",
        "convolution of an image, patches",
    }
) - {"gelu", "relu", "silu"}
"""Kinds that take little of a network's time, or that few networks have."""

GROUP = 13
"""Probes that run in turn; no divisor of the number of kinds, so that neighbours and batches change from time to time."""


@final
@dataclass(frozen=True)
class Probe:
    """A layer on a batch of maps."""

    tree: Layer
    input: Shape
    batch: int

    @property
    def call(self) -> Call:
        """The call that is measured, as it is at inference."""
        (found,) = calls_of(self.tree, self.input)
        return found

    def call_of(self, task: str) -> Call:
        """The call that is measured."""
        (found,) = in_training([self.call]) if task == "training" else [self.call]
        return found


@final
@dataclass(frozen=True)
class Limits:
    """How large a probe may be: a calibration has a minute or two for all of them."""

    macs: int
    elements: int
    """Of one map, going in or out."""
    batches: tuple[int, ...]


Draw = Callable[[float, float, float], tuple[Layer, Shape]]
"""A layer and its input from three numbers between 0 and 1."""


def groups(limits: Limits, size: int = GROUP) -> Iterator[list[Probe]]:
    """Probes to run in turn, for ever: all kinds come up again and again, each time in other sizes; a group has one batch."""
    places = {name: _places() for name in KINDS}
    names = _in_turn()
    for batch in cycle(limits.batches):
        yield [_fitting(name, places[name], batch, limits) for name in islice(names, size)]


def _in_turn() -> Iterator[str]:
    """The kinds, those that networks seldom have every third time only."""
    for turn in count():
        yield from (name for name in KINDS if name not in SELDOM or turn % 3 == 1)


def _fitting(name: str, places: Iterator[tuple[float, ...]], batch: int, limits: Limits) -> Probe:
    """The next probe of a kind within the limits; the smallest of many where none is."""
    least, smallest = 0, None
    for place in islice(places, TRIES):
        probe = Probe(*KINDS[name](*place), batch)
        calls = calls_of(probe.tree, probe.input)
        macs = batch * sum(call.macs for call in calls)
        elements = batch * max((size for call in calls for size in (call.input, call.output)), default=0)
        if len(calls) == 1 and macs <= limits.macs and elements <= limits.elements:
            return probe
        if len(calls) == 1 and (smallest is None or macs + elements < least):
            least, smallest = macs + elements, probe
    assert smallest is not None
    return smallest


def _places() -> Iterator[tuple[float, ...]]:
    """Points that fill a cube of three dimensions evenly: Roberts' sequence, a generalisation of the golden ratio's multiples."""
    root = 1.2207440846057596  # of x^4 = x + 1
    index = 0
    while True:
        index += 1
        yield tuple((0.5 + index / root ** (axis + 1)) % 1.0 for axis in range(3))


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
