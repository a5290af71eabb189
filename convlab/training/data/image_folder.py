"""Folders of pictures: a folder a class, below train/, val/ and test/, or without them, and then the splits are cut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import final

from convlab.errors import ConvlabError, Problem, quote
from convlab.progress import Work
from convlab.training.data.assembling import Origin
from convlab.training.data.datasets import Contents, Dataset
from convlab.training.data.gallery import Shelf, gallery
from convlab.training.data.pictures import SMALLER, damaged
from convlab.training.data.registry import layout
from convlab.training.data.splitting import TEST, TRAIN, VALIDATION, Items, Part, completed

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
NAMES = {TRAIN: ("train", "training"), VALIDATION: ("val", "validation", "valid"), TEST: ("test", "testing")}
"""What the folders of the splits are called."""

MOST_BYTES = 2**28
"""A picture's file of more is refused unread."""

MOST_NAMES = 5

MOST_LOOKED_AT = 100_000
"""Files and folders that are looked at, at the most, to see whether a folder is a set: so many take a tenth of a second."""

DEEPEST = 3
"""Levels of folders in that of a class: whoever names a folder with more has named a disk and not a set."""


@final
@dataclass(frozen=True, eq=False)
class PictureFiles(Contents):
    """Pictures that are files below a folder."""

    root: str
    names: tuple[str, ...]
    """Relative to the root, with / between the parts."""

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """The path in the set, so that a set is the same wherever it lies."""
        return self.names[index]

    def read(self, index: int) -> bytes:
        """The file's bytes. Raises ConvlabError where it cannot be read, or is no file of sensible size."""
        path = Path(self.root, self.names[index])
        try:
            if path.stat().st_size > MOST_BYTES:
                raise damaged(str(path), f"it is over {MOST_BYTES:,} bytes", help=SMALLER)
            return path.read_bytes()
        except OSError as error:
            raise damaged(str(path), error.strerror or error) from None

    def listing(self) -> Iterator[str]:
        """Name and bytes of each."""
        return (f"{name}\0{self._stat(name).st_size}" for name in self.names)

    def stamps(self) -> Iterator[str]:
        """When each was changed."""
        return (str(self._stat(name).st_mtime_ns) for name in self.names)

    def in_any_order(self) -> Work[Contents]:
        """Files are as quick to read in any order."""
        yield from ()
        return self

    def _stat(self, name: str) -> os.stat_result:
        path = Path(self.root, name)
        try:
            return path.stat()
        except OSError as error:
            raise damaged(str(path), error.strerror or error) from None


def is_image_folder(path: Path) -> bool:
    """Whether a folder holds folders of pictures; below train/ they may lie one level further down."""
    if not path.is_dir():
        return False
    top = _split_folder(path, NAMES[TRAIN])
    names = _in_folders([path]) if top is None else chain(_in_folders([top]), _in_folders(_folders(top)))
    return any(_is_picture(name) for name in islice(names, MOST_LOOKED_AT))


@layout("a folder of pictures a class, below train/, val/, test/ or without them", is_image_folder)
def load_folder(path: Path, image_size: int = 0) -> Work[Dataset]:
    """The set of a folder; classes are the names of the training folders in alphabetical order. Raises ConvlabError for a misfit."""
    name = path.resolve().name
    top = _split_folder(path, NAMES[TRAIN])
    classes, given, empty = _training(path, top or path)
    notes = [f"left out, as they hold no pictures: {_listed(empty)}"] if empty else []
    items = {TRAIN: given}
    for split in (VALIDATION, TEST) if top else ():
        other = _other(path, split, classes)
        if other is not None:
            items[split] = other
    parts, told = completed(name, items)
    shelves = [_shelf(path, items[part.split], part) for part in parts]
    origin = Origin(name, str(path), "", "; ".join(filter(None, (*notes, told))))
    return (yield from gallery(origin, classes, shelves, image_size=image_size))


def _shelf(root: Path, items: Items, part: Part) -> Shelf:
    names = tuple(items.keys[index] for index in part.indices)
    return Shelf(PictureFiles(str(root), names), tuple(items.labels[index] for index in part.indices))


def _training(root: Path, top: Path) -> tuple[tuple[str, ...], Items, list[str]]:
    """The classes, their pictures, and the folders that hold none."""
    found = {folder.name: tuple(_pictures(root, folder)) for folder in _folders(top)}
    classes = tuple(sorted(name for name, names in found.items() if names))
    empty = sorted(name for name, names in found.items() if not names)
    names = tuple(name for kind in classes for name in found[kind])
    return classes, Items(names, tuple(label for label, kind in enumerate(classes) for _ in found[kind])), empty


def _other(root: Path, split: str, classes: tuple[str, ...]) -> Items | None:
    """The pictures of a split that is not training, None where it is not there or empty. Raises ConvlabError for unknown classes."""
    top = _split_folder(root, NAMES[split])
    if top is None:
        return None
    numbers = {name: label for label, name in enumerate(classes)}
    found = {folder.name: tuple(_pictures(root, folder)) for folder in _folders(top)}
    strange = sorted(name for name, names in found.items() if names and name not in numbers)
    if strange:
        message = f"{quote(str(top))} has classes that training does not have: {_listed(strange)}"
        help = f"classes are folders of the same name in each split; training has {_listed(list(classes))}"
        raise ConvlabError(Problem("unfit-data", message, help=help), exit_code=2)
    names = tuple(name for kind in classes for name in found.get(kind, ()))
    labels = tuple(numbers[kind] for kind in classes for _ in found.get(kind, ()))
    return Items(names, labels) if names else None


def _split_folder(root: Path, names: tuple[str, ...]) -> Path | None:
    """The folder of a split: it holds folders, or else it is that of a class which is called so (a railway train)."""
    return next((root / name for name in names if (root / name).is_dir() and _folders(root / name)), None)


def _folders(top: Path) -> list[Path]:
    """The folders in a folder that are not hidden. Raises ConvlabError where it may not be read."""
    try:
        with os.scandir(top) as entries:
            return sorted(Path(entry) for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise damaged(str(top), error.strerror or error) from None


def _in_folders(tops: list[Path]) -> Iterator[str]:
    """The names of what lies in the folders of some folders; those that may not be read are empty."""
    for top in tops:
        with suppress(ConvlabError):
            for folder in _folders(top):
                with suppress(OSError), os.scandir(folder) as entries:
                    yield from (entry.name for entry in entries)


def _pictures(root: Path, folder: Path) -> Iterator[str]:
    """The pictures below a folder, in the order of their names, relative to the root; hidden folders are left out."""

    def unreadable(error: OSError) -> None:
        raise damaged(error.filename or str(folder), error.strerror or error) from None

    for at, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if folders and len(Path(at).relative_to(folder).parts) == DEEPEST:
            message = f"{quote(str(folder))} is no class of a set: it has more than {DEEPEST} levels of folders, as {quote(at)}"
            help = "name the folder that holds a folder a class, or train/, val/ and test/ with these"
            raise ConvlabError(Problem("unfit-data", message, help=help), exit_code=2)
        for name in sorted(files):
            path = Path(at, name)
            if _is_picture(name) and path.is_file():
                yield path.relative_to(root).as_posix()


def _is_picture(name: str) -> bool:
    return name.lower().endswith(ENDINGS) and not name.startswith(".")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(map(quote, names[:MOST_NAMES])) + more
