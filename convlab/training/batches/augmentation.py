"""What is done to an image of an epoch: how far it is moved, what part is cut out, whether it is mirrored, which box is erased.
Drawn for (seed, epoch, image), so that neither batch size nor the number of processes or workers changes it. Without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import numpy as np

from convlab.training.batches.order import below, mixed, uniforms, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOVE, FLIP, CROP, POLICY, ERASE, BOX, NOISE = 2, 3, 4, 5, 6, 7, 8
"""What numbers are drawn for, beside the order of images."""

ATTEMPTS: Final = 10
CROP_RATIOS: Final = (3 / 4, 4 / 3)
ERASED_AREAS: Final = (0.02, 1 / 3)
ERASED_RATIOS: Final = (0.3, 1 / 0.3)
"""Of torchvision's and timm's random resized crop (Szegedy et al., arXiv:1409.4842) and of random erasing (arXiv:1708.04896)."""


class Boxes(NamedTuple):
    """A box of each image, in pixels; a height of 0 is no box."""

    top: NDArray[np.int64]
    left: NDArray[np.int64]
    height: NDArray[np.int64]
    width: NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True)
class Draws:
    """What is drawn for images of one epoch of one seed; every method takes the numbers of the images and gives one value each."""

    seed: int
    epoch: int

    def moves(self, images: NDArray[np.int64], furthest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How far each image is moved down and to the right, from -furthest to furthest."""
        span = 2 * furthest + 1
        down, right = self._several(MOVE, images, 2)
        return below(span, down) - furthest, below(span, right) - furthest

    def flips(self, images: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which images are mirrored left to right: every second one."""
        return self._several(FLIP, images, 1)[0] < 0.5

    def crops(self, images: NDArray[np.int64], heights: Any, widths: Any, least_area: float) -> Boxes:
        """The part that is cut out of each image: an area of least_area to 1 of it, three quarters to four thirds as wide as tall.

        Where ten attempts do not fit into the image it is the largest box at its centre with such a ratio, as in torchvision.
        """
        area, ratio, down, right = self._several(CROP, images, 4, ATTEMPTS)
        tall, wide = np.broadcast_to(heights, images.shape), np.broadcast_to(widths, images.shape)
        areas = (tall * wide)[:, None] * (least_area + (1 - least_area) * area)
        height, width = _sides(areas, _between(CROP_RATIOS, ratio))
        fits = (height > 0) & (width > 0) & (height <= tall[:, None]) & (width <= wide[:, None])
        boxes = _first(fits, height, width, down, right, tall, wide)
        return Boxes(
            *(np.where(fits.any(1), found, middle) for found, middle in zip(boxes, _middle(tall, wide), strict=True))
        )

    def erased(self, images: NDArray[np.int64], height: int, width: int, probability: float) -> Boxes:
        """The box of each image that is erased, in ``probability`` of them: 2 % to a third of the area, smaller than the image."""
        chosen = self._several(ERASE, images, 1)[0] < probability
        area, ratio, down, right = self._several(BOX, images, 4, ATTEMPTS)
        tall, wide = np.full(images.shape, height), np.full(images.shape, width)
        low, high = ERASED_AREAS
        inner_height, inner_width = _sides(height * width * (low + (high - low) * area), _between(ERASED_RATIOS, ratio))
        fits = (inner_height < height) & (inner_width < width)
        boxes = _first(fits, inner_height, inner_width, down, right, tall, wide)
        kept = chosen & fits.any(1) & (boxes.width > 0)
        return Boxes(boxes.top, boxes.left, np.where(kept, boxes.height, 0), boxes.width)

    def seeds(self, purpose: int, images: NDArray[np.int64]) -> NDArray[np.uint64]:
        """A seed for each image, for generators of others that have to be made pure."""
        return words(mixed(self.seed, purpose, self.epoch, 1), images)

    def _several(
        self, purpose: int, images: NDArray[np.int64], count: int, attempts: int = 0
    ) -> list[NDArray[np.float64]]:
        """``count`` arrays of random numbers, one for each image, or for each image and attempt."""
        each = count * max(attempts, 1)
        counters = images[:, None] * each + np.arange(each)
        found = uniforms(mixed(self.seed, purpose, self.epoch), counters)
        shape = (len(images), count, attempts) if attempts else (len(images), count)
        return list(np.moveaxis(found.reshape(shape), 1, 0))


def reflected(places: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Places inside of 0 to size, where those outside are mirrored at the first and last pixel, as often as it takes."""
    period = max(1, 2 * (size - 1))
    around = places % period
    return np.minimum(around, period - around) if size > 1 else np.zeros_like(places)


def _between(bounds: tuple[float, float], fractions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ratios between bounds, as likely to be x as 1/x."""
    low, high = map(math.log, bounds)
    return np.exp(low + (high - low) * fractions)


def _sides(areas: NDArray[np.float64], ratios: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Height and width of boxes of an area, so many times as wide as tall."""
    return np.rint(np.sqrt(areas / ratios)).astype(np.int64), np.rint(np.sqrt(areas * ratios)).astype(np.int64)


def _first(
    fits: NDArray[np.bool_],
    heights: NDArray[np.int64],
    widths: NDArray[np.int64],
    down: NDArray[np.float64],
    right: NDArray[np.float64],
    tall: NDArray[np.int64],
    wide: NDArray[np.int64],
) -> Boxes:
    """Of each image the first attempt that fits, at its random place; nonsense where none does."""
    which = fits.argmax(1)[:, None]
    height, width = (np.take_along_axis(sides, which, 1)[:, 0] for sides in (heights, widths))
    top, left = (np.take_along_axis(places, which, 1)[:, 0] for places in (down, right))
    return Boxes(below(tall - height + 1, top), below(wide - width + 1, left), height, width)


def _middle(tall: NDArray[np.int64], wide: NDArray[np.int64]) -> Boxes:
    """The largest box at the centre of each image whose ratio is allowed."""
    low, high = CROP_RATIOS
    height = np.where(wide < low * tall, np.rint(wide / low).astype(np.int64), tall)
    width = np.where(wide > high * tall, np.rint(tall * high).astype(np.int64), wide)
    return Boxes((tall - height) // 2, (wide - width) // 2, height, width)
