"""How what is written as layers in the file (a block, a stem, a downsampling) becomes a tree: branches, where the stride goes, names."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from typing import Any, NamedTuple

from convlab.errors import quote
from convlab.language.blocks import Block
from convlab.language.layer_text import BRACKETS_OF_LAYERS, Argument, Call, Times, parse_layer, values
from convlab.language.lowering import Adjustment, Check, Lowered, Place, activation, norm, off, residual, squeeze_excite
from convlab.language.transformer import attention_of
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
    Split,
    chain,
)
from convlab.layers.shape import rounded

STRIDED = ("depthwise", "conv", "max_pool", "average_pool")


class _Made(NamedTuple):
    """Layers made of calls, the channels that go out, and the stride that is still to be placed."""

    items: list[Named]
    channels: Any
    stride: int


def lower_custom(block: Block, place: Place, path: str) -> Lowered:
    """The layers of a block written as layers. Every branch is a residual one, unless the block's shortcut is "none"."""
    notes = _Notes(f"{path}.branches" if block.branches else f"{path}.branch", [], [])
    trees: list[Named] = []
    for index, branch in enumerate(block.branches or (block.branch,)):
        here = notes.at(index) if block.branches else notes
        calls = [parse_layer(text) for text in branch]
        scale: Any = 0.0
        if calls and calls[-1].name == "layer_scale":
            scale = values(calls.pop()).get("initial", 1e-6)
        scaled = dataclasses.replace(block, activation_after=(), layer_scale=scale)
        trees.append((f"branch{index}", residual(scaled, place, _ended(calls, block, place, here))))
        place = place._replace(width_in=place.width, stride=1, same_width=True)
    tree = trees[0][1] if len(trees) == 1 else Chain(tuple(trees))
    return Lowered(tree, tuple(notes.checks), tuple(notes.adjustments))


def lower_layers(block: Block, place: Place, path: str) -> Lowered:
    """A stem or a downsampling written as layers: those of a block's branch without its shortcut, named by their index."""
    notes = _Notes(f"{path}.branch", [], [], "stem" if path == "stem" else "stage")
    items = _ended([parse_layer(text) for text in block.branch], block, place, notes)
    tree = Chain(tuple((str(index), layer) for index, (_, layer) in enumerate(items)))
    return Lowered(tree, tuple(notes.checks), tuple(notes.adjustments))


def own_stride(call: Call) -> int:
    """The stride that is written at a layer or at those inside its brackets; branches side by side have one stride."""
    if call.name not in BRACKETS_OF_LAYERS:
        stride: Any = values(call).get("stride", 1)
        return int(stride)
    inner = [own_stride(item) for item in call.arguments if isinstance(item, Call)]
    return math.prod(inner) if call.name == "chain" else inner[0]


def _ended(calls: list[Call], block: Block, place: Place, notes: _Notes) -> list[Named]:
    """Layers in order that carry the stride and end with the width of their place."""
    for item, call in enumerate(calls):
        if own_stride(call) != 1 and notes.noun != "stem":
            help = "a stage's stride is carried by the first layer that can: depthwise, conv and pools"
            notes.at(item).fail("only the layers of a stem have strides of their own", (), help)
    before = len(notes.checks)
    made = _made([(call, notes.at(item)) for item, call in enumerate(calls)], block, place)
    if made.stride != 1:
        del notes.checks[before:]  # what else does not fit may follow from this
        other = "; or choose a downsampling of another kind than in_block" if notes.noun == "block" else ""
        notes.fail(
            "no layer of the branch can carry the stride {0}", (made.stride,), f"depthwise, conv and pools can{other}"
        )
    else:
        help = f"let the last layer have the {notes.noun}'s width: pointwise(1x)"
        message = f"the branch ends with width {{0}}, the {notes.noun} has {{1}}"
        sizes = (made.channels, place.width)
        notes.at(max(0, len(calls) - 1)).check("bad-layer", made.channels == place.width, message, sizes, help)
    return made.items


class _Notes(NamedTuple):
    """What is noticed while layers are made, the path of what is being made, and what has its width."""

    path: str
    checks: list[Check]
    adjustments: list[Adjustment]
    noun: str = "block"

    def at(self, index: int) -> _Notes:
        """The same notes for one item of the list at the path."""
        return self._replace(path=f"{self.path}.{index}")

    @property
    def place(self) -> str:
        """The path of the block, stem or downsampling whose layers are made."""
        return self.path.partition(".branch")[0]

    def check(self, code: str, holds: Any, message: str, given: tuple[Any, ...], help: str) -> None:
        self.checks.append(Check(self.path, code, holds, message, given, help))

    def fail(self, message: str, given: tuple[Any, ...], help: str) -> None:
        self.check("bad-layer", False, message, given, help)

    def width(self, written: Argument, width: Any) -> Any:
        if not isinstance(written, Times):
            return written
        asked = written.factor * width
        self.adjustments.append(Adjustment(self.path, asked, rounded(asked)))
        return rounded(asked)


def _made(calls: list[tuple[Call, _Notes]], block: Block, place: Place) -> _Made:
    """Layers in order; the first that can carry the stride does."""
    channels, stride = place.width_in, place.stride
    items: list[Named] = []
    counts = Counter(call.name for call, _ in calls)
    seen: Counter[str] = Counter()
    same_width = place.same_width
    for call, notes in calls:
        seen[call.name] += 1
        name = f"{call.name}{seen[call.name]}" if counts[call.name] > 1 else call.name
        here = place._replace(width_in=channels, stride=stride if _carries(call) else 1, same_width=same_width)
        if call.name == "layer_scale":
            notes.fail("layer_scale stands at the end of a branch", (), 'let "layer_scale" be the last layer')
        layer, channels = _layer(call, block, here, notes)
        if here.stride != 1:
            stride = 1
        same_width = same_width or _says_width(call)
        items.append((name, layer))
    return _Made(items, channels, stride)


def _layer(call: Call, block: Block, place: Place, notes: _Notes) -> tuple[Layer, Any]:
    """The layer that a call says, and the channels that go out of it."""
    channels, given = place.width_in, values(call)
    kernel_size: Any = given.get("kernel_size", block.kernel_size)
    dilation: Any = given.get("dilation", 1)
    dilation = dilation * (place.first_dilation if place.stride != 1 else place.dilation)
    stride: Any = given.get("stride", 1)
    stride = stride * place.stride
    match call.name:
        case "depthwise":
            return Depthwise(kernel_size, stride, dilation, block.bias), channels
        case "conv":
            width = notes.width(given.get("width", Times(1.0)), place.width)
            groups: Any = given.get("groups", 1)
            for what, size in (("incoming width", channels), ("width", width)):
                message = f"groups {{0}} do not divide the {what} {{1}}"
                help = "choose a divisor of the width, or another width"
                notes.check("groups-do-not-divide", size % groups == 0, message, (groups, size), help)
            return Convolution(width, kernel_size, stride, dilation, groups, block.bias), width
        case "pointwise":
            width = notes.width(given["width"], place.width)
            return Pointwise(width, block.bias, block.pointwise), width
        case "max_pool" | "average_pool":
            pool = MaxPool if call.name == "max_pool" else AveragePool
            return pool(kernel_size, stride), channels
        case "attention" | "window_attention":
            own: dict[str, Any] = {"window": 0, "shift": False, **given}
            attention, check = attention_of(dataclasses.replace(block, **own), channels, notes.place)
            said_here = "heads" in given or off(block.heads) or notes.noun != "block"
            notes.checks.append(check._replace(path=notes.path) if said_here else check)
            return attention, channels
        case "squeeze_excite":
            ratio: Any = given["ratio"]
            return squeeze_excite(ratio, channels, channels, block.activation), channels
        case "dropout":
            rate: Any = given["rate"]
            return Chain(()) if off(rate) else Dropout(rate), channels
        case "grn":
            return GlobalResponseNorm(), channels
        case "norm":
            return norm(_kind(given, block.norm), place.norm_eps) or Chain(()), channels
        case "activation":
            return activation(_kind(given, block.activation)) or Chain(()), channels
        case "parallel":
            return _parallel(call, block, place, notes)
        case "split":
            return _split(call, block, place, notes)
        case "chain":
            made = _made([(item, notes) for item in call.arguments if isinstance(item, Call)], block, place)
            return chain(made.items), made.channels
        case _:
            return Chain(()), channels  # identity; layer_scale was taken off, or is reported


def _kind(given: dict[str, Argument], default: str) -> str:
    kind = given.get("kind")
    return kind.name if isinstance(kind, Call) else default


def _parallel(call: Call, block: Block, place: Place, notes: _Notes) -> tuple[Layer, Any]:
    """Branches that see the same input; where the block's shape changes, those that keep it (an identity, a norm) are left out."""
    written = [item for item in call.arguments if isinstance(item, Call)]
    branches = [item for item in written if place.stride == 1 or _carries(item)]
    stuck = [item.name for item in written if item not in branches and not _passes(item)]
    if stuck and branches:
        help = "depthwise, conv and pools can: write conv(1, 1x) for pointwise(1x)"
        notes.fail("the branch {0} in parallel cannot carry the stride {1}", (quote(stuck[0]), place.stride), help)
    if not place.same_width and any(map(_says_width, branches)):
        branches = [item for item in branches if not _passes(item)]
    _equal_strides(branches, notes)
    first, *others = made = [_made([(item, notes)], block, place) for item in branches]
    for other in others:
        message = "branches in parallel end with widths {0} and {1}"
        sizes = (first.channels, other.channels)
        notes.check("bad-layer", first.channels == other.channels, message, sizes, "give all branches one width")
    children = tuple((str(index), Chain(tuple(branch.items))) for index, branch in enumerate(made))
    return Parallel(children), first.channels


def _split(call: Call, block: Block, place: Place, notes: _Notes) -> tuple[Layer, Any]:
    """Branches that share the channels. Their pointwise layers are convolutions, which take a share as it lies in memory."""
    branches = [item for item in call.arguments if isinstance(item, Call)]
    _equal_strides(branches, notes)
    count = len(branches)
    message, help = "{0} branches do not divide the incoming width {1}", "choose as many branches as divide the width"
    notes.check("groups-do-not-divide", place.width_in % count == 0, message, (count, place.width_in), help)
    inner = place._replace(width_in=place.width_in // count)
    as_convolutions = dataclasses.replace(block, pointwise="conv")
    made = [_made([(item, notes)], as_convolutions, inner) for item in branches]
    if any(branch.stride != 1 for branch in made):
        notes.fail("a branch of split cannot carry the stride {0}", (place.stride,), "depthwise, conv and pools can")
    children = tuple((str(index), Chain(tuple(branch.items))) for index, branch in enumerate(made))
    return Split(children), sum(branch.channels for branch in made)


def _equal_strides(branches: list[Call], notes: _Notes) -> None:
    strides = [own_stride(branch) for branch in branches]
    message, help = "branches side by side have strides {0} and {1}", "give all branches one stride"
    notes.check("bad-layer", min(strides) == max(strides), message, (min(strides), max(strides)), help)


def _passes(call: Call) -> bool:
    """Whether a layer changes no shape and mixes no channels."""
    inner = (item for item in call.arguments if isinstance(item, Call))
    return (
        all(map(_passes, inner)) if call.name == "chain" else call.name in ("identity", "norm", "activation", "dropout")
    )


def _says_width(call: Call) -> bool:
    """Whether a layer has a width of its own, whatever comes in."""
    inner = (item for item in call.arguments if isinstance(item, Call))
    return any(map(_says_width, inner)) if call.name in BRACKETS_OF_LAYERS else call.name in ("conv", "pointwise")


def _carries(call: Call) -> bool:
    """Whether a layer can carry a stride."""
    inner = (item for item in call.arguments if isinstance(item, Call))
    return any(map(_carries, inner)) if call.name in BRACKETS_OF_LAYERS else call.name in STRIDED
