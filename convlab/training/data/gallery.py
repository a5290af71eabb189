"""Pictures of any size and number as a set: decoded once into one tensor where that is small enough, read from the disk otherwise."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, final

from convlab.errors import ConvlabError, Problem
from convlab.progress import Progress, Work
from convlab.training.data.assembling import Origin, Pile, assembled, refuse_unfit
from convlab.training.data.datasets import Contents, Dataset, Files, Split
from convlab.training.data.pictures import fitted_pixels, size_of
from convlab.training.data.shelf import keep, taken

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS = 3
"""All pictures become RGB, as pre-trained weights want them."""

MOST_BYTES = 2**30
"""Decoded pictures of all splits together up to this are kept as a tensor (7,100 of 224 px, 87,000 of 64 px)."""

LOOKED_AT = 256
"""How many pictures say which size a set has."""

LARGEST_OWN_SIZE = 224
STEP = 32

MOST_PROBLEMS = 5
"""How many damaged pictures one message names."""

PIECES = 1000
"""Into so many pieces of work the decoding of a split is cut, at the most."""

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""For sets that are not read as a whole: the statistics of ImageNet's training pictures, as timm and torchvision use them."""


@final
@dataclass(frozen=True, eq=False)
class Shelf:
    """The pictures of a split, still encoded, with their labels."""

    contents: Contents
    labels: tuple[int, ...]


def gallery(
    origin: Origin, classes: tuple[str, ...], shelves: Sequence[Shelf], *, image_size: int = 0
) -> Work[Dataset]:
    """The set of the pictures for training, validation and test; ``image_size`` 0 is the set's own, see ``own_size``.

    ``origin.checksum`` is not looked at: that of a set in memory is of names and pictures, that of a set on the disk of names and bytes.
    """
    import torch

    labels = [torch.tensor(shelf.labels, dtype=torch.int64) for shelf in shelves]
    refuse_unfit(origin.source, classes, labels)
    height, width, why = (image_size, image_size, "") if image_size else own_size(shelves[0].contents)
    count = sum(map(len, labels))
    size = count * CHANNELS * height * width
    notes = [origin.note, why]
    if size > MOST_BYTES:
        notes.append(
            f"{count:,} pictures of {height} x {width} px are too many to be kept in memory: they are read as they are needed"
        )
        notes.append("the checksum is of their names and sizes")
        told = replace(origin, checksum=_of_listing(shelves), note=_joined(notes))
        return (yield from _on_disk(told, classes, shelves, labels, (height, width)))
    key = _of_stamps(origin.source, shelves, (height, width))
    found = taken(key)
    tensors, checksum = found or (yield from _in_memory(shelves, (height, width)))
    if found is None and count > LOOKED_AT:
        keep(key, tensors, checksum)
    piles = [Pile(images, numbers) for images, numbers in zip(tensors, labels, strict=True)]
    told = replace(origin, checksum=checksum, note=_joined(notes))
    return assembled(told, classes, (piles[0], piles[1], piles[2]))


def own_size(contents: Contents) -> tuple[int, int, str]:
    """Height, width, and a note where these are not those of the pictures.

    It is the size that all have, where that is one and at most 224 px; otherwise the middle of their shorter sides, at most 224, in
    steps of 32.
    """
    step = max(len(contents) // LOOKED_AT, 1)
    sizes = [size_of(contents.read(index), contents.name(index)) for index in range(0, len(contents), step)]
    height, width = sizes[0]
    if all(size == sizes[0] for size in sizes) and max(sizes[0]) <= LARGEST_OWN_SIZE:
        return height, width, ""
    side = min(max(median_low(map(min, sizes)) // STEP * STEP, STEP), LARGEST_OWN_SIZE)
    return side, side, f"resized from {_range(sizes)} px to {side} px (--image N for another size)"


def _on_disk(
    origin: Origin, classes: tuple[str, ...], shelves: Sequence[Shelf], labels: Sequence[Tensor], size: tuple[int, int]
) -> Work[Dataset]:
    splits = []
    for shelf, numbers in zip(shelves, labels, strict=True):
        contents = yield from shelf.contents.in_any_order()
        splits.append(Split(Files(contents, CHANNELS), numbers))
    return Dataset(
        name=origin.name,
        classes=classes,
        channels=CHANNELS,
        height=size[0],
        width=size[1],
        train=splits[0],
        validation=splits[1],
        test=splits[2],
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        checksum=origin.checksum,
        source=origin.source,
        note=origin.note,
    )


def _in_memory(shelves: Sequence[Shelf], size: tuple[int, int]) -> Work[tuple[list[Tensor], str]]:
    """The decoded pictures of each shelf, and the SHA-256 of all names and encoded pictures."""
    import torch

    digest = sha256()
    tensors: list[Tensor] = []
    problems: list[Problem] = []
    done, total, start = 0, sum(len(shelf.contents) for shelf in shelves), time.monotonic()
    for shelf in shelves:
        tensors.append(torch.empty((len(shelf.contents), CHANNELS, *size), dtype=torch.uint8))
        with closing(_decoded(shelf.contents, tensors[-1], size)) as decoding:
            for index, found in enumerate(decoding):
                done, passed = done + 1, time.monotonic() - start
                yield Progress(done, total, "decoding pictures", passed, passed / done * (total - done))
                if isinstance(found, Problem):
                    problems.append(found)
                    if len(problems) == MOST_PROBLEMS:
                        raise ConvlabError(*problems)
                    continue
                told = f"{shelf.contents.name(index)}\0{shelf.labels[index]}\0"
                digest.update(told.encode(errors="surrogateescape") + found)
    if problems:
        raise ConvlabError(*problems)
    return tensors, digest.hexdigest()


def _decoded(contents: Contents, into: Tensor, size: tuple[int, int]) -> Generator[bytes | Problem, None, None]:
    """Decode all pictures in threads; in their order the checksum of each one's bytes, or what is wrong with it."""
    piece = -(-len(into) // PIECES)
    pool = ThreadPoolExecutor(min(os.cpu_count() or 1, 16), thread_name_prefix="convlab-decoding")
    try:
        starts = range(0, len(into), piece)
        yield from chain.from_iterable(
            pool.map(lambda start: _some(contents, into[start : start + piece], start, size), starts)
        )
    finally:
        pool.shutdown(cancel_futures=True)


def _some(contents: Contents, into: Tensor, start: int, size: tuple[int, int]) -> list[bytes | Problem]:
    """Some pictures in a row made to fit, with the checksums of their bytes; what is wrong with those that are damaged."""
    found: list[bytes | Problem] = []
    for place, index in enumerate(range(start, start + len(into))):
        try:
            content = contents.read(index)
            into[place] = fitted_pixels(content, contents.name(index), size, channels=CHANNELS)
            found.append(sha256(content).digest())
        except ConvlabError as error:
            found.append(error.problems[0])
    return found


def _of_listing(shelves: Sequence[Shelf]) -> str:
    digest = sha256()
    for shelf in shelves:
        for item in chain(shelf.contents.listing(), map(str, shelf.labels)):
            digest.update(f"{item}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _of_stamps(source: str, shelves: Sequence[Shelf], size: tuple[int, int]) -> str:
    digest = sha256(f"{Path(source).resolve()}\0{size}\0{_of_listing(shelves)}".encode(errors="surrogateescape"))
    for shelf in shelves:
        for item in shelf.contents.stamps():
            digest.update(f"{item}\0".encode())
    return digest.hexdigest()


def _range(sizes: Sequence[tuple[int, int]]) -> str:
    low, high = min(map(min, sizes)), max(map(max, sizes))
    return f"{low} to {high}" if low < high else f"{low}"


def _joined(notes: Sequence[str]) -> str:
    return "; ".join(filter(None, notes))
