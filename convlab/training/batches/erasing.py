"""Random erasing on the device: boxes of images overwritten with normal noise, each pixel's a function of seed, epoch, image and place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from convlab.training.batches.augmentation import NOISE, Draws
from convlab.training.batches.order import FACTORS, GOLDEN, SHIFTS, WORD
from convlab.training.batches.placing import placed

if TYPE_CHECKING:
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
    seeds = placed(draws.seeds(NOISE, numbers[chosen]).view("int64"), images.device)
    noise = _normal(seeds, images[0].numel()).view(-1, *images.shape[1:])
    # Which noise is an image's: to write to chosen images by their numbers would have the host wait for a GPU that is deterministic.
    own = np.zeros(len(images), np.int64)
    own[chosen] = np.arange(len(chosen))
    place, top, left, height, width = placed(np.stack((own, *boxes)), images.device)
    inside = (
        _within(top, height, images.shape[2])[:, None, :, None] & _within(left, width, images.shape[3])[:, None, None]
    )
    return images.copy_(torch.where(inside, noise.index_select(0, place), images))


def _within(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Which of ``size`` places are in each stretch: bool (stretches, size)."""
    places = torch.arange(size, device=start.device)
    return (places >= start[:, None]) & (places < (start + length)[:, None])


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
