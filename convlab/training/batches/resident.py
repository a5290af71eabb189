"""Small sets: one uint8 tensor that lies on the device, from which moved and mirrored images are gathered in one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import numpy as np
import torch
import torch.nn.functional as F

from convlab.training.batches.augmentation import Boxes, Draws, reflected
from convlab.training.batches.placing import placed
from convlab.training.batches.source import Source

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from convlab.training.batches.order import Order
    from convlab.training.recipes.recipe import Recipe

LARGEST: Final = 2**31 - 1
"""Indices up to here are gathered with 32 bits, a quarter faster than with 64."""


@final
class Resident(Source):
    """The images of the training split on the device."""

    def __init__(self, images: Tensor, order: Order, recipe: Recipe, *, device: torch.device) -> None:
        self._pixels = images.permute(0, 2, 3, 1).contiguous().to(device)
        self._order, self._recipe, self._device = order, recipe, device

    def training(self, step: int, start: int, stop: int) -> Tensor:
        images = self._order.images(step)[start:stop]
        draws = Draws(self._order.seed, self._order.epoch(step))
        flips = draws.flips(images) if self._recipe.flip else np.zeros(len(images), np.bool_)
        if self._recipe.crop == "none" and not self._recipe.flip:
            return self._pixels.index_select(0, self._there(images))
        if self._recipe.crop == "resized":
            height, width = self._pixels.shape[1:3]
            boxes = draws.crops(images, height, width, self._recipe.crop_least_area)
            return resized(self._pixels[self._there(images)], boxes, flips, mode=self._recipe.interpolation)
        furthest = self._recipe.crop_padding if self._recipe.crop == "pad" else 0
        return self._gathered(images, *draws.moves(images, furthest), flips)

    def close(self) -> None:
        """Nothing is prepared ahead."""

    def _gathered(
        self, images: NDArray[np.int64], down: NDArray[np.int64], right: NDArray[np.int64], flips: NDArray[np.bool_]
    ) -> Tensor:
        """Images moved by so many pixels within a border of their own reflection, and mirrored: one gather of whole pixels."""
        _, height, width, channels = self._pixels.shape
        rows = images[:, None] * height + reflected(down[:, None] + np.arange(height), height)
        forward = np.arange(width)
        columns = reflected(right[:, None] + np.where(flips[:, None], forward[::-1], forward), width)
        pixels = self._pixels.view(-1, channels) if channels > 1 else self._pixels.view(-1)
        kind = np.int32 if len(pixels) <= LARGEST else np.int64
        places = self._there((rows * width).astype(kind))[:, :, None] + self._there(columns.astype(kind))[:, None]
        return pixels.index_select(0, places.view(-1)).view(len(images), height, width, channels)

    def _there(self, values: NDArray[np.generic]) -> Tensor:
        return placed(values, self._device)


def resized(images: Tensor, boxes: Boxes, flips: NDArray[np.bool_], *, mode: str) -> Tensor:
    """The part in the box of each image (uint8, N, H, W, C), enlarged to the image's size and mirrored, rounded to uint8 again."""
    height, width = images.shape[1:3]
    rows = _sampled(boxes.top, boxes.height, height)
    columns = _sampled(boxes.left, boxes.width, width)
    columns = np.where(flips[:, None], columns[:, ::-1], columns)
    shape = (len(images), height, width)
    across, down = (placed(places.astype(np.float32), images.device) for places in (columns, rows))
    grid = torch.stack((across[:, None, :].expand(shape), down[:, :, None].expand(shape)), -1)
    found = F.grid_sample(
        images.permute(0, 3, 1, 2).float(), grid, mode=mode, padding_mode="border", align_corners=False
    )
    return found.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def _sampled(start: NDArray[np.int64], length: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Where on the scale of -1 (the image's first edge) to 1 (its last) the pixels of an enlarged box are taken from."""
    inside = (np.arange(size) + 0.5) / size
    return 2 * (start[:, None] + inside * length[:, None]) / size - 1
