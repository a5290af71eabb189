"""The anatomy of weights whose design nobody knows: stages, blocks and roles from the names of the tensors, wiring from their shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, final

from torch import Tensor

from convlab.language.blocks import ORDERS
from convlab.language.design import HEAD_NAMES
from convlab.language.lowering import NAMES
from convlab.weights.inheritance.anatomy import Address, Anatomy, Site, StageAnatomy
from convlab.weights.inheritance.branches import Branch
from convlab.weights.inheritance.resizing import UNKNOWN, Wiring
from convlab.weights.inheritance.roles import BRANCHES, SHORTCUTS, Step, role_of, roles

Tensors = Mapping[str, Tensor]

_BLOCK: Final = re.compile(r"(?:stages\.(\d+)\.)?blocks\.(\d+)\.(.+)")
_BETWEEN: Final = re.compile(r"(?:stages\.(\d+)\.)?((?:downsample|stem)\b.*)")

_SIGNS: Final = (
    ({"conv_dw", "mlp.fc1"}, "first"),
    ({"conv", "mlp.fc1"}, "first"),
    ({"dwconv", "pwconv1"}, "first"),
    ({"conv_pw"}, "separable"),
    ({"conv3"}, "middle"),
    ({"conv2"}, "both"),
    ({"conv1"}, "single"),
)
"""Layers that only blocks of one order have; the first line that fits counts."""

_SQUEEZED: Final = {"both": "project", "fused": "expand", "single": "project"}
"""The convolution that squeeze-excite follows where it is not the spatial one."""


@final
class _Block(NamedTuple):
    """The tensors of one block by their names in it, and where it stands."""

    tensors: dict[str, Tensor]
    path: str
    number: int

    def has(self, layer: str) -> bool:
        """Whether the block has a layer of this name."""
        return any(name == layer or name.startswith(layer + ".") for name in self.tensors)


def guessed_anatomy(tensors: Tensors, other: Anatomy, others: Tensors) -> Anatomy:
    """The anatomy of tensors under our names (timm's for ConvNeXt), which may go into another network.

    Layers of the stem and between stages are taken for what layers of their names are in that other network.
    """
    blocks = _blocks(tensors)
    sites = dict(_stems_and_downsamplings(tensors, other, others)) | dict(_head(tensors))
    branches: dict[tuple[int, int], tuple[Branch, ...]] = {}
    elsewhere = _named_roles(other)
    for place, block in blocks.items():
        found = _roles(block)
        for name, tensor in block.tensors.items():
            role = role_of(name, found) if found else elsewhere.get((block.number == 0, name), name)
            sites[f"{block.path}.{name}"] = Site(Address("block", *place, role), _wiring(role, tensor))
        branches[place] = tuple(_branches(block, found))
    count = 1 + max((stage for stage, _ in blocks), default=-1)
    return Anatomy(sites, tuple(_stage(stage, blocks) for stage in range(count)), branches)


def _named_roles(other: Anatomy) -> dict[tuple[bool, str], str]:
    """The roles that names have in another network, in the first blocks of its stages and in the others."""
    found: dict[tuple[bool, str], str] = {}
    for name, site in other.sites.items():
        if (match := _BLOCK.fullmatch(name)) is not None:
            first = site.address.block == 0
            found[first, match[3]] = site.address.role
            found.setdefault((not first, match[3]), site.address.role)
    return found


def _blocks(tensors: Tensors) -> dict[tuple[int, int], _Block]:
    found: dict[tuple[int, int], _Block] = {}
    for name, tensor in tensors.items():
        if (match := _BLOCK.fullmatch(name)) is not None:
            place = int(match[1] or 0), int(match[2])
            block = found.setdefault(place, _Block({}, name[: match.start(3) - 1], place[1]))
            block.tensors[match[3]] = tensor
    return found


def _stage(stage: int, blocks: Mapping[tuple[int, int], _Block]) -> StageAnatomy:
    inside = {index: block for (other, index), block in blocks.items() if other == stage}
    shifted = any(block.has("attention.attn.relative_position_bias") for block in inside.values())
    enters = any(map(_enters, inside.values()))
    width = max(map(_width, inside.values()), default=0)
    return StageAnatomy(1 + max(inside, default=-1), width, 2 if shifted else 1, enters)


def _width(block: _Block) -> int:
    """The width that a block puts out: that of what projects to it, 0 where that is not known."""
    names = {role: f"{name}.weight" for name, role in _roles(block).items()}
    found = (block.tensors.get(names.get(role, "")) for role in ("project", "pointwise", "spatial"))
    return next((weight.shape[0] for weight in found if weight is not None), 0)


def _roles(block: _Block) -> dict[str, str]:
    """The roles of a block's layers by name, as far as names tell."""
    if block.has("attention.attn"):
        return BRANCHES
    order = _order(block)
    if order is None:
        return {}
    return roles(_steps(block, order), order, enters=_enters(block)) | SHORTCUTS


def _enters(block: _Block) -> bool:
    """Whether a block takes channels of the stage before: it has a projection, or other channels come in than go out."""
    order = _order(block)
    if block.has("shortcut") or block.number > 0 or order is None:
        return block.has("shortcut")
    kernels = [step.name for step in _steps(block, order) if step.kind == "convolution"]
    first, last = (block.tensors[f"{name}.weight"].shape for name in (kernels[0], kernels[-1]))
    return (first[0] if first[1] == 1 else first[1]) != last[0]


def _order(block: _Block) -> str | None:
    order = next(
        (order for layers, order in _SIGNS if all(f"{layer}.weight" in block.tensors for layer in layers)), None
    )
    if order == "both" and block.tensors["conv2.weight"].shape[2:].numel() == 1:
        return "fused"
    return order


def _steps(block: _Block, order: str) -> Iterator[Step]:
    """The layers that a block of an order has, in order of execution."""
    table = NAMES["facebookresearch" if block.has("dwconv") else "timm"].get(order) or NAMES["timm"][order]
    for role in ORDERS[order]:
        convolution, norm, _ = table[role].split()
        if role == "project":
            yield from (Step(name, "grn") for name in ("grn", "mlp.grn") if block.has(name))
        yield Step(convolution if block.has(convolution) else "conv", "convolution")
        yield from [Step(norm, "norm")] * block.has(norm)
        yield from [Step("mlp.se", "squeeze")] * (role == "expand" and block.has("mlp.se"))
        yield from [Step("se", "squeeze")] * (role == _SQUEEZED.get(order, "spatial") and block.has("se"))


def _wiring(role: str, tensor: Tensor) -> Wiring:
    if role.startswith("attention.qkv."):
        return Wiring(pieces_out=3)
    if tensor.ndim != 4:
        return Wiring()
    outputs, inputs = tensor.shape[:2]
    keeps_width = "spatial" in role and (inputs == 1 or not role.startswith("entry."))
    groups = outputs // inputs if keeps_width and outputs % inputs == 0 else UNKNOWN
    return Wiring(groups, (tensor.shape[-1] - 1) // 2)


def _branches(block: _Block, found: Mapping[str, str]) -> Iterator[Branch]:
    """The branches with a layer scale, and the layer that stands before it."""
    names = {role: f"{block.path}.{name}" for name, role in found.items() if block.has(name)}
    lasts = (names.get(role, "") for role in ("project.norm", "project", "pointwise.norm", "pointwise"))
    if "gamma" in names:
        yield Branch(names["gamma"], next(filter(None, lasts), ""), ())
    if "attention.gamma" in names:
        yield Branch(names["attention.gamma"], f"{names['attention']}.proj", ())


def _stems_and_downsamplings(tensors: Tensors, other: Anatomy, others: Tensors) -> Iterator[tuple[str, Site]]:
    known: dict[tuple[str, int], Site] = {}
    for name, site in other.sites.items():
        if (match := _BETWEEN.fullmatch(name)) is not None:
            known.setdefault((match[2], _rank(name, others)), site)
    for name, tensor in tensors.items():
        match = _BETWEEN.fullmatch(name)
        like = None if match is None else known.get((match[2], _rank(name, tensors)))
        if match is None or like is None:
            continue
        address = like.address
        if address.section == "downsample":
            address = address._replace(stage=int(match[1] or 0))
        has_token = f"{name.rpartition('.')[0]}.class_token" in tensors
        grid = _grid(tensor.shape[1] - has_token) if name.endswith(".position_embedding") else (0, 0)
        yield name, Site(address, _strided(tensor, like.wiring), grid)


def _rank(name: str, tensors: Tensors) -> int:
    """The rank of the weight of the layer that a tensor belongs to."""
    weight = tensors.get(name.rpartition(".")[0] + ".weight")
    return 0 if weight is None else weight.ndim


def _strided(tensor: Tensor, other: Wiring) -> Wiring:
    """The wiring of a kernel between stages: an even one tiles the map, an odd one is padded; the image may be tiled by any."""
    if tensor.ndim != 4:
        return other
    side = tensor.shape[-1]
    other = other._replace(groups=UNKNOWN)
    if side == 1:
        return other._replace(before=0, stride=1)
    if other.reads_image and other.stride != 1 and side % 2 == 0:
        return other._replace(before=0, stride=side)
    return other._replace(before=(side - 1) // 2 if side % 2 else 0)


def _head(tensors: Tensors) -> Iterator[tuple[str, Site]]:
    named = {path: role.removesuffix("_before") for table in HEAD_NAMES.values() for role, path in table.items()}
    layers = {name.rpartition(".")[0] for name in tensors}
    channels = "convolution" if "conv_head" in layers else "stream"
    hidden = "hidden" if layers & {"head.pre_logits.fc", "hidden"} else channels
    given = {"convolution": "stream", "classifier": hidden}
    for name in tensors:
        layer, _, tensor = name.rpartition(".")
        if (role := named.get(layer)) is not None:
            yield name, Site(Address("head", -1, -1, f"{given.get(role, channels)}.{role}.{tensor}"))


def _grid(positions: int) -> tuple[int, int]:
    """The grid nearest to a square that has so many positions."""
    rows = next(rows for rows in range(math.isqrt(positions), 0, -1) if positions % rows == 0)
    return rows, positions // rows
