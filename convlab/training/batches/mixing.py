"""Mixup and CutMix: timm's laws, drawn for (seed, step), with neighbours in the batch as partners."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, final

import numpy as np
import torch

from convlab.training.batches.order import mixed

if TYPE_CHECKING:
    from torch import Tensor

MIX: Final = 20
"""What numbers are drawn for, beside those of ``order`` and ``augmentation``."""


class Mix(NamedTuple):
    """How a batch is mixed: each image keeps this share of itself; a box (top, bottom, left, right) where it is CutMix."""

    share: float
    box: tuple[int, int, int, int] | None = None


@final
@dataclass(frozen=True, slots=True)
class Mixing:
    """What becomes of images and labels that stand in one batch (mixup: arXiv:1710.09412, CutMix: arXiv:1905.04899).

    One share and one box serve a whole step, as in timm's batch mode and ConvNeXt's training. An image is mixed with its neighbour, 0
    with 1, 2 with 3, and not with the one at the other end, as in timm: so a part of a batch mixes alike wherever it is cut between
    pairs, over processes as over micro-batches. The last of an odd number stays as it is.
    """

    seed: int
    classes: int
    mixup: float = 0.0
    cutmix: float = 0.0
    probability: float = 1.0
    switch_probability: float = 0.5

    @property
    def blends(self) -> bool:
        """Whether images are mixed at all."""
        return bool((self.mixup or self.cutmix) and self.probability)

    def drawn(self, step: int, height: int, width: int) -> Mix:
        """How the step's images of this size are mixed; the draws follow timm's, one by one."""
        if not self.blends:
            return Mix(1.0)
        # numpy promises that this generator's numbers never change; those of the newer ones may.
        source = np.random.RandomState(mixed(self.seed, MIX, step) & 0xFFFFFFFF)
        if source.rand() >= self.probability:
            return Mix(1.0)
        cuts = source.rand() < self.switch_probability if self.mixup and self.cutmix else bool(self.cutmix)
        share = source.beta(self.cutmix, self.cutmix) if cuts else source.beta(self.mixup, self.mixup)
        return _box(source, float(share), height, width) if cuts else Mix(float(share))

    def images(self, images: Tensor, mix: Mix) -> Tensor:
        """The images (N, C, H, W), mixed in place."""
        if mix.share == 1:
            return images
        partners = images[_neighbours(len(images), images.device)]
        if mix.box is None:
            return images.mul_(mix.share).add_(partners.mul_(1 - mix.share))
        top, bottom, left, right = mix.box
        images[:, :, top:bottom, left:right] = partners[:, :, top:bottom, left:right]
        return images

    def targets(self, labels: Tensor, mix: Mix) -> Tensor:
        """What the network should say: labels (int64, N), or where this recipe mixes at all, probabilities (float32, N x classes)."""
        if not self.blends:
            return labels
        sharp = (labels[:, None] == torch.arange(self.classes, device=labels.device)).float()
        return sharp * mix.share + sharp[_neighbours(len(labels), labels.device)] * (1 - mix.share)


def _box(source: np.random.RandomState, share: float, height: int, width: int) -> Mix:
    """A box of 1 - share of the image around a random point, cut at the borders, and the share that it really leaves."""
    tall, wide = (int(side * math.sqrt(1 - share)) for side in (height, width))
    down, right = int(source.randint(0, height)), int(source.randint(0, width))
    top, bottom = max(0, down - tall // 2), min(height, down + (tall + 1) // 2)
    left, beyond = max(0, right - wide // 2), min(width, right + (wide + 1) // 2)
    return Mix(1 - (bottom - top) * (beyond - left) / (height * width), (top, bottom, left, beyond))


def _neighbours(count: int, device: torch.device) -> Tensor:
    """The partner of each image."""
    return (torch.arange(count, device=device) ^ 1).clamp_(max=count - 1)
