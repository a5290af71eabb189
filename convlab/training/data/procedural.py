"""The procedural set, which is drawn instead of read: 12 classes, each of which shows itself by one cue, near, middling or far.

Image i of a split is a pure function of (seed, split, i), the same on every machine. docs/procedural_data.md shows it, and
what was measured on it.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convlab.errors import ConvlabError, Problem
from convlab.progress import Progress, Work
from convlab.training.data import patterns
from convlab.training.data.datasets import Dataset, Split
from convlab.training.data.registry import registered

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "procedural"

LAW = 1
"""The version of the law: another number draws other pictures."""

IMAGE_SIZE = 48
"""The smallest size at which a 7 x 7 kernel behind a stem of stride 2 sees a part of the map and not nearly all of it."""

SMALLEST, LARGEST = 28, 256

COUNTS = {"train": 65_536, "validation": 8_192, "test": 8_192}
"""A sprint sees each training image once; 8,192 images tell an accuracy of 60 % to a standard error of 0.54 points."""

CUES: dict[str, tuple[str, ...]] = {
    "texture": tuple(patterns.TEXTURES),
    "shape": tuple(patterns.SILHOUETTES),
    "long_range": tuple(patterns.PAIRS),
}

CLASSES: tuple[str, ...] = tuple(name for kinds in CUES.values() for name in kinds)

KINDS = 4
"""Classes of a cue."""

CONTRAST = {"texture": (3.0, 28.0), "shape": (6.0, 44.0), "long_range": (16.0, 118.0)}
"""How much brighter a pattern is than what is behind it, in steps of 255; it is drawn anew for each image, so that some stay hard."""

NOISE = (12.0, 56.0)
"""The largest deviation of a pixel, in steps of 255, evenly distributed, each channel by itself."""

BACKGROUND = 16.0
"""Amplitude of the two long waves behind each channel."""

BACKGROUND_WAVELENGTH = (1.0, 3.0)
"""Of these waves, in image sizes."""

CHROMA = 0.6
"""How far the channels of a pattern's colour are from grey."""

HEADER = 64
"""Random words of an image, before the bytes of its noise."""

CHUNK = 256
"""Images drawn at a time: their planes stay in the cache."""

STATISTICS = 4_096
"""Training images from which mean and standard deviation are taken."""

CHECKED = 48
"""Images of each split that go into the checksum."""


def draw(split: str, indices: Sequence[int], *, image_size: int = IMAGE_SIZE, seed: int = 0) -> NDArray[np.uint8]:
    """The images of these indices: uint8, N x 3 x size x size; the class of image i is i modulo 12."""
    drawn = np.empty((len(indices), 3, image_size, image_size), np.uint8)
    for start in range(0, len(indices), CHUNK):
        chunk = indices[start : start + CHUNK]
        drawn[start : start + CHUNK] = _drawn(f"{LAW} {seed} {split}", np.asarray(chunk), image_size)
    return drawn


@registered(NAME, "drawn by a law: textures, silhouettes and far pairs of blobs, 12 classes", where=lambda: "generated")
def load(image_size: int = 0, *, seed: int = 0) -> Work[Dataset]:
    """The set, drawn in some seconds; ``image_size`` (default 48 px) draws it larger or smaller instead of resizing."""
    from convlab.training.data.assembling import statistics

    size = image_size or IMAGE_SIZE
    if not SMALLEST <= size <= LARGEST:
        message = f"the procedural set cannot be drawn at {size} px"
        help = f"image sizes from {SMALLEST} to {LARGEST} px keep its cues apart; {IMAGE_SIZE} is the default"
        raise ConvlabError(Problem("unfit-data", message, help=help), exit_code=2)
    digest = hashlib.sha256(f"{LAW} {seed} {size} {COUNTS}".encode())
    drawn, start = [], time.monotonic()
    for name, count in COUNTS.items():
        drawn.append(np.empty((count, 3, size, size), np.uint8))
        for first in range(0, count, CHUNK):
            chunk = range(first, min(first + CHUNK, count))
            drawn[-1][first : chunk.stop] = draw(name, chunk, image_size=size, seed=seed)
            done, total = sum(map(len, drawn)) - count + chunk.stop, sum(COUNTS.values())
            passed = time.monotonic() - start
            yield Progress(done, total, "drawing pictures", passed, passed / done * (total - done))
        digest.update(drawn[-1][:CHECKED].tobytes())
    train, validation, test = map(_split, drawn)
    mean, std = statistics(train.images[:STATISTICS])  # type: ignore[index]  # not Files: drawn images are a tensor
    return Dataset(
        name=NAME,
        classes=CLASSES,
        channels=3,
        height=size,
        width=size,
        train=train,
        validation=validation,
        test=test,
        mean=mean,
        std=std,
        checksum=digest.hexdigest(),
        source="generated",
        note="not to be mirrored: rising and falling pairs would change places",
    )


def _split(images: NDArray[np.uint8]) -> Split:
    import torch

    labels = torch.arange(len(images)) % len(CLASSES)
    cues = {cue: labels // KINDS == number for number, cue in enumerate(CUES)}
    return Split(torch.from_numpy(images), labels, cues)


def _drawn(law: str, indices: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """One chunk: pattern in its colour, on a background, under noise."""
    words, noise = _random(law, indices, size)
    waves = words[:, :18].reshape(-1, 3, 3, 2)  # what of a wave, channel, wave
    wavelength = patterns.between(waves[:, 0], *BACKGROUND_WAVELENGTH) * np.float32(size)
    images = patterns.waves(wavelength, waves[:, 1], waves[:, 2], size=size) * np.float32(BACKGROUND)
    pattern, contrast = _patterns(words[:, 24:], words[:, 21], indices % len(CLASSES), size)
    images += pattern[:, None] * (_colours(words[:, 18:21]) * contrast[:, None])[:, :, None, None]
    deviation = patterns.between(words[:, 22], *NOISE) / np.float32(127.5)
    images += (noise - np.float32(127.5)) * deviation[:, None, None, None]
    images += np.float32(128)
    return np.clip(images, 0, 255, out=images).astype(np.uint8)


def _random(law: str, indices: NDArray[np.int64], size: int) -> tuple[patterns.Words, patterns.Floats]:
    """Words, N x HEADER, and bytes of noise, N x 3 x size x size: a hash of law, seed, split and index, the same everywhere."""
    count = 2 * HEADER + 3 * size * size
    hashes = (hashlib.shake_128(f"{law} {index}".encode()).digest(count) for index in indices.tolist())
    found = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(indices), count)
    words = np.ascontiguousarray(found[:, : 2 * HEADER]).view("<u2").astype(np.int64)
    return words, found[:, 2 * HEADER :].reshape(-1, 3, size, size).astype(np.float32)


def _patterns(
    words: patterns.Words, contrast: patterns.Words, labels: NDArray[np.int64], size: int
) -> tuple[patterns.Floats, patterns.Floats]:
    """The pattern of each label, N x size x size, and its contrast, N."""
    drawn = np.empty((len(words), size, size), np.float32)
    strength = np.empty(len(words), np.float32)
    painters = (patterns.textures, patterns.silhouettes, patterns.far_pairs)
    for number, (paint, limits) in enumerate(zip(painters, CONTRAST.values(), strict=True)):
        chosen = labels // KINDS == number
        drawn[chosen] = paint(words[chosen], labels[chosen] % KINDS, size=size)
        strength[chosen] = patterns.between(contrast[chosen], *limits)
    return drawn, strength


def _colours(words: patterns.Words) -> patterns.Floats:
    """A bright colour each, N x 3, of mean square one."""
    red, green, blue = patterns.between(words, 1 - CHROMA, 1 + CHROMA).T
    length = np.sqrt((red * red + green * green + blue * blue) / np.float32(3))
    return np.stack([red / length, green / length, blue / length], axis=1)
