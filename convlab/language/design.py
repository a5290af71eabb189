"""A design: the macro and micro choices of one network, resolved, frozen and comparable; and the layers that it stands for."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from convlab import display
from convlab.language.blocks import Block
from convlab.language.downsample import Downsample, lower_downsample
from convlab.language.head import Head, lower_head
from convlab.language.knobs import AUTO, KeyOfCaches, knob
from convlab.language.lowering import Adjustment, Check, Lowered, Place, off
from convlab.language.repeating import lower_blocks
from convlab.language.stem import Stem, lower_stem
from convlab.layers import Chain, Layer, Shape, chain

FORMAT = 1
"""The version of the language."""

MAXIMUM_STAGES = 64


@dataclass(frozen=True)
class Image:
    """What goes in."""

    size: int | tuple[int, int] = knob(224, "height and width of the image", kind="size", low=1, high=65536, unit="px")
    channels: int = knob(3, "channels of the image", low=1, high=65536)

    @property
    def shape(self) -> Shape:
        """The image as a feature map."""
        height, width = self.size if isinstance(self.size, tuple) else (self.size, self.size)
        return Shape(self.channels, height, width)


@dataclass(frozen=True)
class Stage(KeyOfCaches):
    """Blocks of one width at one resolution, and the downsampling before them."""

    depth: int = knob(3, "how many blocks the stage has", low=1, high=10_000)
    width: int = knob(96, "width that the blocks put out", low=1, high=65536, unit="channels")
    stride: int = knob(1, "by how much the resolution falls before or in the first block", low=1, high=64)
    dilation: int = knob(1, "dilation of the blocks' spatial convolutions", low=1, high=64)
    downsample: Downsample = field(default_factory=Downsample)
    block: Block = field(default_factory=lambda: Block.of("convnext"))

    __hash__ = KeyOfCaches.__hash__


@dataclass(frozen=True, repr=False)
class Design:
    """One network. Two designs are equal where every knob is; they have one ``key`` where they are the same network."""

    name: str = field(default="", compare=False)
    summary: str = knob("", "what the design is, in a line", kind="text", high=1000)
    drop_path: float = knob(
        0.0, "rate of stochastic depth in the last block; it rises from 0 block by block", low=0, high=0.99
    )
    output_stride: int = knob(
        0,
        "stride of the last feature map; stages beyond it are dilated instead; 0: as the strides say",
        low=0,
        high=4096,
        zero=AUTO,
    )
    initialization: str = knob(
        "truncated_normal",
        "how weights start: normal with deviation 0.02 (ConvNeXt), Kaiming's with silent last norms (ResNet), or as those networks",
        choices=("truncated_normal", "kaiming_normal", "regnet", "efficientnet"),
    )
    norm_eps: float = knob(
        0.0,
        "what every norm adds to the variance; 0: each kind's own (1e-6 of layer norm, 1e-5 of batch norm)",
        low=0,
        high=1,
        zero=AUTO,
    )
    names: str = knob(
        "timm",
        "whose checkpoint names the layers carry; facebookresearch: those of the isotropic ConvNeXt, one stage",
        choices=("timm", "facebookresearch"),
    )
    image: Image = field(default_factory=Image)
    stem: Stem = field(default_factory=lambda: Stem.of("patchify"))
    stages: tuple[Stage, ...] = ()
    head: Head = field(default_factory=Head)

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty

    def __repr__(self) -> str:
        kinds = ", ".join(dict.fromkeys(stage.block.kind for stage in self.stages))
        return f"<Design {self.name or '(unnamed)'}: {kinds}; depths {list(self.depths)}, widths {list(self.widths)}>"

    @property
    def depths(self) -> tuple[int, ...]:
        """Blocks of every stage."""
        return tuple(stage.depth for stage in self.stages)

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of every stage."""
        return tuple(stage.width for stage in self.stages)

    @property
    def key(self) -> str:
        """A hash of the network as it is written: structure, sizes, channels and classes; not image size, rates, names or initial weights.

        Designs with one key compute the same functions. One function said in two ways (groups = 32 at width 32, or depthwise) has two.
        """
        network = lower(self)
        plain = [self.image.channels, network.tree.signature()]
        return hashlib.sha256(json.dumps(plain, separators=(",", ":")).encode()).hexdigest()[:16]


class Part(NamedTuple):
    """A part of the network that runs as one: the stem, a stage, the head; ``head`` parts follow the last feature map."""

    path: str
    tree: Layer
    head: bool = False


class Network(NamedTuple):
    """A design as layers, with what was noticed while making them."""

    parts: tuple[Part, ...]
    checks: tuple[Check, ...]
    adjustments: tuple[Adjustment, ...]

    @property
    def tree(self) -> Chain:
        """The whole network as one layer."""
        return Chain(tuple((part.path, part.tree) for part in self.parts))


class Strides(NamedTuple):
    """What a stage does to the resolution once an output stride is taken into account."""

    stride: int
    first_dilation: int
    dilation: int


def lower(design: Design) -> Network:
    """The layers of a design. Stages that were lowered before are the same objects again."""
    return _network(design, _stage_once, _stem_once, _head_once)


def lower_population(design: Design) -> Network:
    """The layers of a population of one structure: a design that has arrays in the places of sizes."""
    return _network(design, _stage, lower_stem, _head)


def strides(design: Design) -> tuple[Strides, ...]:
    """Stride and dilations of every stage: a stage beyond the output stride keeps the resolution and is dilated instead."""
    if not design.output_stride:
        return tuple([Strides(stage.stride, stage.dilation, stage.dilation) for stage in design.stages])
    reached, factor, found = stem_stride(design.stem), 1, []
    for stage in design.stages:
        first = factor
        stride = stage.stride
        if reached * stride > design.output_stride:
            factor, stride = factor * stride, 1
        reached *= stride
        found.append(Strides(stride, first * stage.dilation, factor * stage.dilation))
    return tuple(found)


def stem_stride(stem: Stem) -> int:
    """By how much the stem lowers the resolution."""
    return math.prod(stem.strides)


def _network(
    design: Design,
    lower_one_stage: Callable[[Stage, int, Place], Network],
    lower_one_stem: Callable[[Stem, Place], Lowered],
    lower_one_head: Callable[[Head, str, float], tuple[Part, ...]],
) -> Network:
    width = design.stages[0].width if off(design.stem.width) else design.stem.width
    stem, checks, adjustments = lower_one_stem(
        design.stem, Place(design.image.channels, width, 1, 1, 1, False, design.names, design.norm_eps)
    )
    parts: tuple[Part, ...] = (_stem_part(stem, design.names),)
    for index, (stage, (stride, first, dilation)) in enumerate(zip(design.stages, strides(design), strict=True)):
        same = _same(width, stage.width)
        place = Place(width, stage.width, stride, first, dilation, same, design.names, design.norm_eps)
        more_parts, more_checks, more_adjustments = lower_one_stage(stage, index, place)
        parts += more_parts
        checks += more_checks
        adjustments += more_adjustments
        width = stage.width
    return Network(parts + lower_one_head(design.head, design.names, design.norm_eps), checks, adjustments)


def _same(one: Any, other: Any) -> bool:
    """Whether two widths are equal; in a population they are equal in all members or in none."""
    return one == other if type(one) is type(other) is int else bool((one == other).all())


def _stem_part(stem: Layer, names: str) -> Part:
    assert isinstance(stem, Chain)
    bare = names == "facebookresearch" and len(stem.children) == 1
    return Part("stem", stem.children[0][1] if bare else stem)


def _stage_parts(index: int, downsample: Layer | None, blocks: Layer, names: str) -> tuple[Part, ...]:
    if names == "timm":
        children = (("blocks", blocks),) if downsample is None else (("downsample", downsample), ("blocks", blocks))
        return (Part(f"stages.{index}", Chain(children)),)
    before = () if downsample is None else (Part("downsample", downsample),)
    return (*before, Part("blocks", blocks))


def _stage(stage: Stage, index: int, place: Place) -> Network:
    """A stage by itself, as one part or two."""
    plain = type(place.width_in) is type(place.width) is int  # arrays key no cache
    lower_one = _downsample_once if plain else lower_downsample
    downsample = lower_one(stage.downsample, place, f"stages.{index}.downsample")
    if downsample is not None:
        place = place._replace(width_in=place.width, stride=1, first_dilation=place.dilation, same_width=True)
    blocks = lower_blocks(stage.block, place, f"stages.{index}.block", depth=stage.depth)
    before = Lowered(Chain(())) if downsample is None else downsample
    parts = _stage_parts(index, downsample and downsample.tree, blocks.tree, place.names)
    return Network(parts, before.checks + blocks.checks, before.adjustments + blocks.adjustments)


HEAD_NAMES: dict[str, dict[str, str]] = {
    "timm": {
        "convolution": "conv_head",
        "convolution_norm": "norm_head",
        "convolution_activation": "act_head",
        "norm_before": "norm_pre",
        "pool": "head.global_pool",
        "norm": "head.norm",
        "flatten": "head.flatten",
        "hidden": "head.pre_logits.fc",
        "activation": "head.pre_logits.act",
        "dropout": "head.drop",
        "classifier": "head.fc",
    },
    "facebookresearch": {
        "convolution": "conv_head",
        "convolution_norm": "norm_head",
        "convolution_activation": "act_head",
        "norm_before": "norm",
        "pool": "pool",
        "norm": "norm",
        "flatten": "flatten",
        "hidden": "hidden",
        "activation": "head_act",
        "dropout": "head_dropout",
        "classifier": "head",
    },
}
"""The names of the head's layers by role."""


def _head(head: Head, names: str, norm_eps: float) -> tuple[Part, ...]:
    named = [(HEAD_NAMES[names][role], layer) for role, layer in lower_head(head, norm_eps)]
    return tuple(Part(path, tree, head=True) for path, tree in chain(named).children)


_stage_once = lru_cache(maxsize=512)(_stage)
_downsample_once = lru_cache(maxsize=512)(lower_downsample)
_stem_once = lru_cache(maxsize=512)(lower_stem)
_head_once = lru_cache(maxsize=512)(_head)
