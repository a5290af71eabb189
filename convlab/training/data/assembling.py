"""A small set put together: one uint8 tensor a split, resized once where that is asked for, with its statistics and checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from convlab.errors import ConvlabError, Problem, quote
from convlab.training.data.datasets import Dataset, Split
from convlab.training.data.pictures import resized
from convlab.training.data.splitting import held_out

if TYPE_CHECKING:
    from torch import Tensor

SPLITS = ("training", "validation", "test")

CHUNK = 4096
"""How many pictures are worked on at a time, so that temporary copies stay small."""


@final
@dataclass(frozen=True, eq=False)
class Pile:
    """Pictures (uint8, N x C x H x W) and labels (int64, N) that lie together on the disk."""

    images: Tensor
    labels: Tensor

    def chosen(self, indices: Sequence[int]) -> Pile:
        """Those of these indices."""
        import torch

        which = torch.tensor(indices, dtype=torch.int64)
        return Pile(self.images[which], self.labels[which])


@final
@dataclass(frozen=True)
class Origin:
    """What a set is called, where it was read from, the SHA-256 of what was read, and what a reader should know."""

    name: str
    source: str
    checksum: str
    note: str = ""


def assembled(
    origin: Origin, classes: tuple[str, ...], piles: tuple[Pile, Pile, Pile], *, image_size: int = 0
) -> Dataset:
    """The set of these pictures for training, validation and test; with ``image_size`` all are resized to that many px, antialiased."""
    size = (image_size, image_size) if image_size else (piles[0].images.shape[2], piles[0].images.shape[3])
    refuse_unfit(origin.source, classes, [pile.labels for pile in piles])
    train, validation, test = (Pile(resized(pile.images, *size), pile.labels) for pile in piles)
    mean, std = statistics(train.images)
    channels, height, width = train.images.shape[1:]
    return Dataset(
        name=origin.name,
        classes=classes,
        channels=channels,
        height=height,
        width=width,
        train=Split(train.images, train.labels),
        validation=Split(validation.images, validation.labels),
        test=Split(test.images, test.labels),
        mean=mean,
        std=std,
        checksum=origin.checksum,
        source=origin.source,
        note=origin.note,
    )


def with_validation(name: str, train: Pile, count: int) -> tuple[Pile, Pile]:
    """Training and validation pictures, where a set has only training ones: ``count`` are cut out by a hash of their index."""
    stay, go = held_out(name, len(train.labels), count)
    return train.chosen(stay), train.chosen(go)


def refuse_unfit(source: str, classes: Sequence[str], labels: Sequence[Tensor]) -> None:
    """Raise ConvlabError where nothing can be learned: fewer than two classes, an empty split, a label without a class."""
    why = ""
    if len(classes) < 2:
        why = f"there is {len(classes)} class, and to tell apart takes two"
    for split, numbers in zip(SPLITS, labels, strict=True):
        if not len(numbers):
            why = why or f"no picture is left for {split}"
        elif not 0 <= int(numbers.min()) <= int(numbers.max()) < len(classes):
            why = (
                why
                or f"{split} has labels from {int(numbers.min())} to {int(numbers.max())} for {len(classes)} classes"
            )
    if why:
        help = "a set needs two classes and some pictures in each: train/CLASS/*.png, or CLASS/*.png, of which splits are cut"
        raise ConvlabError(
            Problem("unfit-data", f"{quote(source)} cannot be trained on: {why}", help=help), exit_code=2
        )


def statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel on the scale 0..1; the sums are of integers, so that every machine agrees."""
    import torch

    channels = images.shape[1]
    total = torch.zeros(channels, dtype=torch.int64)
    squares = torch.zeros(channels, dtype=torch.int64)
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK]
        total += chunk.sum((0, 2, 3), dtype=torch.int64)
        squares += chunk.to(torch.int32).square_().sum((0, 2, 3), dtype=torch.int64)
    count = images.numel() // channels
    mean = [value / count for value in total.tolist()]
    variance = [value / count - middle**2 for value, middle in zip(squares.tolist(), mean, strict=True)]
    # A channel without any variation is left as it is by normalisation.
    std = [max(value, 0.0) ** 0.5 or 255.0 for value in variance]
    return tuple(value / 255 for value in mean), tuple(value / 255 for value in std)


def sha256_of(pieces: Iterable[bytes]) -> str:
    """The SHA-256 of pieces, one after the other, each with its length before it."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(len(piece).to_bytes(8))
        digest.update(piece)
    return digest.hexdigest()
