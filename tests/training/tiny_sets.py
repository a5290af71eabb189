"""Tiny data sets, written as their publishers write them."""

import gzip
import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from convlab.training.data.fashion_mnist import STEMS


def rng(seed=0):
    return np.random.default_rng(seed)


def idx_bytes(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx_folder(folder, *, train=36, test=10, side=7, classes=3, packed=True):
    """Four IDX files; the arrays that they hold, in the order of STEMS."""
    folder.mkdir(parents=True, exist_ok=True)
    draws = rng()
    arrays = []
    for count in (train, test):
        arrays += [draws.integers(0, 256, (count, side, side), np.uint8), np.arange(count, dtype=np.uint8) % classes]
    for stem, array in zip(STEMS, arrays, strict=True):
        content = idx_bytes(array)
        (folder / f"{stem}{'.gz' * packed}").write_bytes(gzip.compress(content) if packed else content)
    return arrays


def cifar_batch(count, labels, *, classes=10, seed=0):
    return {
        b"batch_label": b"a batch",
        labels: [number % classes for number in range(count)],
        b"data": rng(seed).integers(0, 256, (count, 3072), np.uint8),
        b"filenames": [b"picture.png"] * count,
    }


def write_cifar(folder, kind, *, count=20, classes=10, protocol=2):
    """The files of CIFAR-10 or CIFAR-100, each batch of so many pictures; the batches by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    batches = {
        name: cifar_batch(count, kind.labels, classes=classes, seed=number)
        for number, name in enumerate((*kind.train, kind.test))
    }
    batches[kind.meta] = {kind.names: [b"class %d" % number for number in range(classes)]}
    for name, batch in batches.items():
        (folder / name).write_bytes(pickle.dumps(batch, protocol=protocol))
    return batches


def packed(folder, names, *, extra=()):
    """A .tar.gz of files of a folder, with further (name, content) in it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in names:
            archive.add(folder / name, f"{folder.name}/{name}")
        for name, content in extra:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def picture(color, size=(12, 10), mode="RGB"):
    return Image.new(mode, size, color)


def encoded(image, format="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def write_classes(folder, counts, *, size=(12, 10), ending=".png"):
    """A folder a class with so many pictures, each of a colour of its own."""
    for name, count in counts.items():
        draws = rng(int.from_bytes(name.encode()))
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            color = tuple(map(int, draws.integers(0, 256, 3)))
            picture(color, size).save(Path(folder, name, f"{number:03}{ending}"))


def pixels(split):
    """The pictures of a split as a set, to compare what is in it without their order."""
    return {image.numpy().tobytes() for image in split.images}
