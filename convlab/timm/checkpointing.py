"""Gradient checkpointing: the backward pass runs the blocks again instead of keeping what they computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from timm.models import checkpoint
from torch import Tensor, nn


def checkpointed(model: nn.Module, names: Sequence[str], x: Tensor) -> Tensor:
    """Run some children of a model, in their order."""
    for name, child in model.named_children():
        x = rerun(name, child, x) if name in names else x
    return x


def rerun(path: str, module: nn.Module, x: Tensor) -> Tensor:
    """Run a module whose path is given; of stages only what goes into each block is kept for the backward pass."""
    for inner, piece in _pieces(path, module):
        x = checkpoint(piece, x) if _is_block(inner) else piece(x)
    return x


def _pieces(path: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The blocks of stages, and what stands before them."""
    if not _holds_blocks(path):
        yield path, module
        return
    for name, child in module.named_children():
        yield from _pieces(f"{path}.{name}", child)


def _holds_blocks(path: str) -> bool:
    parts = path.split(".")
    return parts[-1] in ("stages", "blocks") or (parts[0] == "stages" and len(parts) == 2)


def _is_block(path: str) -> bool:
    parts = path.split(".")
    return len(parts) > 1 and parts[-2] == "blocks"
