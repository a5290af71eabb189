"""Data sets of random pixels for tests of batches: in memory, or as encoded pictures that worker processes read."""

import torch

from convlab.training.data.datasets import Dataset, Files, Split

CLASSES = tuple("abcde")


def noise_set(count=60, channels=3, size=12, seed=0):
    """A set whose three splits are alike."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8, generator=generator)
    return _set(images, torch.randint(0, len(CLASSES), (count,), generator=generator), size, channels)


def file_set(contents, size=16):
    """A set of encoded pictures, RGB, seen at ``size`` px."""
    return _set(Files(contents), torch.arange(len(contents)) % len(CLASSES), size, 3)


def _set(images, labels, size, channels):
    split = Split(images, labels)
    mean, std = (0.4, 0.5, 0.6)[:channels], (0.2, 0.25, 0.3)[:channels]
    return Dataset("noise", CLASSES, channels, size, size, split, split, split, mean, std, "", "generated")
