"""How a transformer block becomes layers: a residual branch of attention, then one of a pointwise expansion and projection."""

from __future__ import annotations

import dataclasses
from typing import Any

from convlab.language.blocks import Block
from convlab.language.lowering import Adjustment, Check, Lowered, Place, activation, divides, norm, off, present, residual
from convlab.layers import Attention, Chain, GlobalResponseNorm, Layer, Pointwise
from convlab.layers.shape import larger, rounded


def lower_transformer(block: Block, place: Place, path: str) -> Lowered:
    """The layers of a block of a kind with attention; ``block.shift`` says whether this block's windows are shifted."""
    asked = block.expansion_ratio * place.width
    hidden = rounded(asked)
    attention, checks = attention_of(block, place.width, path)
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
    if not place.keeps_shape:
        checks = (_shape_check(place, path), *checks)
    return Lowered(Chain(branches), checks, (Adjustment(f"{path}.expansion_ratio", asked, hidden),))


def attention_of(block: Block, width: Any, path: str) -> tuple[Attention, tuple[Check, ...]]:
    """The attention that a block's knobs say, for a map of some width, and what must hold of its heads."""
    heads: Any = block.heads
    name, knob, divisor = "the number of heads", "heads", heads
    if off(heads):
        heads = larger(width // block.head_width, 1)
        name, knob, divisor = "the head width", "head_width", block.head_width
    shifted = block.shift and not off(block.window)
    relative = block.relative_position and not off(block.window)
    return (
        Attention(heads, block.window, shifted, relative, block.bias),
        (divides(f"{path}.{knob}", name, divisor, "block's width", width),),
    )


def _shape_check(place: Place, path: str) -> Check:
    message = "attention changes neither the width nor the resolution: here the width goes from {0} to {1}, the stride is {2}"
    help = 'let the downsampling do it: downsample.kind = "patch_merging" or "separate"'
    return Check(f"{path}.kind", "bad-layer", False, message, (place.width_in, place.width, place.stride), help)
