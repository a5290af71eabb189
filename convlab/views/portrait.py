"""A design in words, and the preset that it is nearest to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from convlab.language.blocks import ATTENTION_KINDS, Block
from convlab.language.design import Design, Stage
from convlab.language.files import load
from convlab.presets import preset_names
from convlab.views.knob_paths import Difference, differences_of, values
from convlab.views.tables import value_text

ORDERS = {
    "middle": "a 1x1 convolution to the hidden width, the spatial one, a 1x1 back",
    "first": "the spatial convolution, a 1x1 to the hidden width, a 1x1 back",
    "both": "two spatial convolutions",
    "fused": "a spatial convolution to the hidden width, a 1x1 back",
    "separable": "the spatial convolution, then a 1x1",
    "single": "one spatial convolution",
}


FAR = 8
"""In more knobs than these a preset is not near."""

SHORTCUTS = {
    "projection": "with a projection shortcut",
    "identity": "without a shortcut there",
    "none": "without a shortcut",
}
"""What the shortcut is where the shape changes."""


class Nearest(NamedTuple):
    """The preset in the fewest knobs apart from a design, whether both are one network, and those knobs that both use (the design's
    value first)."""

    preset: str
    same_network: bool
    knobs: tuple[Difference, ...]

    @property
    def near(self) -> bool:
        """Whether it tells something of the design."""
        return self.same_network or len(self.knobs) <= FAR


def portrait(design: Design) -> tuple[str, ...]:
    """What a design is, a sentence a line."""
    return tuple(_sentences(design))


def nearest_preset(design: Design) -> Nearest:
    """The nearest preset, its own name aside; of equally near ones that of the same network, then the first by name."""
    names = (name for name in (*preset_names(), *preset_names("roadmap")) if name.rpartition("/")[2] != design.name)
    own = values(design)
    presets = ((name, load(name)) for name in names)
    found = [(preset, differences_of([own, values(preset)]), name) for name, preset in presets]
    fewest = min(len(knobs) for _, knobs, _ in found)
    near = [
        Nearest(name, preset.key == design.key, tuple(knob for knob in knobs if None not in knob.values))
        for preset, knobs, name in found
        if len(knobs) == fewest
    ]
    return next((item for item in near if item.same_network), near[0])


def _sentences(design: Design) -> Iterator[str]:
    stages = design.stages
    blocks = "block" if sum(design.depths) == 1 else "blocks"
    if len(stages) == 1:
        yield f"Isotropic: one stage of {stages[0].depth} {blocks} of width {stages[0].width}."
    else:
        yield f"{len(stages)} stages of {_listed(design.depths)} {blocks}, with widths {_listed(design.widths)}."
    yield f"Stem: {_stem(design)}."
    yield from _blocks(design)
    if len(stages) > 1:
        yield f"Downsampling: {_downsample(stages[1:])}."
    if design.output_stride:
        yield f"Output stride: {design.output_stride}; later strides are dilations instead."
    yield f"Head: {_head(design)}."
    shape = design.image.shape
    yield f"Image: {shape.channels} x {shape.height} x {shape.width}."


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _stem(design: Design) -> str:
    stem = design.stem
    if stem.kind == "custom":
        return f"custom: the layers {', '.join(stem.branch)}; norm is {stem.norm}, activation {stem.activation}"
    if stem.kind == "patchify":
        text = f"patches of {stem.patch_size}x{stem.patch_size} px"
    else:
        count = stem.layers if stem.kind == "deep" else 1
        text = f"{count} convolution{'s' * (count > 1)} of {stem.kernel_size}x{stem.kernel_size}, stride {stem.stride}"
    after = [stem.norm, stem.activation, "" if stem.pool == "none" else f"{stem.pool} pool of stride 2"]
    after += ["a class token"] * stem.class_token + ["a position embedding"] * stem.position_embedding
    return ", ".join([text, *(item for item in after if item not in ("", "none"))])


def _blocks(design: Design) -> Iterator[str]:
    """A sentence for each different block, with the stages that have it."""
    having: dict[Block, list[int]] = {}
    for index, stage in enumerate(design.stages):
        having.setdefault(stage.block, []).append(index)
    for block, stages in having.items():
        where = "" if len(having) == 1 else f" of stage{'s' * (len(stages) > 1)} {_listed(tuple(stages))}"
        yield f"Block{where}: {_block(block)}."


def _block(block: Block) -> str:
    if block.kind == "custom":
        return _custom(block)
    if block.kind in ATTENTION_KINDS:
        return _attention(block)
    groups = ""
    if block.group_width:
        groups = f" in groups of {block.group_width} channels"
    elif block.groups == "depthwise":
        groups = ", depthwise"
    elif block.groups != 1:
        groups = f" in {block.groups} groups"
    parts = [
        f"{block.kind}: {ORDERS[block.order]}",
        f"kernel {block.kernel_size}x{block.kernel_size}{groups}",
        ""
        if block.order in ("separable", "single")
        else f"hidden width {block.expansion_ratio:g} times the {block.expansion_of} width",
        _placed(block.norm, block.norm_after),
        _placed(block.activation, block.activation_after),
        f"squeeze-excite of ratio {block.squeeze_ratio:g}" if block.squeeze_ratio else "",
        "global response normalisation" if block.grn else "",
        f"layer scale from {value_text(block.layer_scale)}" if block.layer_scale else "",
        _shortcut(block),
    ]
    return "; ".join(part for part in parts if part)


def _attention(block: Block) -> str:
    """A transformer block in words."""
    heads = f"{block.heads} heads" if block.heads else f"heads of {block.head_width} channels"
    side = f"{block.window}x{block.window}"
    where = f"within windows of {side} px" if block.window else "over the whole map"
    shifted = ", shifted in every second block" if block.window and block.shift else ""
    parts = [
        f"{block.kind}: attention {where}{shifted}, {heads}",
        "a learned bias by relative position" if block.window and block.relative_position else "",
        f"then a pointwise expansion to {block.expansion_ratio:g} times the width and back",
        "" if block.norm == "none" else f"{block.norm} before both",
        "" if block.activation == "none" else f"{block.activation} after the expansion",
        "global response normalisation" if block.grn else "",
        f"layer scale from {value_text(block.layer_scale)}" if block.layer_scale else "",
    ]
    return "; ".join(part for part in parts if part)


def _custom(block: Block) -> str:
    """The layers of a custom block in words."""
    branches = ["the layers " + ", ".join(branch) for branch in block.branches or (block.branch,)]
    kinds = f"norm is {block.norm}, activation {block.activation}"
    return "; ".join(part for part in (f"custom: {'; then '.join(branches)}", kinds, _shortcut(block)) if part)


def _shortcut(block: Block) -> str:
    """What is unusual about a shortcut."""
    return {"identity": "a shortcut only where the shape stays", "none": "no shortcut"}.get(block.shortcut, "")


def _placed(kind: str, places: tuple[str, ...]) -> str:
    return "" if kind == "none" or not places else f"{kind} after {', '.join(places)}"


def _downsample(stages: tuple[Stage, ...]) -> str:
    kinds = dict.fromkeys((stage.downsample.kind, stage.block.shortcut, stage.downsample.branch) for stage in stages)
    words = {
        "separate": "a norm and a strided convolution of their own between the stages",
        "in_block": "the stride is in each stage's first block",
        "max_pool": "a max pool and a 1x1 convolution between the stages",
        "average_pool": "an average pool and a 1x1 convolution between the stages",
        "patch_merging": "patches put side by side as channels, a norm and a linear layer between the stages",
    }
    told = (
        f"the layers {', '.join(branch)} between the stages"
        if kind == "custom"
        else words[kind] + (f", {SHORTCUTS[shortcut]}" if kind == "in_block" else "")
        for kind, shortcut, branch in kinds
    )
    return "; or ".join(dict.fromkeys(told))


def _head(design: Design) -> str:
    head = design.head
    parts = [
        f"a 1x1 convolution to {head.convolution}" if head.convolution else "",
        "the class token" if head.pool == "token" else f"{head.pool} pool",
        "" if head.norm == "none" else f"{head.norm} {head.norm_at.replace('_', ' ')}",
        f"a hidden layer of {head.hidden}" if head.hidden else "",
        f"dropout {head.dropout:g}" if head.dropout else "",
        f"{head.classes} classes" if head.classes else "no classifier",
    ]
    return ", ".join(part for part in parts if part)
