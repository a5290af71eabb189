"""Random erasing on the device: boxes of images overwritten with normal noise, each pixel's a function of seed, epoch, image and place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch

from convlab.training.batches.augmentation import NOISE, Draws
from convlab.training.batches.order import FACTORS, GOLDEN, SHIFTS, WORD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

BITS: Final = 24
"""How many bits of a hash become one float32."""


def erase(images: Tensor, numbers: NDArray[np.int64], draws: Draws, *, probability: float) -> Tensor:
    """The normalised images (N, C, H, W), a box of some overwritten in place with noise of mean 0 and deviation 1.

    ``numbers`` are the images' numbers in the split. Areas and ratios are those of timm's mode "pixel" (arXiv:1708.04896). No
    generator is used: noise for a share of a batch is the same as that share of the noise of the whole.
    """
    boxes = draws.erased(numbers, images.shape[2], images.shape[3], probability)
    (chosen,) = boxes.height.nonzero()
    if not len(chosen):
        return images
    top, left, height, width = (torch.from_numpy(side[chosen]).to(images.device)[:, None] for side in boxes)
    rows, columns = (torch.arange(size, device=images.device) for size in images.shape[2:])
    inside = ((rows >= top) & (rows < top + height))[:, :, None] & ((columns >= left) & (columns < left + width))[
        :, None
    ]
    seeds = torch.from_numpy(draws.seeds(NOISE, numbers[chosen]).view("int64")).to(images.device)
    which = torch.from_numpy(chosen).to(images.device)
    noise = _normal(seeds, images[0].numel()).view(-1, *images.shape[1:])
    images[which] = torch.where(inside[:, None], noise, images[which])
    return images


def _normal(seeds: Tensor, count: int) -> Tensor:
    """Numbers of a normal distribution, float32 (seeds, count), by Box and Muller's transform of ``order.words``."""
    state = seeds[:, None] + torch.arange(1, count + 1, device=seeds.device) * _signed(GOLDEN)
    for shift, factor in zip(SHIFTS, FACTORS, strict=False):
        state = (state ^ _shifted(state, shift)) * _signed(factor)
    state = state ^ _shifted(state, SHIFTS[2])
    # Never 0, whose logarithm is none.
    radius = (_shifted(state, 64 - BITS).float() + 1) * 2.0**-BITS
    angle = (_shifted(state, 64 - 2 * BITS) & (2**BITS - 1)).float() * (2 * math.pi * 2.0**-BITS)
    return radius.log_().mul_(-2).sqrt_().mul_(angle.cos_())


def _shifted(words: Tensor, places: int) -> Tensor:
    """Words shifted right with zeros coming in; torch's own shift brings in the sign."""
    return (words >> places) & (WORD >> places)


def _signed(word: int) -> int:
    """The same 64 bits as a signed number."""
    return word - 2**64 if word >= 2**63 else word
