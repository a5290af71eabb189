"""Kernels: how far the spatial convolutions of a design's blocks see, also where a custom block writes them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convlab.language.blocks import ATTENTION_KINDS, Block
from convlab.language.design import Design
from convlab.language.layer_text import BRACKETS_OF_LAYERS, Call, parse_layer, values


def kernels(design: Design) -> tuple[int, ...]:
    """The largest kernel of every stage's blocks, in px a side; 0 for blocks of attention, which have none."""
    return tuple(
        0 if stage.block.kind in ATTENTION_KINDS else max(_written(stage.block), default=stage.block.kernel_size)
        for stage in design.stages
    )


def _written(block: Block) -> list[int]:
    """The kernels that a custom block's layers say, or take from the block."""
    calls = [parse_layer(text) for branch in block.branches or (block.branch,) for text in branch]
    return [size for call in calls for size in _of_call(call, block.kernel_size)]


def _of_call(call: Call, default: int) -> Iterator[int]:
    if call.name in BRACKETS_OF_LAYERS:
        for item in call.arguments:
            if isinstance(item, Call):
                yield from _of_call(item, default)
    elif call.name in ("depthwise", "conv"):
        size: Any = values(call).get("kernel_size", default)
        yield size
