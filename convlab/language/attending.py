"""What must hold of attention in a design: a class token that is pooled and has no neighbours, and no knobs without a use."""

from __future__ import annotations

from collections.abc import Iterator

from convlab.errors import Problem, quote
from convlab.language.blocks import ATTENTION_KINDS, KINDS, Block
from convlab.language.design import Design, lower
from convlab.layers import Attention, Row, walk
from convlab.layers.shape import POINT

WITHOUT = 'or do without the token: stem.class_token = false and head.pool = "average"'


def attention_faults(design: Design) -> list[Problem]:
    """What is wrong with the attention of a design that can be lowered."""
    found: list[Problem] = []
    for index, stage in enumerate(design.stages):
        if stage.block.kind in ATTENTION_KINDS:
            found += _unused(stage.block, f"stages.{index}.block")
            if stage.dilation != 1:
                message = f"blocks of kind {quote(stage.block.kind)} have no convolution to dilate"
                help = "write a dilation of 1 for the stages of attention"
                found.append(Problem("out-of-range", message, help=help, path=f"stages.{index}.dilation"))
    return found + list(_tokens(design))


def _unused(block: Block, path: str) -> Iterator[Problem]:
    """Knobs of windows where attention is global; those that the kind itself sets mean nothing there."""
    for name in ("shift", "relative_position"):
        if not block.window and getattr(block, name) and not KINDS[block.kind].get(name):
            message = f"{name} is for windows, and this attention is of the whole map"
            yield Problem("out-of-range", message, help=f"write window = 7, or leave {name} out", path=f"{path}.{name}")


def _tokens(design: Design) -> Iterator[Problem]:
    """A class token makes a column of tokens of the map: nothing after it may look at neighbours, and the token has to be pooled."""
    token, pool = design.stem.class_token, design.head.pool
    if pool == "token" and not token:
        help = 'write stem.class_token = true, or head.pool = "average"'
        yield Problem("out-of-range", "there is no class token to be pooled", help=help, path="head.pool")
    if token and pool != "token":
        message = f"there is a class token, but the head pools the {pool} of all tokens"
        help = 'write head.pool = "token", or stem.class_token = false'
        yield Problem("out-of-range", message, help=help, path="head.pool")
    if token:
        yield from _neighbours(design)


def _neighbours(design: Design) -> Iterator[Problem]:
    """The first layer of every stage that looks at neighbours."""
    seen = set()
    for part in lower(design).parts:
        stage = part.path.split(".")[1] if part.path.startswith("stages.") else "0"
        for row in walk(part.tree, design.image.shape, part.path):
            window = row.layer.field().widest
            if part.head or part.path == "stem" or stage in seen or window in (None, POINT):
                continue
            seen.add(stage)
            message = (
                f"{row.layer.label()} at {row.path} looks at neighbours, and tokens beside a class token have none"
            )
            knob, help = _way_out(row, design.stages[int(stage)].block)
            yield Problem("bad-layer", message, help=f"{help}, {WITHOUT}", path=f"stages.{stage}.{knob}")


def _way_out(row: Row, block: Block) -> tuple[str, str]:
    """The knob that makes a layer look at neighbours, and what to do about it."""
    if "downsample" in row.path:
        return "downsample", "let the design be one stage"
    if isinstance(row.layer, Attention) and block.kind in ATTENTION_KINDS:
        return "block.window", "write window = 0"
    if block.kind == "custom":
        return "block.kind", "let the block be of attention, norms and pointwise layers"
    return "block.kind", 'use blocks of kind "vit"'
