"""What is done to one picture, by Pillow: it is cut to size, mirrored and given to timm's policies to train on, or cut as ImageNet's
evaluation does. Without torch, unless there is a policy: worker processes do this."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from PIL import Image, ImageOps

from convlab.errors import ConvlabError, Problem, quote
from convlab.training.batches.augmentation import POLICY, Draws, reflected
from convlab.training.data.datasets import Files
from convlab.training.data.pictures import picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

JUDGED: Final = -1
"""In the place of an epoch: pictures are to be judged, not to train on."""

WARPED_FROM: Final = 384
"""From this size on the whole picture is judged, whatever its proportions, where nothing is to be cut off (ConvNeXt, appendix A.2)."""

RESAMPLING: Final = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
}


@final
@dataclass(frozen=True, eq=False, slots=True)
class Pixels:
    """Pictures that are in memory, uint8, N x H x W x C; ``numbers`` are theirs in the split, where they are some of it."""

    values: NDArray[np.uint8]
    numbers: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def only(self, images: NDArray[np.int64]) -> Pixels:
        """Some of the pictures, which keep their numbers."""
        return Pixels(self.values[images], images)

    def picture(self, image: int) -> Image.Image:
        """One of them, as Pillow's."""
        values = self.values[image if self.numbers is None else (self.numbers == image).argmax()]
        return Image.fromarray(values[:, :, 0] if values.shape[2] == 1 else values)

    def name(self, image: int) -> str:
        """What messages call the picture."""
        return f"image {image}"


Pictures = Files | Pixels


def channels_of(pictures: Pictures) -> int:
    """Channels of the images that pictures become."""
    return pictures.channels if isinstance(pictures, Files) else pictures.values.shape[3]


def name_of(pictures: Pictures, image: int) -> str:
    """What messages call a picture."""
    return pictures.contents.name(image) if isinstance(pictures, Files) else pictures.name(image)


@final
@dataclass(frozen=True, slots=True)
class Preparation:
    """How pictures of any size become images of one size; the knobs are the recipe's, ``mean`` the data set's."""

    height: int
    width: int
    seed: int
    mean: tuple[float, ...]
    crop: str = "none"
    crop_padding: int = 0
    crop_least_area: float = 0.08
    flip: bool = False
    random_augment: str = ""
    interpolation: str = "bicubic"
    evaluation_crop: float = 1.0

    def prepared(self, pictures: Pictures, epoch: int, image: int) -> NDArray[np.uint8]:
        """One picture as H x W x C, uint8: as it is judged, or as it is in an epoch. Raises ConvlabError for one that cannot be read."""
        found = _opened(pictures, image)
        shaped = self.judged(found) if epoch == JUDGED else self.trained(found, epoch, image)
        return np.asarray(shaped, np.uint8).reshape(self.height, self.width, -1)

    def trained(self, found: Image.Image, epoch: int, image: int) -> Image.Image:
        """The picture as it is to train on: a function of (seed, epoch, image)."""
        draws, numbers = Draws(self.seed, epoch), np.array([image])
        found = self._cut(found, draws, numbers)
        if self.flip and draws.flips(numbers)[0]:
            found = found.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if not self.random_augment:
            return found
        policy = policy_of(self.random_augment, min(self.height, self.width), self.mean, self.interpolation)
        with _global_generators(int(draws.seeds(POLICY, numbers)[0])):
            return policy(found.convert("RGB")).convert(found.mode)

    def judged(self, found: Image.Image) -> Image.Image:
        """The centre of the picture: resized in proportion to cover the image's size over ``evaluation_crop``, then cut."""
        kind = RESAMPLING[self.interpolation]
        if self.evaluation_crop == 1 and min(self.height, self.width) >= WARPED_FROM:
            return found.resize((self.width, self.height), kind)
        tall, wide = int(self.height / self.evaluation_crop), int(self.width / self.evaluation_crop)
        if tall * found.width >= wide * found.height:
            found = found.resize((max(wide, int(tall * found.width / found.height)), tall), kind)
        else:
            found = found.resize((wide, max(tall, int(wide * found.height / found.width))), kind)
        top, left = round((found.height - self.height) / 2), round((found.width - self.width) / 2)
        return found.crop((left, top, left + self.width, top + self.height))

    def _cut(self, found: Image.Image, draws: Draws, numbers: NDArray[np.int64]) -> Image.Image:
        if self.crop == "resized":
            boxes = draws.crops(numbers, found.height, found.width, self.crop_least_area)
            top, left, height, width = (int(side[0]) for side in boxes)
            part = found.crop((left, top, left + width, top + height))
            return part.resize((self.width, self.height), RESAMPLING[self.interpolation])
        whole = self.judged(found)
        if self.crop == "none":
            return whole
        down, right = draws.moves(numbers, self.crop_padding)
        rows = reflected(down + np.arange(self.height), self.height)
        return Image.fromarray(np.asarray(whole)[rows][:, reflected(right + np.arange(self.width), self.width)])


@lru_cache(maxsize=4)
def policy_of(
    words: str, size: int, mean: tuple[float, ...], interpolation: str
) -> Callable[[Image.Image], Image.Image]:
    """The policy of timm that these words mean, such as rand-m9-mstd0.5-inc1, as timm makes it for images of this size.

    Raises ConvlabError where timm does not take the words.
    """
    from timm.data import auto_augment

    colour = tuple(min(255, round(255 * value)) for value in (mean * 3)[:3])
    options: dict[str, Any] = {"translate_const": int(size * 0.45), "img_mean": colour}
    options["interpolation"] = RESAMPLING[interpolation]
    try:
        made: Callable[[Image.Image], Image.Image]
        if words.startswith("augmix"):
            made = auto_augment.augment_and_mix_transform(words, {**options, "translate_pct": 0.3})
        elif words.startswith("rand"):
            made = auto_augment.rand_augment_transform(words, options)
        else:
            made = auto_augment.auto_augment_transform(words, options)
    except (AssertionError, ValueError, KeyError) as error:
        problem = Problem(
            "out-of-range",
            f"timm knows no augmentation {quote(words)}{f': {error}' if str(error) else ''}",
            help='RandAugment is written like "rand-m9-mstd0.5-inc1", AugMix "augmix-m5-w4-d2", AutoAugment "original-mstd0.5"',
            path="random_augment",
        )
        raise ConvlabError(problem, exit_code=2) from None
    _mend(made)
    return made


def _mend(policy: Any) -> None:
    """Let timm's posterisation down to 0 bits be a black image, as it was before Pillow 13, which refuses it."""
    from timm.data.auto_augment import posterize

    for operation in (*getattr(policy, "ops", ()), *chain(*getattr(policy, "policy", ()))):
        if operation.aug_fn is posterize:
            operation.aug_fn = _posterized


def _posterized(found: Image.Image, bits: int, **_: Any) -> Image.Image:
    return ImageOps.posterize(found, bits) if bits > 0 else found.point(lambda _: 0)


def _opened(pictures: Pictures, image: int) -> Image.Image:
    if isinstance(pictures, Pixels):
        return pictures.picture(image)
    contents = pictures.contents
    return picture(contents.read(image), contents.name(image), channels=pictures.channels)


@contextmanager
def _global_generators(seed: int) -> Iterator[None]:
    """Python's and numpy's global generators, which timm's policies draw from, with a seed of ours; afterwards as they were."""
    before, numpy_before = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)
