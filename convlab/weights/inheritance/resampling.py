"""Tensors over a grid at another resolution: patch kernels, position embeddings, relative position tables, image channels."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def patch_kernel(kernel: Tensor, side: int) -> Tensor:
    """Kernels [outputs, inputs, k, k] for patches of another side, in float64 inside.

    A patch, and the same patch enlarged (bilinear), get one answer from the kernels of their sides. For larger kernels it is the
    pseudo-inverse of enlarging that does so (Beyer et al., 2022, 'FlexiViT', arXiv:2212.08013).
    """
    old = kernel.shape[-1]
    small, large = min(old, side), max(old, side)
    basis = torch.eye(small * small, dtype=torch.float64).view(-1, 1, small, small)
    enlarge = functional.interpolate(basis, (large, large), mode="bilinear").flatten(1)
    change = enlarge.T if old == large else torch.linalg.pinv(enlarge).T
    found: Tensor = kernel.double().flatten(2) @ change
    return found.view(*kernel.shape[:2], side, side).to(kernel.dtype)


def image_channels(kernel: Tensor, channels: int) -> Tensor:
    """Kernels [outputs, inputs, k, k] for images of another number of channels.

    Summed for one channel, so that a grey image gives what it gave as equal channels; otherwise taken in turns and scaled by old over
    new channels, so that equal channels give the same sum again.
    """
    if channels == 1:
        return kernel.sum(1, keepdim=True)
    turns = torch.arange(channels) % kernel.shape[1]
    return kernel[:, turns] * (kernel.shape[1] / channels)


def position_grid(embedding: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Position embeddings [1, positions, channels] of a grid, resampled (bicubic) for another one, as the built model does it."""
    grid = embedding.view(1, *old, embedding.shape[2]).permute(0, 3, 1, 2)
    found = functional.interpolate(grid.float(), new, mode="bicubic", antialias=True)
    return found.to(embedding.dtype).flatten(2).transpose(1, 2)


def relative_positions(table: Tensor, rows: int) -> Tensor:
    """A relative position table [(2 x window - 1)^2, heads] of another number of rows, by offset.

    An offset that both windows have keeps its number. Offsets beyond the old window take that of the nearest one inside.
    """
    old, new = math.isqrt(table.shape[0]), math.isqrt(rows)
    margin = (new - old) // 2
    nearest = (torch.arange(new) - margin).clamp(0, old - 1)
    return table[(nearest.view(-1, 1) * old + nearest.view(1, -1)).flatten()]
