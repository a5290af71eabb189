"""What the tensors of a network are for: each one's stage, block and role, and what its shape does not say. Read off a design's layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

from convlab.language.blocks import Block
from convlab.language.design import HEAD_NAMES, Design, Part, lower
from convlab.layers import (
    Attention,
    Chain,
    Convolution,
    Depthwise,
    Layer,
    Repeat,
    Row,
    Shape,
    SpaceToDepth,
    Tokens,
    walk,
)
from convlab.weights.inheritance.blocks import NORM_LAYERS, Leaf, leaves_of
from convlab.weights.inheritance.branches import Branch, branches_of
from convlab.weights.inheritance.resizing import Wiring


@final
class Address(NamedTuple):
    """What a tensor is for: the section (stem, downsample, block, head), stage and block where there are any, and the role there."""

    section: str
    stage: int
    block: int
    role: str


@final
class Site(NamedTuple):
    """A tensor's address with what its shape does not say: the wiring, and the grid of a position embedding."""

    address: Address
    wiring: Wiring = Wiring()
    grid: tuple[int, int] = (0, 0)


@final
class StageAnatomy(NamedTuple):
    """A stage as its blocks are matched: every ``period`` of them repeats, and the first may take channels of the stage before."""

    depth: int
    width: int
    period: int = 1
    enters: bool = False


@final
@dataclass(frozen=True)
class Anatomy:
    """The tensors of a network by name, its stages, and the residual branches of its blocks by stage and block."""

    sites: Mapping[str, Site]
    stages: tuple[StageAnatomy, ...]
    branches: Mapping[tuple[int, int], tuple[Branch, ...]]


class _Found(NamedTuple):
    """What is gathered while the parts are walked through."""

    leaves: dict[str, tuple[Address, Leaf]]
    stages: list[StageAnatomy]
    branches: dict[tuple[int, int], tuple[Branch, ...]]


def anatomy_of(design: Design, names: Iterable[str]) -> Anatomy:
    """The anatomy of a design whose tensors have these names; names that belong to no layer of it are left out."""
    found = _Found({}, [], {})
    x = design.image.shape
    head_channels = "stream"
    for part in lower(design).parts:
        if part.head:
            head_channels = _head(part, design.names, head_channels, x, found)
        elif part.path == "stem":
            _add(_stem(part.tree, x), ("stem", -1, -1), found)
        else:
            _stage(part, design, x, found)
        x = part.tree.output(x)
    sites = ((name, _site(name, found.leaves)) for name in names)
    return Anatomy({name: site for name, site in sites if site}, tuple(found.stages), found.branches)


def _add(leaves: Iterable[Leaf], where: tuple[str, int, int], found: _Found) -> None:
    """Add the layers of one place; a second one of the same role is numbered."""
    seen: Counter[str] = Counter()
    for leaf in leaves:
        seen[leaf.role] += 1
        role = leaf.role if seen[leaf.role] == 1 else f"{leaf.role} {seen[leaf.role]}"
        found.leaves[leaf.path] = (Address(*where, role), leaf)


def _site(name: str, leaves: Mapping[str, tuple[Address, Leaf]]) -> Site | None:
    """The site of a tensor: that of the layer whose path its name begins with."""
    path = name
    while path and path not in leaves:
        path = path.rpartition(".")[0]
    if not path:
        return None
    address, leaf = leaves[path]
    rest = name[len(path) + 1 :]
    address = address._replace(role=f"{address.role}.{rest}" if rest else address.role)
    grid = leaf.input[1:] if isinstance(leaf.layer, Tokens) else (0, 0)
    return Site(address, _wiring(leaf, rest, address), grid)


def _wiring(leaf: Leaf, tensor: str, address: Address) -> Wiring:
    layer = leaf.layer
    if isinstance(layer, Attention):
        return Wiring(pieces_out=3 if tensor.startswith("qkv.") else 1)
    if address.role.startswith("merging."):
        pieces = int(address.role.split(".")[1].removeprefix("of")) ** 2
        return Wiring(pieces_out=pieces) if ".norm." in address.role else Wiring(pieces_in=pieces)
    if isinstance(layer, Depthwise):
        return Wiring(groups=leaf.input.channels, before=(layer.kernel_size - 1) // 2)
    if isinstance(layer, Convolution):
        before = (layer.kernel_size - 1) // 2 if layer.same else 0
        stride = 1 if address.section == "block" else layer.stride
        return Wiring(layer.groups, before, stride, reads_image=address.role == "first.weight")
    return Wiring()


def _stem(tree: Layer, x: Shape) -> Iterator[Leaf]:
    """The stem's layers by what they are and the convolutions before them; the first convolution sees the image."""
    rows = walk(tree, x, "stem")
    for row, number in _numbered(rows):
        yield Leaf(row.path, "first" if number.startswith("convolution 0") else number, row.layer, row.input)


def _numbered(rows: Sequence[Row]) -> Iterator[tuple[Row, str]]:
    """Layers with what they are, how many convolutions come before them and how many there are."""
    total = sum(row.layer.multiplies for row in rows)
    before = 0
    for row in rows:
        kind = "convolution" if row.layer.multiplies else "norm" if isinstance(row.layer, NORM_LAYERS) else _plain(row)
        yield row, f"{kind} {before} of {total}" if kind != "tokens" else kind
        before += row.layer.multiplies


def _plain(row: Row) -> str:
    return type(row.layer).__name__.lower()


def _head(part: Part, names: str, channels: str, x: Shape, found: _Found) -> str:
    """Add a layer of the head; what it gives: the stage's channels, those of the head's convolution, or hidden ones."""
    named = {path: role for role, path in HEAD_NAMES[names].items()}
    for row in walk(part.tree, x, part.path):
        role = named[row.path].removesuffix("_before")
        _add([Leaf(row.path, f"{channels}.{role}", row.layer, row.input)], ("head", -1, -1), found)
        channels = {"convolution": "convolution", "hidden": "hidden"}.get(role, channels)
    return channels


def _stage(part: Part, design: Design, x: Shape, found: _Found) -> None:
    """Add a part with a stage: its downsampling, its blocks, or both."""
    stage = len(found.stages)
    assert isinstance(part.tree, Chain)
    whole = part.tree.children if part.path.startswith("stages.") else ((part.path, part.tree),)
    prefix = f"{part.path}." if part.path.startswith("stages.") else ""
    for name, tree in whole:
        assert isinstance(tree, Chain)
        if name == "downsample":
            _add(_downsample(tree, x, prefix + name), ("downsample", stage, -1), found)
        else:
            _blocks(tree, design.stages[stage].block, (prefix + name, x), found)
        x = tree.output(x)


def _downsample(tree: Chain, x: Shape, prefix: str) -> Iterator[Leaf]:
    """A strided convolution's roles, those after a pool and those after patches were put side by side are different ones."""
    rows = walk(tree, x, prefix)
    if sum(row.layer.multiplies for row in rows) != 1:
        yield from (Leaf(row.path, number, row.layer, row.input) for row, number in _numbered(rows))
        return
    kind, channels = "", "entry"
    for row in rows:
        if isinstance(row.layer, SpaceToDepth):
            kind = f"merging.of{row.layer.size}."
        elif row.layer.multiplies:
            whole = isinstance(row.layer, Convolution) or channels == "normed"
            channels = "stream"
            yield Leaf(row.path, f"{kind}{'convolution' if whole else 'pointwise'}", row.layer, row.input)
        elif isinstance(row.layer, NORM_LAYERS):
            yield Leaf(row.path, f"{kind}{channels}.norm", row.layer, row.input)
            channels = "normed" if channels == "entry" else channels
        else:
            yield Leaf(row.path, f"{kind}{channels}.{_plain(row)}", row.layer, row.input)


def _blocks(tree: Chain, block: Block, place: tuple[str, Shape], found: _Found) -> None:
    """Add a stage's blocks, each instance of a repeated one by itself."""
    path, x = place
    stage, index, period = len(found.stages), 0, 1
    enters = False
    for _, child in tree.children:
        turns = child.turns() if isinstance(child, Repeat) else (("0", child),)
        count = child.count if isinstance(child, Repeat) else 1
        period = max(period, len(turns))
        for _ in range(count):
            for _, one in turns:
                enters = enters or (index == 0 and one.output(x) != x)
                leaves = leaves_of(one, block, x, enters=one.output(x) != x)
                here = f"{path}.{index}"
                _add((leaf._replace(path=f"{here}.{leaf.path}") for leaf in leaves), ("block", stage, index), found)
                found.branches[stage, index] = branches_of(one, here)
                index += 1
                x = one.output(x)
    found.stages.append(StageAnatomy(index, x.channels, period, enters))
