"""How one tensor of ours is kept in another layout: each transform goes both ways, without rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor

Pieces = tuple[Tensor, ...]
Shape = tuple[int, ...]


class Transform(NamedTuple):
    """``theirs`` makes their pieces of our tensor, ``ours`` our tensor of a given shape of the pieces that hold it.

    Only the first ``needed`` pieces hold it; the others are derived and may be absent.
    """

    theirs: Callable[[Tensor], Pieces]
    ours: Callable[[Pieces, Shape], Tensor]
    needed: int = 1
    moves: bool = False
    """Whether numbers change their order, so that a shape of another rank is no mere reshape."""


def _reshaped(pieces: Pieces, shape: Shape) -> Tensor:
    return pieces[0].reshape(shape)


def _joined(pieces: Pieces, shape: Shape) -> Tensor:
    return torch.cat(pieces).reshape(shape)


def _view(theirs: Callable[[Tensor], Tensor]) -> Transform:
    """A transform that only changes the shape."""
    return Transform(lambda ours: (theirs(ours),), _reshaped)


def _sparse_depthwise(ours: Tensor) -> Pieces:
    """A [C, 1, k, k] kernel as [k * k, C], its positions column by column."""
    return (ours.transpose(2, 3).flatten(1).t(),)


def _dense_depthwise(pieces: Pieces, shape: Shape) -> Tensor:
    return pieces[0].t().reshape(shape).transpose(2, 3)


def _sparse_convolution(ours: Tensor) -> Pieces:
    """An [O, I, k, k] kernel as [k * k, I, O], its positions column by column."""
    return (ours.transpose(2, 3).flatten(2).permute(2, 1, 0),)


def _dense_convolution(pieces: Pieces, shape: Shape) -> Tensor:
    return pieces[0].permute(2, 1, 0).reshape(shape).transpose(2, 3)


def _with_index(ours: Tensor) -> Pieces:
    """A table of relative positions, and the row of it that each pair of a window's pixels reads (Liu et al., 2021, arXiv:2103.14030)."""
    side = round(ours.shape[0] ** 0.5)
    window = (side + 1) // 2
    rows, columns = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
    rows, columns = rows.flatten(), columns.flatten()
    down = rows[:, None] - rows[None, :] + window - 1
    right = columns[:, None] - columns[None, :] + window - 1
    return ours, down * side + right


TRANSFORMS: Final[dict[str, Transform]] = {
    "": _view(lambda ours: ours),
    "matrix": _view(lambda ours: ours.flatten(1) if ours.dim() == 4 else ours),
    "kernel": _view(lambda ours: ours[:, :, None, None] if ours.dim() == 2 else ours),
    "column": _view(lambda ours: ours.reshape(-1, 1, 1)),
    "row": _view(lambda ours: ours.reshape(1, -1)),
    "map": _view(lambda ours: ours.reshape(1, 1, 1, -1)),
    "thirds": Transform(lambda ours: ours.chunk(3), _joined, needed=3),
    "indexed": Transform(_with_index, _reshaped),
    "flat_indexed": Transform(lambda ours: (ours, _with_index(ours)[1].flatten()), _reshaped),
    "sparse_depthwise": Transform(_sparse_depthwise, _dense_depthwise, moves=True),
    "sparse_convolution": Transform(_sparse_convolution, _dense_convolution, moves=True),
}
"""By the name that a table's cell gives: "matrix" keeps a 1x1 kernel as a matrix, "kernel" a matrix as a 1x1 kernel, ..."""
