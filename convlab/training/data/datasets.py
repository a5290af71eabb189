"""Data sets: what one is (splits, classes, statistics, checksum), the registry of known ones, and how a name or a path becomes one."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, final

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.progress import Work
from convlab.training.data.places import data_folder

if TYPE_CHECKING:
    from torch import Tensor

MODULES: tuple[str, ...] = ("fashion_mnist", "procedural", "digits", "cifar", "parquet", "image_folder")
"""The modules that register sets and layouts; a folder is taken for the first layout that recognises it."""

AUTO = ("fashion_mnist", "procedural")
"""What ``auto`` means: the first of these that is here."""


class Contents(ABC):
    """Encoded pictures (PNG, JPEG, ...) in files, read one by one; it pickles, so that worker processes can read too."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, index: int) -> bytes:
        """The encoded picture. Raises ConvlabError where it cannot be read."""

    @abstractmethod
    def name(self, index: int) -> str:
        """What messages call the picture."""

    @abstractmethod
    def listing(self) -> Iterator[str]:
        """The names of the pictures, or of the files that hold them, and their bytes: the same on every machine."""

    @abstractmethod
    def stamps(self) -> Iterator[str]:
        """When those files were changed, in the same order: who changes one changes its stamp."""

    @abstractmethod
    def in_any_order(self) -> Contents:
        """The same pictures in a form that is quick to read in any order, made once and kept where this form is not."""


@final
@dataclass(frozen=True, eq=False)
class Files:
    """Pictures that stay on the disk until they are asked for, each of its own size."""

    contents: Contents
    channels: int = 3

    def __len__(self) -> int:
        return len(self.contents)

    def picture(self, index: int) -> Tensor:
        """The decoded picture: uint8, channels x height x width, of its own size. Raises ConvlabError for a damaged one."""
        from convlab.training.data.pictures import decoded

        return decoded(self.contents.read(index), self.contents.name(index), channels=self.channels)


@final
@dataclass(frozen=True, eq=False)
class Split:
    """Pictures and their labels.

    ``images`` is one uint8 tensor, N x C x H x W, in main memory, or ``Files`` where that would be too large;
    ``labels`` int64, N; ``cues`` say of each image which cue it asks for (bool, N), {} where the set has none.
    """

    images: Tensor | Files
    labels: Tensor
    cues: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)


@final
@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set: selection looks at ``validation``; ``test`` is looked at once, when all is decided.

    ``mean`` and ``std`` are of the training pictures, one value a channel, on the scale 0..1; ``checksum`` is the SHA-256 of what was
    read; ``source`` the place, or "generated"; ``note`` what a reader should know, such as why ``auto`` chose this set.
    """

    name: str
    classes: tuple[str, ...]
    channels: int
    height: int
    width: int
    train: Split
    validation: Split
    test: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    checksum: str
    source: str
    note: str = ""

    @property
    def streams(self) -> bool:
        """Whether pictures are read from the disk as training goes on."""
        return isinstance(self.train.images, Files)


@final
@dataclass(frozen=True, slots=True)
class Known:
    """A set that is known by name.

    ``where`` says in which place it is found, "" where it is not here; ``load`` takes the image size (0: the set's own);
    ``get`` downloads it, None where it cannot be downloaded; ``remedy`` says how to get it.
    """

    name: str
    summary: str
    where: Callable[[], str]
    load: Callable[[int], Dataset]
    licence: str = ""
    remedy: str = ""
    get: Callable[[], Work[Path]] | None = None


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """A way in which pictures lie in a folder or file: how it is recognised and read."""

    name: str
    recognises: Callable[[Path], bool]
    load: Callable[[Path, int], Dataset]


_KNOWN: dict[str, Known] = {}
_LAYOUTS: dict[str, Layout] = {}


def registered(
    name: str,
    summary: str,
    *,
    where: Callable[[], str],
    licence: str = "",
    remedy: str = "",
    get: Callable[[], Work[Path]] | None = None,
) -> Callable[[Callable[[int], Dataset]], Callable[[int], Dataset]]:
    """Register the function below as what loads the set of this name; the arguments are the fields of ``Known``."""

    def taken(load: Callable[[int], Dataset]) -> Callable[[int], Dataset]:
        _KNOWN[name] = Known(name, summary, where, load, licence, remedy, get)
        return load

    return taken


def layout(
    name: str, recognises: Callable[[Path], bool]
) -> Callable[[Callable[[Path, int], Dataset]], Callable[[Path, int], Dataset]]:
    """Register the function below as what loads a path of this layout."""

    def taken(load: Callable[[Path, int], Dataset]) -> Callable[[Path, int], Dataset]:
        _LAYOUTS[name] = Layout(name, recognises, load)
        return load

    return taken


def datasets() -> tuple[Known, ...]:
    """The sets that are known by name, in alphabetical order; ``where`` of each says whether it is here."""
    _import_all()
    return tuple(_KNOWN[name] for name in sorted(_KNOWN))


def known(name: str) -> Known | None:
    """The set of this name (``-`` and ``_``, large and small letters are one), None where there is none."""
    _import_all()
    return _KNOWN.get(name.lower().replace("-", "_"))


def dataset(name_or_path: str | os.PathLike[str] = "auto", *, image_size: int = 0) -> Dataset:
    """The data set of a name, or of a folder or file; with ``image_size`` small sets are resized to so many px once.

    "auto" is Fashion-MNIST where it is found, otherwise the procedural set. Raises ConvlabError where a set is missing or damaged, and
    says how to get it.
    """
    text = os.fspath(name_or_path)
    if text == "auto":
        return _chosen(image_size)
    found = known(text)
    if found is not None:
        return _loaded(found, image_size)
    path = Path(text).expanduser()
    if not path.exists():
        raise _unknown(text)
    return _of_path(path, image_size)


def _chosen(image_size: int) -> Dataset:
    """The first set of ``AUTO`` that is here, with a note that says why it is this one."""
    missing = ""
    for found in filter(None, map(known, AUTO)):
        if found.where():
            chosen = found.load(image_size)
            return replace(chosen, note="; ".join(filter(None, (f"{missing}{found.name} is used", chosen.note))))
        missing += f"{found.name} is not here ({found.remedy}): "
    raise AssertionError("the procedural set is always here")


def _loaded(found: Known, image_size: int) -> Dataset:
    if not found.where():
        label = f"the data folder is {data_folder()}"
        problem = Problem(
            "missing-data", f"the data set {quote(found.name)} is not here", label=label, help=found.remedy
        )
        raise ConvlabError(problem, exit_code=2)
    return found.load(image_size)


def _of_path(path: Path, image_size: int) -> Dataset:
    _import_all()
    for found in _LAYOUTS.values():
        if found.recognises(path):
            return found.load(path, image_size)
    help = f"what can be read: {', '.join(_LAYOUTS)}"
    problem = Problem("unknown-data", f"there are no pictures to train on in {quote(str(path))}", help=help)
    raise ConvlabError(problem, exit_code=2)


def _unknown(text: str) -> ConvlabError:
    names = [found.name for found in datasets()]
    help = f"sets: {', '.join(('auto', *names))}; or the path of a folder of pictures"
    problem = Problem("unknown-data", f"there is no data set {quote(text)}", label=did_you_mean(text, names), help=help)
    return ConvlabError(problem, exit_code=2)


def _import_all() -> None:
    """Import the modules of the sets, which register them in the order of ``MODULES``."""
    for name in MODULES:
        import_module(f"convlab.training.data.{name}")
