"""How a custom block, written as layers in the file, becomes a tree: branches, where the stride goes, names."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any, NamedTuple

from convlab.blocks import Block
from convlab.layer_text import Argument, Call, Times, parse_layer, values
from convlab.layers import (
    AveragePool,
    Chain,
    Convolution,
    Depthwise,
    Dropout,
    GlobalResponseNorm,
    Layer,
    MaxPool,
    Named,
    Parallel,
    Pointwise,
    chain,
)
from convlab.layers.shape import rounded
from convlab.lowering import Adjustment, Check, Lowered, Place, activation, norm, residual, squeeze_excite

STRIDED = ("depthwise", "conv", "max_pool", "average_pool")


class _Made(NamedTuple):
    """Layers made of calls, the channels that go out, and the stride that is still to be placed."""

    items: list[Named]
    channels: Any
    stride: int


def lower_custom(block: Block, place: Place, path: str) -> Lowered:
    """The layers of a block written as layers. Every branch is a residual one, unless the block's shortcut is "none"."""
    written = block.branches or (block.branch,)
    notes = _Notes(f"{path}.branches" if block.branches else f"{path}.branch")
    trees: list[Named] = []
    for index, branch in enumerate(written):
        calls = [parse_layer(text) for text in branch]
        scaled = dataclasses.replace(block, activation_after=())
        if calls and calls[-1].name == "layer_scale":
            initial: Any = values(calls.pop()).get("initial", block.layer_scale or 1e-6)
            scaled = dataclasses.replace(scaled, layer_scale=initial)
        else:
            scaled = dataclasses.replace(scaled, layer_scale=0.0)
        if any(call.name == "layer_scale" for call in calls):
            notes.fail("layer_scale stands at the end of a branch", ())
        made = _made(calls, block, place, notes)
        if made.stride != 1:
            notes.fail("no layer of the branch can carry the stride {0}", (made.stride,))
        notes.checks.append(
            Check(
                notes.path,
                "bad-layer",
                made.channels == place.width,
                "the branch ends with width {0}, the block has {1}",
                (made.channels, place.width),
                "let the last layer have the block's width: pointwise(1x)",
            )
        )
        trees.append((f"branch{index}", residual(scaled, place, made.items)))
        place = place._replace(width_in=place.width, stride=1, same_width=True)
    tree = trees[0][1] if len(trees) == 1 else Chain(tuple(trees))
    return Lowered(tree, tuple(notes.checks), tuple(notes.adjustments))


class _Notes:
    """What is noticed while a custom block is made."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.checks: list[Check] = []
        self.adjustments: list[Adjustment] = []

    def fail(self, message: str, given: tuple[Any, ...]) -> None:
        help = "a branch that changes the resolution needs depthwise, conv or a pool; or use separate downsampling"
        self.checks.append(Check(self.path, "bad-layer", False, message, given, help))

    def width(self, written: Argument, width: Any) -> Any:
        if not isinstance(written, Times):
            return written
        asked = written.factor * width
        self.adjustments.append(Adjustment(self.path, asked, rounded(asked)))
        return rounded(asked)


def _made(calls: list[Call], block: Block, place: Place, notes: _Notes) -> _Made:
    channels, stride = place.width_in, place.stride
    items: list[Named] = []
    counts = Counter(call.name for call in calls)
    seen: Counter[str] = Counter()
    for call in calls:
        seen[call.name] += 1
        name = f"{call.name}{seen[call.name]}" if counts[call.name] > 1 else call.name
        here = place._replace(
            width_in=channels, stride=stride if call.name in STRIDED or call.name in ("parallel", "chain") else 1
        )
        layer, channels = _layer(call, block, here, notes)
        if here.stride != 1:
            stride = 1
        items.append((name, layer))
    return _Made(items, channels, stride)


def _layer(call: Call, block: Block, place: Place, notes: _Notes) -> tuple[Layer, Any]:
    """The layer that a call says, and the channels that go out of it."""
    channels, given = place.width_in, values(call)
    kernel_size: Any = given.get("kernel_size", 1)
    dilation: Any = given.get("dilation", 1)
    dilation = dilation * (place.first_dilation if place.stride != 1 else place.dilation)
    match call.name:
        case "depthwise":
            return Depthwise(kernel_size, place.stride, dilation, block.bias), channels
        case "conv":
            width = notes.width(given.get("width", Times(1.0)), place.width)
            groups: Any = given.get("groups", 1)
            for what, size in (("width that comes in", channels), ("width", width)):
                notes.checks.append(
                    Check(
                        notes.path,
                        "groups-do-not-divide",
                        size % groups == 0,
                        "groups {0} do not divide the " + what + " {1}",
                        (groups, size),
                        "choose groups that divide it",
                    )
                )
            return Convolution(width, kernel_size, place.stride, dilation, groups, block.bias), width
        case "pointwise":
            width = notes.width(given["width"], place.width)
            return Pointwise(width, block.bias, block.pointwise), width
        case "max_pool" | "average_pool":
            if kernel_size % 2 == 0 and place.stride == 1:
                notes.fail("an even pool changes the size of the map", ())
            pool = MaxPool if call.name == "max_pool" else AveragePool
            return pool(kernel_size, place.stride), channels
        case "squeeze_excite":
            ratio: Any = given["ratio"]
            return squeeze_excite(ratio, channels, channels, block.activation), channels
        case "dropout":
            rate: Any = given["rate"]
            if rate >= 1:
                notes.fail("dropout's rate is below 1", ())
            return Dropout(rate), channels
        case "grn":
            return GlobalResponseNorm(), channels
        case "norm":
            return norm(_kind(given, block.norm)) or Chain(()), channels
        case "activation":
            return activation(_kind(given, block.activation)) or Chain(()), channels
        case "parallel":
            return _parallel(call, block, place, notes)
        case "chain":
            made = _made([item for item in call.arguments if isinstance(item, Call)], block, place, notes)
            if made.stride != 1:
                notes.fail("no layer of the chain can carry the stride {0}", (made.stride,))
            return chain(made.items), made.channels
        case _:
            return Chain(()), channels  # identity; layer_scale was taken off, or is reported


def _kind(given: dict[str, Argument], default: str) -> str:
    kind = given.get("kind")
    return kind.name if isinstance(kind, Call) else default


def _parallel(call: Call, block: Block, place: Place, notes: _Notes) -> tuple[Layer, Any]:
    """Branches that see the same input; one that cannot carry the stride (an identity) is left out where there is one."""
    made = [
        _made([item], block, place, notes) for item in call.arguments if isinstance(item, Call) and _fits(item, place)
    ]
    if not made:
        notes.fail("no branch in parallel can carry the stride {0}", (place.stride,))
        return Chain(()), place.width_in
    for other in made[1:]:
        notes.checks.append(
            Check(
                notes.path,
                "bad-layer",
                other.channels == made[0].channels,
                "branches in parallel end with widths {0} and {1}",
                (made[0].channels, other.channels),
                "all branches have one width",
            )
        )
    children = tuple((str(index), Chain(tuple(branch.items))) for index, branch in enumerate(made))
    return Parallel(children), made[0].channels


def _fits(item: Call, place: Place) -> bool:
    if place.stride == 1:
        return True
    if item.name in ("chain", "parallel"):
        return any(_fits(inner, place) for inner in item.arguments if isinstance(inner, Call))
    return item.name in STRIDED
