"""How a block becomes layers: the convolutions in their order, what follows each, the shortcut, the checks on the way."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from convlab.language.blocks import ORDERS, Block
from convlab.layers import (
    NORMS,
    Activation,
    Chain,
    Convolution,
    Depthwise,
    Gate,
    GlobalAveragePool,
    GlobalResponseNorm,
    Layer,
    LayerScale,
    Named,
    Pointwise,
    Residual,
    chain,
)
from convlab.layers.shape import larger, rounded


class Check(NamedTuple):
    """A condition on sizes that must hold: a bool, or an array of them for a population."""

    path: str
    code: str
    holds: Any
    message: str
    values: tuple[Any, ...]
    help: str


class Adjustment(NamedTuple):
    """A size that was rounded: where, what was asked for and what it became (numbers, or arrays for a population)."""

    path: str
    asked: Any
    given: Any


class Place(NamedTuple):
    """Where a block stands: the widths that come in and go out, its stride, the dilation of its first spatial layer and of the others."""

    width_in: int
    width: int
    stride: int
    first_dilation: int
    dilation: int
    same_width: bool
    names: str
    norm_eps: float = 0.0

    @property
    def keeps_shape(self) -> bool:
        """Whether an identity shortcut is possible."""
        return self.same_width and self.stride == 1


class Lowered(NamedTuple):
    """Layers, and what was noticed while making them."""

    tree: Layer
    checks: tuple[Check, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()


NAMES: dict[str, dict[str, dict[str, str]]] = {
    "timm": {
        "first": {
            "spatial": "conv_dw norm act1",
            "expand": "mlp.fc1 mlp.norm mlp.act",
            "project": "mlp.fc2 norm_out act_project",
        },
        "middle": {"expand": "conv1 norm1 act1", "spatial": "conv2 norm2 act2", "project": "conv3 norm3 act_project"},
        "separable": {"spatial": "conv_dw norm1 act1", "project": "conv_pw norm2 act_project"},
        "both": {"expand": "conv1 norm1 act1", "project": "conv2 norm2 act_project"},
        "fused": {"expand": "conv1 norm1 act1", "project": "conv2 norm2 act_project"},
        "single": {"project": "conv1 norm1 act1"},
        "grn": {"first": "mlp.grn"},
        "se": {"first": "mlp.se"},
    },
    "facebookresearch": {
        "first": {
            "spatial": "dwconv norm act1",
            "expand": "pwconv1 norm2 act2",
            "project": "pwconv2 norm3 act_project",
        },
        "grn": {"first": "grn"},
        "se": {},
    },
}
"""The names of convolution, norm and activation at each place of a block, by order; ``facebookresearch`` falls back to timm's."""


NUMBERS = (int, float)


def off(value: Any) -> bool:
    """Whether a knob is at 0, its "none". That is structure: within a population's group all are off or none is."""
    return isinstance(value, NUMBERS) and value == 0


@cache
def norm(kind: str, eps: float = 0.0) -> Layer | None:
    """The norm of a kind, None for "none"; ``eps`` is added to its variance, 0 stands for what the kind itself has."""
    if kind == "none":
        return None
    return NORMS[kind](eps) if eps else NORMS[kind]()  # type: ignore[call-arg]  # every norm's first field is eps


@cache
def activation(kind: str) -> Layer | None:
    """The activation of a kind, None for "none"."""
    return None if kind == "none" else Activation(kind)


def present(*items: tuple[str, Layer | None]) -> list[Named]:
    """The named layers that are there."""
    return [(name, layer) for name, layer in items if layer is not None]


def lower_block(block: Block, place: Place, path: str) -> Lowered:
    """The layers of a block of a named kind. ``path`` is the block's knob path, for checks and adjustments."""
    hidden, adjustments = _hidden_width(block, place, path)
    items = _branch(block, place, hidden)
    checks = _group_checks(block, place, hidden, path)
    if not off(block.squeeze_ratio):
        asked = block.squeeze_ratio * _squeezed(block, place, hidden)
        adjustments = (*adjustments, Adjustment(f"{path}.squeeze_ratio", asked, rounded(asked)))
    return Lowered(residual(block, place, items), checks, adjustments)


def residual(block: Block, place: Place, items: list[Named]) -> Layer:
    """A branch with the shortcut, layer scale and output activation that the block asks for."""
    after = activation(block.activation) if "output" in block.activation_after else None
    if block.shortcut == "none" or (block.shortcut == "identity" and not place.keeps_shape):
        return chain([*items, *present(("act_output", after))])
    return Residual(
        branch=chain(items),
        scale=None if off(block.layer_scale) else LayerScale(block.layer_scale),
        shortcut=None if place.keeps_shape else _projection(block, place),
        after=None if after is None else Chain((("act_output", after),)),
    )


def squeeze_excite(ratio: float, of: int, width: int, kind: str) -> Gate:
    """Squeeze-excite whose hidden width is ``ratio`` times ``of``; ``width`` is what it gates."""
    return Gate(
        chain(
            present(
                ("pool", GlobalAveragePool()),
                ("fc1", Pointwise(rounded(ratio * of), bias=True)),
                ("act", activation(kind)),
                ("fc2", Pointwise(width, bias=True)),
                ("gate", Activation("sigmoid")),
            )
        )
    )


def _projection(block: Block, place: Place) -> Chain:
    convolution: Layer = Pointwise(place.width, block.bias)
    if place.stride != 1:
        convolution = Convolution(place.width, 1, place.stride, bias=block.bias)
    return chain(present(("0", convolution), ("1", norm(block.norm, place.norm_eps) if block.shortcut_norm else None)))


def _branch(block: Block, place: Place, hidden: int) -> list[Named]:
    roles = ORDERS[block.order]
    tables, names = NAMES[place.names], _names(place.names, block.order)
    strided = block.stride_at if block.stride_at in roles else roles[0]
    widths = {"expand": hidden, "project": place.width}
    channels = place.width_in
    items: list[Named] = []
    for role in roles:
        width = widths.get(role, channels)
        stride = place.stride if role == strided else 1
        convolution_name, norm_name, activation_name = names[role]
        if role == "project" and block.grn:
            items.append((tables["grn"].get(block.order, "grn"), GlobalResponseNorm()))
        if convolution_name == "conv_dw" and not _depthwise(block):
            convolution_name = "conv"
        dilation = place.first_dilation if role == strided else place.dilation
        items.append((convolution_name, _convolution(block, role, Sizes(channels, width, stride, dilation))))
        if role in block.norm_after:
            items += present((norm_name, norm(block.norm, place.norm_eps)))
        if role in block.activation_after:
            items += present((activation_name, activation(block.activation)))
        if role == block.squeeze_after and not off(block.squeeze_ratio):
            of = _squeezed(block, place, hidden)
            name = tables["se"].get(block.order, "se") if role == "expand" else "se"
            items.append((name, squeeze_excite(block.squeeze_ratio, of, width, block.activation)))
        channels = width
    return items


@cache
def _names(whose: str, order: str) -> dict[str, list[str]]:
    """The names of convolution, norm and activation by role."""
    table = NAMES[whose].get(order) or NAMES["timm"][order]
    return {role: names.split() for role, names in table.items()}


def _squeezed(block: Block, place: Place, hidden: int) -> int:
    """The width that the squeeze ratio multiplies."""
    return {"hidden": hidden, "input": place.width_in, "output": place.width}[block.squeeze_of]


def _depthwise(block: Block) -> bool:
    return isinstance(block.groups, str) and off(block.group_width)


class Sizes(NamedTuple):
    """The numbers of one convolution."""

    channels: int
    width: int
    stride: int
    dilation: int


def _convolution(block: Block, role: str, sizes: Sizes) -> Layer:
    channels, width, stride, dilation = sizes
    if role == "spatial" or block.order in ("both", "single") or (block.order == "fused" and role == "expand"):
        if role == "spatial" and _depthwise(block):
            return Depthwise(block.kernel_size, stride, dilation, block.bias)
        groups: Any = channels if isinstance(block.groups, str) else block.groups
        if not off(block.group_width):
            groups = channels // block.group_width
        return Convolution(width, block.kernel_size, stride, dilation, groups, block.bias)
    if stride != 1:
        return Convolution(width, 1, stride, bias=block.bias)
    return Pointwise(width, block.bias, block.pointwise)


def _hidden_width(block: Block, place: Place, path: str) -> tuple[int, tuple[Adjustment, ...]]:
    if block.order in ("separable", "single"):
        return place.width_in, ()
    asked = block.expansion_ratio * (place.width if block.expansion_of == "output" else place.width_in)
    hidden = rounded(asked)
    if not off(block.group_width) and block.order in ("middle", "fused", "both"):
        hidden = block.group_width * rounded(asked / block.group_width)
    return hidden, (Adjustment(f"{path}.expansion_ratio", asked, hidden),)


def _group_checks(block: Block, place: Place, hidden: int, path: str) -> tuple[Check, ...]:
    grouped = not off(block.group_width)
    one_width = block.order in ("middle", "first", "separable")
    if not grouped and (
        (isinstance(block.groups, str) and one_width) or (type(block.groups) is int and block.groups == 1)
    ):
        return ()  # one group, or as many as channels, divides the width that comes in and goes out
    widths = {
        "middle": (("hidden width", hidden),),
        "first": (("incoming width", place.width_in),),
        "separable": (("incoming width", place.width_in),),
        "both": (("incoming width", place.width_in), ("hidden width", hidden), ("block's width", place.width)),
        "fused": (("incoming width", place.width_in), ("hidden width", hidden)),
        "single": (("incoming width", place.width_in), ("block's width", place.width)),
    }[block.order]
    if grouped:
        checks = [divides(f"{path}.group_width", "the group width", block.group_width, *width) for width in widths]
        for (_, before), after in pairwise(widths):  # convolutions that change the width: their groups divide both
            checks.append(divides(f"{path}.group_width", "groups", larger(before // block.group_width, 1), *after))
        return tuple(checks)
    if isinstance(block.groups, str):
        return tuple(
            divides(f"{path}.groups", "depthwise: the incoming width", before, *after)
            for (_, before), after in pairwise(widths)
        )
    return tuple(divides(f"{path}.groups", "groups", block.groups, what, width) for what, width in widths)


def divides(path: str, name: str, divisor: Any, what: str, width: Any) -> Check:
    """The check that one number divides a width."""
    return Check(
        path,
        "groups-do-not-divide",
        width % divisor == 0,
        f"{name} {{0}} {'do' if name == 'groups' else 'does'} not divide the {what} {{1}}",
        (divisor, width),
        "choose a divisor of the width, or another width",
    )
