"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009), as their authors publish them and torchvision keeps them: pickled batches in a folder.

Of the 50,000 training pictures 5,000 are cut out for validation; the 10,000 test pictures stay as published.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tarfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from convlab.errors import ConvlabError, Problem
from convlab.progress import Progress, Work
from convlab.training.data import pickles
from convlab.training.data.assembling import Origin, Pile, assembled, sha256_of, with_validation
from convlab.training.data.datasets import Dataset
from convlab.training.data.fetching import Remote, fetched_all, unwritable
from convlab.training.data.pictures import damaged
from convlab.training.data.places import data_folder
from convlab.training.data.registry import layout, registered

SIDE = 32
VALIDATION_SHARE = 10
"""One of so many training pictures is for validation."""

LICENCE = "none stated by its authors"


@final
@dataclass(frozen=True)
class Kind:
    """One of the two: its folder, archive, files with their published MD5, and the keys of labels and of the classes' names."""

    name: str
    folder: str
    archive: Remote
    train: tuple[str, ...]
    test: str
    meta: str
    labels: bytes
    names: bytes
    md5: dict[str, str]

    @property
    def files(self) -> tuple[str, ...]:
        """All files that are read."""
        return (*self.train, self.test, self.meta)


_HOST = "https://www.cs.toronto.edu/~kriz/"

# The checksums are those that https://www.cs.toronto.edu/~kriz/cifar.html and torchvision.datasets.CIFAR10 publish.
CIFAR10 = Kind(
    name="cifar10",
    folder="cifar-10-batches-py",
    archive=Remote(
        (f"{_HOST}cifar-10-python.tar.gz",),
        "cifar-10-python.tar.gz",
        "md5:c58f30108f718f92721af3b95e74349a",
        170_498_071,
    ),
    train=tuple(f"data_batch_{number}" for number in range(1, 6)),
    test="test_batch",
    meta="batches.meta",
    labels=b"labels",
    names=b"label_names",
    md5={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
)
CIFAR100 = Kind(
    name="cifar100",
    folder="cifar-100-python",
    archive=Remote(
        (f"{_HOST}cifar-100-python.tar.gz",),
        "cifar-100-python.tar.gz",
        "md5:eb9058c3a382ffc7106e4002c42a8d85",
        169_001_437,
    ),
    train=("train",),
    test="test",
    meta="meta",
    labels=b"fine_labels",
    names=b"fine_label_names",
    md5={
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        "meta": "7973b15100ade9c7d40fb424638fde48",
    },
)


def find(kind: Kind) -> Path | None:
    """The folder of batches in the data folder, where it is also torchvision's; None where there is none."""
    place = data_folder() / kind.folder
    return place if _is_complete(place, kind) else None


def get(kind: Kind) -> Work[Path]:
    """Download the archive, and unpack of it the batches alone. Raises ConvlabError where it cannot be had or is another file."""
    folder = data_folder()
    yield from fetched_all((kind.archive,), folder)
    start = time.monotonic()
    yield Progress(kind.archive.size, kind.archive.size, f"unpacking {kind.archive.name}", 0.0)
    unpacked = _unpack(folder / kind.archive.name, folder, kind)
    (folder / kind.archive.name).unlink()
    yield Progress(kind.archive.size, kind.archive.size, f"{kind.folder} is there", time.monotonic() - start)
    return unpacked


def _unpack(archive: Path, folder: Path, kind: Kind) -> Path:
    """Write the files that are known by name, and no others, wherever an archive would like to put them."""
    target = folder / kind.folder
    beside = folder / f".{kind.folder}.part"
    try:
        beside.mkdir(exist_ok=True)
        with tarfile.open(archive, "r:gz") as packed:
            for name in kind.files:
                member = packed.getmember(f"{kind.folder}/{name}")
                content = packed.extractfile(member) if member.isfile() and member.size <= pickles.MOST_BYTES else None
                if content is None:
                    raise damaged(str(archive), f"{name} in it is no file of sensible size")
                (beside / name).write_bytes(content.read())
        target.mkdir(exist_ok=True)
        for name in kind.files:
            (beside / name).replace(target / name)
    except (tarfile.TarError, KeyError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(str(archive), error) from None
    except OSError as error:
        raise unwritable(folder, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def _is_complete(place: Path, kind: Kind) -> bool:
    return all((place / name).is_file() for name in kind.files)


def _place_in(path: Path, kind: Kind) -> Path | None:
    """The folder of batches that a path is, or holds, as torchvision's root does."""
    return next((place for place in (path, path / kind.folder) if _is_complete(place, kind)), None)


def _load(place: Path, kind: Kind, image_size: int, *, published: bool) -> Dataset:
    """The set of a folder of batches; ``published``: its files must be the published ones."""
    contents = {name: pickles.read(place / name) for name in kind.files}
    strange = [name for name, content in contents.items() if _md5(content) != kind.md5[name]]
    if strange and published:
        help = f"take that folder away and run convlab data get {kind.name}; to train on it as it is: --data {place}"
        message = f"{place / strange[0]} is not the published file: its checksum differs"
        raise ConvlabError(Problem("damaged-data", message, help=help), exit_code=2)
    batches = {name: pickles.load(content, str(place / name)) for name, content in contents.items()}
    classes = _classes(batches[kind.meta], kind, str(place / kind.meta))
    piles = [_pile(batches[name], kind, str(place / name)) for name in (*kind.train, kind.test)]
    name = kind.name if not strange else place.resolve().name
    train, validation = _cut(name, piles[:-1])
    note = f"these are not the published files of {kind.name}: their checksums differ" if strange else ""
    origin = Origin(name, str(place), sha256_of(contents.values()), note)
    return assembled(origin, classes, (train, validation, piles[-1]), image_size=image_size)


def _cut(name: str, piles: list[Pile]) -> tuple[Pile, Pile]:
    import torch

    together = Pile(torch.cat([pile.images for pile in piles]), torch.cat([pile.labels for pile in piles]))
    return with_validation(name, together, max(len(together.labels) // VALIDATION_SHARE, 1))


def _pile(batch: Any, kind: Kind, file: str) -> Pile:
    """The pictures of a batch: rows of 3,072 bytes, all reds, then greens, then blues."""
    import torch

    rows, labels = (_item(batch, key, file) for key in (b"data", kind.labels))
    if not isinstance(rows, pickles.Bytes) or not isinstance(labels, list):
        raise damaged(file, "data is no array of bytes, or the labels are no list")
    if not all(isinstance(label, int) for label in labels):
        raise damaged(file, "its labels are no numbers")
    try:
        images = rows.tensor().view(-1, 3, SIDE, SIDE)
        numbers = torch.tensor(labels, dtype=torch.int64)
    except (ValueError, RuntimeError, OverflowError):
        raise damaged(file, f"its rows are no pictures of {SIDE} x {SIDE} px, or a label is far too large") from None
    if numbers.shape != (len(images),):
        raise damaged(file, f"it has {numbers.numel():,} labels for {len(images):,} pictures")
    return Pile(images, numbers)


def _classes(meta: Any, kind: Kind, file: str) -> tuple[str, ...]:
    names = _item(meta, kind.names, file)
    if not isinstance(names, list) or not all(isinstance(name, str | bytes) for name in names):
        raise damaged(file, "the names of its classes are no list of text")
    return tuple(name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in names)


def _item(batch: Any, key: bytes, file: str) -> Any:
    """An item of a batch; Python 2 wrote the keys as bytes, Python 3 writes text."""
    if isinstance(batch, dict):
        for written in (key, key.decode()):
            if written in batch:
                return batch[written]
    raise damaged(file, f"it has no {key.decode()}")


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _register(kind: Kind, summary: str) -> Callable[[int], Dataset]:
    remedy = f"convlab data get {kind.name} ({kind.archive.size / 1e6:.0f} MB), or put torchvision's {kind.folder} into the data folder"

    @registered(
        kind.name,
        summary,
        where=lambda: str(find(kind) or ""),
        licence=LICENCE,
        remedy=remedy,
        get=lambda: get(kind),
    )
    def load(image_size: int = 0) -> Dataset:
        place = find(kind)
        assert place is not None, "the registry looked whether it is here"
        return _load(place, kind, image_size, published=True)

    @layout(f"torchvision's {kind.folder}", lambda path: _place_in(path, kind) is not None)
    def load_folder(path: Path, image_size: int = 0) -> Dataset:
        place = _place_in(path, kind)
        assert place is not None, "the layout was recognised"
        return _load(place, kind, image_size, published=False)

    return load


load_cifar10 = _register(CIFAR10, "things and animals: 60,000 colour pictures of 32 x 32 px, 10 classes")
load_cifar100 = _register(CIFAR100, "things and animals: 60,000 colour pictures of 32 x 32 px, 100 classes")
