"""The calls that running a layer tree makes: what kind of work each is and how much of it, for one image.

A leaf is a call or two; the sums, products and copies of combinators are calls as well, which the table of layers does not show.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from convlab.layers import (
    Activation,
    Attention,
    AveragePool,
    Chain,
    Convolution,
    Depthwise,
    Dropout,
    FirstToken,
    Flatten,
    Gate,
    GlobalAveragePool,
    GlobalMaxPool,
    Layer,
    LayerScale,
    Linear,
    MaxPool,
    Parallel,
    Pointwise,
    Repeat,
    Residual,
    Shape,
    SpaceToDepth,
    Split,
    Tokens,
)

LANES = 16
"""Channels that a vector instruction takes at once: convolutions fill up with zeros to a multiple of it."""

IMAGE_CHANNELS = 4
"""Up to so many channels a map is an image, for which libraries have convolutions of their own."""

NORM_KINDS = {
    "BatchNorm": "batch norm",
    "LayerNorm": "layer norm",
    "GroupNorm": "group norm",
    "RMSNorm": "RMS norm",
    "GlobalResponseNorm": "GRN",
}


NEW_IN_TRAINING = frozenset({"relu6", "silu", "hardswish", "scaled residual"})
"""Kinds that write over their input at inference, and in training, where it is needed again, do not."""


class Call(NamedTuple):
    """Work of one kind. All but ``weights`` and ``calls`` grow with the batch; the figures are those of one image.

    ``macs`` are multiply-adds, ``padded`` those with channels filled up to whole vectors (of attention: those of its two products),
    ``input`` and ``output`` are elements that are read and written anew: a call in its input's place has no output,
    ``rows`` the vectors that are each worked on as one (pixels, of attention its logits), ``weights`` the numbers that are read whatever
    the batch. ``doubt`` marks a kind that stands for another one like it.
    """

    kind: str
    macs: int = 0
    padded: int = 0
    input: int = 0
    output: int = 0
    rows: int = 0
    weights: int = 0
    doubt: bool = False
    times: int = 1


@lru_cache(maxsize=512)
def calls_of(tree: Layer, x: Shape) -> tuple[Call, ...]:
    """The calls of a tree on an image of a shape in order of execution; equal ones are one, made several times."""
    found: dict[tuple[Any, ...], int] = {}
    for call in _calls(tree, x):
        once = call[:-1]
        found[once] = found.get(once, 0) + call.times
    return tuple(Call(*(*once, times)) for once, times in found.items())


def in_training(calls: Iterable[Call]) -> list[Call]:
    """The calls of a forward pass in training, where fewer write over their input; without drop path, as steps are measured."""
    found = []
    for call in calls:
        if call.kind in NEW_IN_TRAINING:
            maps = 2 if "residual" in call.kind else 1
            call = call._replace(output=call.input // maps)
        found.append(call)
    return found


def _calls(tree: Layer, x: Shape) -> list[Call]:
    match tree:
        case Chain():
            return _chain(tree, x)
        case Repeat():
            return [Call(*(*call[:-1], call.times * tree.count)) for call in _calls(tree.block, x)]
        case Residual():
            return _residual(tree, x)
        case Gate():
            return [*_calls(tree.branch, x), Call("gate", input=x.elements, output=x.elements, rows=x.channels)]
        case Parallel():
            y = tree.output(x)
            branches = [call for _, child in tree.children for call in _calls(child, x)]
            sums = [Call("sum", input=2 * y.elements, output=y.elements, times=len(tree.children) - 1)]
            return branches + sums * (len(tree.children) > 1)
        case Split():
            y = tree.output(x)
            branches = [call for _, child in tree.children for call in _calls(child, tree.share(x))]
            return [*branches, Call("copy", input=y.elements, output=y.elements)]
        case _:
            return _leaf(tree, x)


def _chain(tree: Chain, x: Shape) -> list[Call]:
    found = []
    for _, child in tree.children:
        found += _calls(child, x)
        x = child.output(x)
    return found


def _residual(tree: Residual, x: Shape) -> list[Call]:
    y = tree.branch.output(x)
    found = _calls(tree.branch, x)
    if tree.shortcut is not None:
        found += _calls(tree.shortcut, x)
    found.append(Call("residual" if tree.scale is None else "scaled residual", input=2 * y.elements))
    return found if tree.after is None else found + _calls(tree.after, y)


def _leaf(tree: Layer, x: Shape) -> list[Call]:
    match tree:
        case Convolution():
            return _convolution(tree, x)
        case Depthwise():
            return _depthwise(tree, x)
        case Pointwise():
            vector = " of a vector" * (x.positions == 1)
            kind = "linear" if tree.form == "linear" else "pointwise"
            return [_product(kind + vector, x, tree.output(x), 1)]
        case Linear():
            return [_product("linear of a vector", x, tree.output(x), 1)]
        case Attention():
            return [_attention(tree, x)]
        case Activation():
            return [Call(tree.kind, input=x.elements, output=0 if tree.writes_over() else x.elements)]
        case LayerScale():
            return [Call("layer scale", input=x.elements, output=x.elements, rows=x.positions)]
        case MaxPool() | AveragePool():
            y = tree.output(x)
            kind = "max pool" if isinstance(tree, MaxPool) else "average pool"
            return [Call(kind, macs=y.elements * tree.kernel_size**2, input=x.elements, output=y.elements)]
        case GlobalAveragePool() | GlobalMaxPool():
            kind = "global average pool" if isinstance(tree, GlobalAveragePool) else "global max pool"
            return [Call(kind, input=x.elements, output=x.channels)]
        case Tokens() | SpaceToDepth():
            y = tree.output(x)
            return [Call("copy", input=x.elements, output=y.elements, rows=y.positions)]
        case Flatten() | FirstToken() | Dropout():
            return []
        case _:
            kind = NORM_KINDS[type(tree).__name__]
            return [Call(kind, input=x.elements, output=x.elements, rows=x.positions)]


def _product(kind: str, x: Shape, y: Shape, taps: int) -> Call:
    """A matrix product at every position of the output, with the channels of so many taps together."""
    filled = _filled(x.channels) * _filled(y.channels) * taps * y.positions
    macs = x.channels * y.elements * taps
    return Call(kind, macs, filled, x.elements, y.elements, y.positions, x.channels * y.channels * taps)


def _convolution(tree: Convolution, x: Shape) -> list[Call]:
    y, groups, taps = tree.output(x), tree.groups, tree.kernel_size**2
    padding = _padding(tree.before, tree.after, x)
    weights = x.channels // groups * y.channels * taps
    macs = x.channels // groups * y.elements * taps
    filled = groups * _filled(x.channels // groups) * _filled(y.channels // groups) * taps * y.positions
    kind = _convolution_kind(tree, x)
    doubt = tree.dilation > 1
    return [*padding, Call(kind, macs, filled, x.elements, y.elements, y.positions, weights, doubt)]


def _convolution_kind(tree: Convolution, x: Shape) -> str:
    if tree.groups > 1:
        return "grouped convolution" + ", strided" * (tree.stride > 1)
    if x.channels <= IMAGE_CHANNELS:
        return "convolution of an image" + ", patches" * (tree.kernel_size == tree.stride)
    if tree.kernel_size == 1:
        vector = " of a vector" * (x.positions == 1)
        return "pointwise, strided" if tree.stride > 1 else "pointwise" + vector
    if tree.kernel_size == tree.stride:
        return "convolution, patches"
    return f"convolution {'3x3' if tree.kernel_size <= 3 else '5x5'}" + ", strided" * (tree.stride > 1)


def _depthwise(tree: Depthwise, x: Shape) -> list[Call]:
    y, taps = tree.output(x), tree.kernel_size**2
    padding = _padding((tree.span - 1) // 2, tree.span // 2, x)
    size = next((size for size in (3, 5, 7) if tree.kernel_size <= size), 9)
    kind = f"depthwise {size}x{size}" + ", strided" * (tree.stride > 1)
    macs = y.elements * taps
    filled = y.positions * _filled(x.channels) * taps
    doubt = tree.dilation > 1
    call = Call(kind, macs, filled, x.elements, y.elements, y.elements * tree.kernel_size, x.channels * taps, doubt)
    return [*padding, call]


def _padding(before: int, after: int, x: Shape) -> list[Call]:
    """The copy that uneven padding needs."""
    if before == after:
        return []
    padded = x.channels * (x.height + before + after) * (x.width + before + after)
    return [Call("copy", input=x.elements, output=padded)]


def _attention(tree: Attention, x: Shape) -> Call:
    """Projections and products of attention as one call."""
    tiling = tree.tiling(x)
    kind = "attention" if tree.is_global else "attention in windows"
    if not tree.is_global:
        kind += ", shifted" * (tree.shifted and tiling.windows > 1)
    projections = 4 * tiling.padded * x.channels**2
    products = 2 * tiling.padded * tiling.pixels * x.channels
    logits = tree.heads * tiling.padded * tiling.pixels
    elements = tiling.padded * x.channels
    return Call(kind, projections, products, elements, elements, logits, 4 * x.channels**2)


def _filled(channels: int) -> int:
    return -(-channels // LANES) * LANES
