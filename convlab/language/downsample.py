"""Downsampling: how the resolution falls from one stage to the next."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from convlab.language.blocks import ACTIVATION_KINDS, NORM_KINDS, Block
from convlab.language.custom import lower_layers
from convlab.language.knobs import knob
from convlab.language.lowering import Lowered, Place, norm
from convlab.layers import AveragePool, Chain, Convolution, Layer, MaxPool, Pointwise, SpaceToDepth

KINDS: dict[str, dict[str, Any]] = {
    "separate": {},
    "in_block": {"norm": "none", "bias": False},
    "max_pool": {"norm": "batch_norm", "bias": False},
    "average_pool": {"norm": "batch_norm", "bias": False},
    "patch_merging": {"bias": False},
    "custom": {"kernel_size": 3, "norm": "batch_norm", "activation": "relu", "bias": False},
}
"""The named kinds and their defaults, where they differ from those of the knobs."""


@dataclass(frozen=True)
class Downsample:
    """What stands between two stages. ``Downsample.of(kind)`` gives a kind's defaults."""

    kind: str = knob(
        "separate",
        "a norm and a strided convolution of their own, the stride in the first block, a pool and a 1x1 convolution, "
        "patches put side by side as channels, a norm and a linear layer (Swin), or the layers that are written",
        choices=tuple(KINDS),
    )
    kernel_size: int = knob(2, "side of the strided convolution's kernel or of the pool", low=1, high=63, unit="px")
    norm: str = knob(
        "layer_norm", "the norm: before the strided convolution, or after the pool's convolution", choices=NORM_KINDS
    )
    activation: str = knob("none", "the kind of activation (custom)", choices=ACTIVATION_KINDS)
    bias: bool = knob(True, "a bias in the convolution")
    branch: tuple[str, ...] = knob(
        (),
        'the layers of a custom downsampling: ["norm", "conv(3, 1x)", "activation"]; the first that can carries the stride',
        kind="layers",
    )

    @staticmethod
    def of(kind: str, **knobs: Any) -> Downsample:
        """The downsampling of a named kind with some knobs set."""
        return dataclasses.replace(Downsample(kind=kind, **KINDS[kind]), **knobs)


def lower_downsample(downsample: Downsample, place: Place, path: str) -> Lowered | None:
    """The layers before a stage's blocks, by index; None where its blocks take the stride, or nothing changes."""
    dilated = place.dilation != place.first_dilation
    if downsample.kind == "in_block" or (place.keeps_shape and not dilated):
        return None
    if downsample.kind == "custom":
        return lower_layers(_block(downsample), place._replace(dilation=place.first_dilation), path)
    if downsample.kind == "separate":
        layers = [norm(downsample.norm, place.norm_eps), _convolution(downsample, place, dilated)]
    elif downsample.kind == "patch_merging":
        merged = SpaceToDepth(place.stride) if place.stride != 1 else None
        linear = Pointwise(place.width, downsample.bias, "linear")
        layers = [merged, norm(downsample.norm, place.norm_eps), linear]
    else:
        pool = MaxPool if downsample.kind == "max_pool" else AveragePool
        pooled = pool(downsample.kernel_size, place.stride) if place.stride != 1 else None
        layers = [pooled, Pointwise(place.width, downsample.bias), norm(downsample.norm, place.norm_eps)]
    there = [layer for layer in layers if layer is not None]
    return Lowered(Chain(tuple((str(index), layer) for index, layer in enumerate(there))))


def _block(downsample: Downsample) -> Block:
    """A block with the layers of a custom downsampling and its defaults for them."""
    defaults: dict[str, Any] = {"norm": downsample.norm, "activation": downsample.activation, "bias": downsample.bias}
    return Block(kind="custom", kernel_size=downsample.kernel_size, branch=downsample.branch, **defaults)


def _convolution(downsample: Downsample, place: Place, dilated: bool) -> Layer:
    """A convolution that tiles the map; where the stride became dilation it keeps the map, where there was none it is 1x1."""
    if place.stride == 1 and not dilated:
        return Pointwise(place.width, downsample.bias)
    return Convolution(
        place.width,
        downsample.kernel_size,
        place.stride,
        place.first_dilation if dilated else 1,
        bias=downsample.bias,
        same=dilated or downsample.kernel_size != place.stride,
    )
