"""Which data sets there are: those known by name, the layouts that paths are recognised by, and how a name or a path becomes a set."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TypeVar, final

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.paths import expanded
from convlab.progress import Work, finished
from convlab.training.data.datasets import Dataset
from convlab.training.data.places import data_folder

MODULES: tuple[str, ...] = ("fashion_mnist", "procedural", "digits", "cifar", "parquet", "image_folder")
"""The modules that register sets and layouts; a folder is taken for the first layout that recognises it."""

AUTO = ("fashion_mnist", "procedural")
"""What ``auto`` means: the first of these that is here."""


Loaded = Dataset | Work[Dataset]
"""A set, or, where it takes a while, the work that ends with it."""


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
    load: Callable[[int], Loaded]
    licence: str = ""
    remedy: str = ""
    get: Callable[[], Work[Path]] | None = None


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """A way in which pictures lie in a folder or file: how it is recognised and read."""

    name: str
    recognises: Callable[[Path], bool]
    load: Callable[[Path, int], Loaded]


LoadNamed = TypeVar("LoadNamed", bound=Callable[[int], Loaded])
LoadPath = TypeVar("LoadPath", bound=Callable[[Path, int], Loaded])

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
) -> Callable[[LoadNamed], LoadNamed]:
    """Register the function below as what loads the set of this name; the arguments are the fields of ``Known``."""

    def taken(load: LoadNamed) -> LoadNamed:
        _KNOWN[name] = Known(name, summary, where, load, licence, remedy, get)
        return load

    return taken


def layout(name: str, recognises: Callable[[Path], bool]) -> Callable[[LoadPath], LoadPath]:
    """Register the function below as what loads a path of this layout."""

    def taken(load: LoadPath) -> LoadPath:
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
    return finished(reading(name_or_path, image_size=image_size))


def reading(name_or_path: str | os.PathLike[str] = "auto", *, image_size: int = 0) -> Work[Dataset]:
    """As ``dataset``, and tells how far it is where that takes a while. Ctrl-C ends it without a set."""
    text = os.fspath(name_or_path)
    if text == "auto":
        return (yield from _chosen(image_size))
    found = known(text)
    if found is not None:
        return (yield from _loaded(found, image_size))
    path = expanded(text)
    if not path.exists():
        raise _unknown(text)
    return (yield from _whole(_layout_of(path).load(path, image_size)))


def _whole(loaded: Loaded) -> Work[Dataset]:
    return loaded if isinstance(loaded, Dataset) else (yield from loaded)


def _chosen(image_size: int) -> Work[Dataset]:
    """The first set of ``AUTO`` that is here, with a note that says why it is this one."""
    missing = ""
    for found in filter(None, map(known, AUTO)):
        if where := found.where():
            chosen = yield from _whole(found.load(image_size))
            why = missing or f"no set was named: found in {where}"
            return replace(chosen, note="; ".join(filter(None, (why, chosen.note))))
        missing = f"{found.name} is not here: {found.remedy}"
    raise AssertionError("the procedural set is always here")


def _loaded(found: Known, image_size: int) -> Work[Dataset]:
    if not found.where():
        label = f"the data folder is {data_folder()}"
        problem = Problem(
            "missing-data", f"the data set {quote(found.name)} is not here", label=label, help=found.remedy
        )
        raise ConvlabError(problem, exit_code=2)
    return (yield from _whole(found.load(image_size)))


def _layout_of(path: Path) -> Layout:
    _import_all()
    found = next((each for each in _LAYOUTS.values() if each.recognises(path)), None)
    if found is None:
        help = f"what can be read: {', '.join(_LAYOUTS)}"
        problem = Problem("unknown-data", f"there are no pictures to train on in {quote(str(path))}", help=help)
        raise ConvlabError(problem, exit_code=2)
    return found


def _unknown(text: str) -> ConvlabError:
    names = [found.name for found in datasets()]
    if "/" in text or os.sep in text:
        help = "check the spelling; a folder holds a folder of pictures a class"
        problem = Problem("unknown-data", f"there is no folder or file {quote(text)}", help=help)
        return ConvlabError(problem, exit_code=2)
    help = f"sets: {', '.join(('auto', *names))}; or the path of a folder of pictures"
    problem = Problem("unknown-data", f"there is no data set {quote(text)}", label=did_you_mean(text, names), help=help)
    return ConvlabError(problem, exit_code=2)


def _import_all() -> None:
    """Import the modules of the sets, which register them in the order of ``MODULES``."""
    for name in MODULES:
        import_module(f"convlab.training.data.{name}")
