"""From uint8 pixels to what a network takes: float32, each channel less its mean and over its deviation, in the recipe's memory format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import torch

if TYPE_CHECKING:
    from torch import Tensor


@final
class Normalization:
    """Mean and deviation of each channel, given on the scale 0..1, for images of one width, on the device."""

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], *, width: int, device: torch.device, channels_last: bool
    ) -> None:
        # A line of an image is worked on at once: its three channels alone are too short a stretch.
        self._mean, self._std = (
            torch.tensor(values, dtype=torch.float64).mul(255).float().repeat(width).to(device)
            for values in (mean, std)
        )
        self._format = torch.channels_last if channels_last else torch.contiguous_format

    def __call__(self, pixels: Tensor) -> Tensor:
        """Pixels (uint8, N x H x W x C) as float32, N x C x H x W: (pixel - 255 mean) / (255 std)."""
        count, height, width, channels = pixels.shape
        lines = pixels.reshape(-1, width * channels).to(torch.float32)
        lines.sub_(self._mean).div_(self._std)
        return lines.view(count, height, width, channels).permute(0, 3, 1, 2).contiguous(memory_format=self._format)
