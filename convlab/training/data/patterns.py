"""The patterns of the procedural set: textures, silhouettes and far pairs of blobs, drawn from random words.

Every value is a whole number below 2^24, or comes from single additions, products, quotients and square roots of such: IEEE arithmetic
rounds those alike on every machine, in whatever order a matrix product adds, so that all machines draw the same pictures.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int64]
Floats = NDArray[np.float32]

WORD = 65_536
"""Random words are below this."""

TURN = 4096
"""So many steps make a full turn."""

UNIT = 256
"""What stands for one in tables of whole numbers, and the steps of a pixel in positions."""

COSINE: Floats = np.array([round(math.cos(math.tau * step / TURN) * UNIT) for step in range(TURN)], dtype=np.float32)

TEXTURES = {"stripes": 1, "checks": 2, "dots": 3, "maze": 7}
"""In how many directions the waves of a texture run, evenly spread; wavelength, mean and variance are the same for all."""

WAVELENGTH = (4.0, 6.0)
"""Of textures, in px at every image size: what is local stays local."""

SILHOUETTES = {"two lobes": (2, 0.40), "three lobes": (3, 0.35), "four lobes": (4, 0.32), "five lobes": (5, 0.30)}
"""Number of lobes, and how far they stand out as a part of the mean radius."""

RADIUS = (0.17, 0.30)
"""Mean radius of silhouettes, as a part of the image size."""

TILT = 0.35
"""Silhouettes are turned by at most this part of the angle between two of their lobes, to either side."""

MARGIN = 0.3
"""The centre of a silhouette stays this part of the image size away from the borders."""

PAIRS = {"lying pairs": (1, 0), "falling pairs": (1, 1), "standing pairs": (0, 1), "rising pairs": (-1, 1)}
"""Steps to the right and downwards from one blob of a pair to the other, in distances."""

PAIR_COUNT = 4
"""Pairs in an image, all of one orientation."""

DISTANCE = 3 / 8
"""Of the blobs of a pair, along each axis in which they are apart, as a part of the image size."""

BLOB = 1 / 16
"""Radius of a blob, as a part of the image size; nothing of it is outside."""

JITTER = 2
"""The second blob of a pair is moved by up to so many px along each axis, so that strides of 2 and 4 do not tell how the two are apart."""


def distance(size: int) -> int:
    """How far the blobs of a pair are apart along an axis, in px, before they are moved by up to ``JITTER``."""
    return round(DISTANCE * size)


def blind_window(size: int) -> int:
    """The widest window, in px, that never touches both blobs of a pair."""
    return math.floor(distance(size) - JITTER - 2 * BLOB * size)


def between(words: Words, low: float, high: float) -> Floats:
    """Numbers spread evenly from ``low`` to ``high``."""
    spread: NDArray[np.float64] = low + (high - low) * (words / WORD)
    return spread.astype(np.float32)


def cosine(steps: Words) -> Floats:
    """Cosine of an angle in steps, as whole numbers up to ``UNIT``."""
    found: Floats = COSINE[steps & (TURN - 1)]
    return found


def sine(steps: Words) -> Floats:
    """Sine of an angle in steps, as whole numbers up to ``UNIT``."""
    return cosine(steps - TURN // 4)


def waves(wavelength: Floats, direction: Words, phase: Words, *, size: int) -> Floats:
    """Sums of plane waves of amplitude one: (..., count) wavelengths in px, directions and phases as words, to (..., size, size).

    A wave is cos(a + b), with a along a row and b along a column: cos a cos b - sin a sin b is a product of matrices.
    """
    frequency = (WORD / wavelength).astype(np.int64)
    turned = direction >> 4
    along = (frequency * cosine(turned).astype(np.int64)) >> 8
    down = (frequency * sine(turned).astype(np.int64)) >> 8
    pixels = np.arange(size)
    row = (along[..., None] * pixels + phase[..., None]) >> 4
    column = (down[..., None] * pixels) >> 4
    columns = np.concatenate([cosine(column), -sine(column)], axis=-2)
    rows = np.concatenate([cosine(row), sine(row)], axis=-2)
    return _product(columns, rows) / np.float32(UNIT**2)


def textures(words: Words, kinds: Words, *, size: int) -> Floats:
    """One texture an image: mean 0, variance 1."""
    drawn = np.empty((len(words), size, size), np.float32)
    for kind, count in enumerate(TEXTURES.values()):
        chosen = words[kinds == kind]
        wavelength = between(chosen[:, :1], *WAVELENGTH)
        direction = chosen[:, 1:2] + np.arange(count) * (WORD // 2 // count)
        amplitude = np.sqrt(np.float32(2 / count))
        drawn[kinds == kind] = waves(wavelength, direction, chosen[:, 2 : 2 + count], size=size) * amplitude
    return drawn


def silhouettes(words: Words, kinds: Words, *, size: int) -> Floats:
    """One lobed silhouette an image: 1 inside, 0 outside, with a soft edge; the mean area is the same for all kinds."""
    drawn = np.empty((len(words), size, size), np.float32)
    middle = between(words[:, :2], MARGIN * size, (1 - MARGIN) * size)
    pixels = np.arange(size, dtype=np.float32) + np.float32(0.5)
    for kind, (lobes, depth) in enumerate(SILHOUETTES.values()):
        chosen = kinds == kind
        right = (pixels - middle[chosen, :1])[:, None, :]
        down = (pixels - middle[chosen, 1:])[:, :, None]
        radius = np.maximum(np.sqrt(right * right + down * down), np.float32(1e-3))
        even, odd = _multiple_angle(right / radius, down / radius, lobes)
        tilt = ((2 * words[chosen, 2] - WORD) * TILT * TURN / WORD).astype(np.int64)[:, None, None]
        wave = (even * cosine(tilt) + odd * sine(tilt)) / np.float32(UNIT)
        # The area within r (1 + d cos) is pi r^2 (1 + d^2 / 2).
        mean = between(words[chosen, 3], *RADIUS) * np.float32(size / math.sqrt(1 + depth**2 / 2))
        edge = mean[:, None, None] * (1 + np.float32(depth) * wave)
        drawn[chosen] = np.clip((edge - radius) * np.float32(0.7) + np.float32(0.5), 0, 1)
    return drawn


def far_pairs(words: Words, kinds: Words, *, size: int) -> Floats:
    """Pairs of blobs an image, which go on at the opposite border: 1 in the middle of a blob, 0 outside of all.

    Each blob by itself is equally likely everywhere, so that what is seen through a window smaller than the distance has the same
    distribution for every orientation.
    """
    steps = np.array(list(PAIRS.values()))[kinds] * distance(size) * UNIT
    places = words[:, : 4 * PAIR_COUNT].reshape(-1, 2, 2, PAIR_COUNT)
    first = (places[:, 0] * (size * UNIT)) // WORD
    jitter = (places[:, 1] * (2 * JITTER * UNIT)) // WORD - JITTER * UNIT
    both = np.concatenate([first, first + steps[:, :, None] + jitter], axis=2)
    bumps = _bumps(both, size=size)
    drawn: Floats = np.minimum(_product(bumps[:, 1], bumps[:, 0]) / np.float32(UNIT**2), 1)
    return drawn


def _bumps(places: Words, *, size: int) -> Floats:
    """A bump around each place on a circle of ``size`` px, as whole numbers up to ``UNIT``."""
    around = size * UNIT
    centres = np.arange(size) * UNIT + UNIT // 2
    apart = (centres - places[..., None] + around // 2) % around - around // 2
    part = apart / (UNIT * BLOB * size)
    bumps: Floats = np.floor(np.maximum(1 - part * part, 0) * UNIT).astype(np.float32)
    return bumps


def _multiple_angle(even: Floats, odd: Floats, times: int) -> tuple[Floats, Floats]:
    """Cosine and sine of a multiple of an angle, from its cosine and sine."""
    real, imaginary = even, odd
    for _ in range(times - 1):
        real, imaginary = real * even - imaginary * odd, real * odd + imaginary * even
    return real, imaginary


def _product(columns: Floats, rows: Floats) -> Floats:
    """The sum over the last but one axis of column times row: (..., count, size) twice, to (..., size, size)."""
    product: Floats = np.matmul(columns.swapaxes(-1, -2), rows)
    return product
