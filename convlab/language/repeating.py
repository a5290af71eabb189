"""How the blocks of a stage become layers: one block repeated, a first one that differs, or plain and shifted ones taking turns."""

from __future__ import annotations

from typing import Any

from convlab.language.blocks import ATTENTION_KINDS, Block
from convlab.language.custom import lower_custom
from convlab.language.knobs import changed
from convlab.language.lowering import Lowered, Place, lower_block, off
from convlab.language.transformer import lower_transformer
from convlab.layers import Chain, Repeat


def lower_blocks(block: Block, first: Place, path: str, *, depth: Any) -> Lowered:
    """``depth`` blocks; the first one stands at ``first``, the others take what it puts out. ``path`` is their knob path."""
    if block.kind in ATTENTION_KINDS and block.shift and not off(block.window):
        return _turns(block, first, path, depth=depth)
    inner = first._replace(width_in=first.width, stride=1, first_dilation=first.dilation, same_width=True)
    if first.keeps_shape and first.first_dilation == first.dilation:
        one = _lower_one(block, inner, path)
        return one._replace(tree=Chain((("0", Repeat(one.tree, depth)),)))
    one = _lower_one(block, first, path)
    if off(depth - 1):
        return one._replace(tree=Chain((("0", one.tree),)))
    other = _lower_one(block, inner, path)
    # In a population some members may have no other block: nothing is asked of it there.
    checks = tuple(check._replace(holds=check.holds | (depth == 1)) for check in other.checks)
    tree = Chain((("0", one.tree), ("1", Repeat(other.tree, depth - 1))))
    return Lowered(tree, one.checks + checks, one.adjustments + other.adjustments)


def _turns(block: Block, place: Place, path: str, *, depth: Any) -> Lowered:
    """Blocks of which every second one is shifted: pairs, and one more where the depth is odd."""
    plain = _lower_one(changed(block, {"shift": False}), place, path)
    shifted = _lower_one(block, place, path)
    pair = Repeat(Chain((("0", plain.tree), ("1", shifted.tree))), depth // 2, period=2)
    last = Repeat(plain.tree, depth % 2)
    if type(depth) is not int:
        return plain._replace(tree=Chain((("0", pair), ("last", last))))
    there = [("0", pair)] * (depth > 1) + [(str(depth - 1), last)] * (depth % 2)
    return plain._replace(tree=Chain(tuple(there)))


def _lower_one(block: Block, place: Place, path: str) -> Lowered:
    if block.kind in ATTENTION_KINDS:
        return lower_transformer(block, place, path)
    return lower_custom(block, place, path) if block.kind == "custom" else lower_block(block, place, path)
