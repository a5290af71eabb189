"""How a transformer block becomes layers: a residual branch of attention, then one of a pointwise expansion and projection."""

from __future__ import annotations

import dataclasses
from typing import Any

from convlab.language.blocks import Block
from convlab.language.lowering import (
    Adjustment,
    Check,
    Lowered,
    Place,
    activation,
    divides,
    norm,
    off,
    present,
    residual,
)
from convlab.layers import Attention, Chain, GlobalResponseNorm, Layer, Pointwise
from convlab.layers.shape import larger, rounded


def lower_transformer(block: Block, place: Place, path: str) -> Lowered:
    """The layers of a block of a kind with attention; ``block.shift`` says whether this block's windows are shifted."""
    asked = block.expansion_ratio * place.width
    hidden = rounded(asked)
    attention, check = attention_of(block, place.width, path)
    silent = dataclasses.replace(block, activation_after=())
    first = [*present(("norm", norm(block.norm, place.norm_eps))), ("attn", attention)]
    second: list[tuple[str, Layer | None]] = [
        ("norm", norm(block.norm, place.norm_eps)),
        ("fc1", Pointwise(hidden, block.bias, block.pointwise)),
        ("act", activation(block.activation)),
        ("grn", GlobalResponseNorm() if block.grn else None),
        ("fc2", Pointwise(place.width, block.bias, block.pointwise)),
    ]
    inner = place._replace(width_in=place.width, stride=1, same_width=True)
    branches = (("attention", residual(silent, inner, first)), ("mlp", residual(silent, inner, present(*second))))
    checks = (check,) if place.keeps_shape else (_shape_check(place, path), check)
    return Lowered(Chain(branches), checks, (Adjustment(f"{path}.expansion_ratio", asked, hidden),))


def attention_of(block: Block, width: Any, path: str) -> tuple[Attention, Check]:
    """The attention that a block's knobs say, for a map of some width, and what must hold of its heads."""
    if off(block.heads):
        heads: Any = larger(width // block.head_width, 1)
        check = divides(f"{path}.head_width", "the head width", block.head_width, "width", width)
        check = check._replace(help="choose a head width, or a number of heads, that divides the width")
    else:
        heads = block.heads
        check = divides(f"{path}.heads", "the number of heads", heads, "width", width)
    shifted = block.shift and not off(block.window)
    relative = block.relative_position and not off(block.window)
    return Attention(heads, block.window, shifted, relative, block.bias), check


def _shape_check(place: Place, path: str) -> Check:
    stage = path.rpartition(".")[0]
    message = 'attention keeps width and resolution, but "in_block" leaves the change to its block: width {0} to {1}, stride {2}'
    help = 'choose a downsampling that does it before the block: "patch_merging", "separate" or a pool'
    values = (place.width_in, place.width, place.stride)
    return Check(f"{stage}.downsample.kind", "bad-layer", False, message, values, help)
