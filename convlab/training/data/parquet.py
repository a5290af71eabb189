"""Parquet files as the Hugging Face hub holds sets of pictures: a column of pictures (bytes, path) and a column of labels."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

from convlab.errors import ConvlabError, Problem, quote
from convlab.progress import Work
from convlab.training.data.assembling import Origin
from convlab.training.data.datasets import Dataset
from convlab.training.data.gallery import Shelf, gallery
from convlab.training.data.pictures import damaged
from convlab.training.data.registry import layout
from convlab.training.data.row_groups import RowGroups, opened, rows_of
from convlab.training.data.splitting import TEST, TRAIN, VALIDATION, Items, completed

ENDING = ".parquet"
SPLITS = {"test": TEST, "testing": TEST, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION}
"""What files or their folders are called; what is called otherwise is for training."""

LABELS = ("label", "labels", "fine_label", "class")
MOST_CLASSES = 1_000_000
MOST_ROWS = 100_000_000
"""Of all files of a set together; a few bytes can stand for labels without end."""

HIDDEN = -1
"""The label of pictures whose label is not published."""


@final
@dataclass(frozen=True)
class Columns:
    """Which columns hold pictures and labels, and the names of the classes, () where the file does not tell them."""

    picture: str
    label: str
    classes: tuple[str, ...]


def is_parquet(path: Path) -> bool:
    """Whether a path is a parquet file, or a folder with some in it, in data/ or in folders named for splits."""
    return bool(_files(path))


@layout("parquet files of the Hugging Face hub", is_parquet)
def load_files(path: Path, image_size: int = 0) -> Work[Dataset]:
    """The set of parquet files. Raises ConvlabError where pyarrow is missing, or a file is damaged or of another kind."""
    if find_spec("pyarrow") is None:
        problem = Problem("missing-package", "parquet files need pyarrow", help="pip install 'convlab[parquet]'")
        raise ConvlabError(problem, exit_code=2)
    name = path.resolve().name.removesuffix(ENDING)
    files = _by_split(_files(path))
    _refuse_endless(path, files)
    columns = _columns(next(iter(files.values()))[0])
    written = {
        split: [label for file in some for label in _labels(file, columns.label)] for split, some in files.items()
    }
    notes = [f"{split} is left out: its labels are not published" for split in _hidden(written)]
    told = {split: some for split, some in written.items() if split not in _hidden(written)}
    classes, labels = _numbered(path, told, columns)
    items = {split: Items([f"{split} {row}" for row in range(len(some))], some) for split, some in labels.items()}
    if TRAIN not in items:
        help = "name a folder that has the files for training too, such as train-00000-of-00001.parquet"
        message = f"{quote(str(path))} has no pictures for training"
        raise ConvlabError(Problem("unfit-data", message, help=help), exit_code=2)
    parts, made = completed(name, items)
    rows = {split: rows_of(files[split], columns.picture) for split in items}
    shelves = [
        Shelf(
            RowGroups(rows[part.split], tuple(part.indices)), tuple(labels[part.split][index] for index in part.indices)
        )
        for part in parts
    ]
    origin = Origin(name, str(path), "", "; ".join(filter(None, (*notes, made))))
    return (yield from gallery(origin, classes, shelves, image_size=image_size))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix == ENDING else []
    named = [folder for name in (TRAIN, *SPLITS) if (folder := path / name).is_dir()]
    for folders in ([path], [path / "data"], named):
        found = sorted(file for folder in folders for file in folder.glob(f"*{ENDING}") if file.is_file())
        if found:
            return found
    return []


def _refuse_endless(path: Path, files: dict[str, tuple[str, ...]]) -> None:
    """Raise ConvlabError where the files say that they hold more rows than any set has."""
    rows = sum(opened(file).metadata.num_rows for some in files.values() for file in some)
    if rows > MOST_ROWS:
        message = f"the files of {quote(str(path))} say that they hold {rows:,} rows, over the limit of {MOST_ROWS:,}"
        help = "name a folder with some of the files"
        raise ConvlabError(Problem("unfit-data", message, help=help), exit_code=2)


def _by_split(files: Sequence[Path]) -> dict[str, tuple[str, ...]]:
    """The files of each split, which their own name or that of their folder says."""
    found: dict[str, tuple[str, ...]] = {}
    for file in files:
        word = re.match(r"[a-z]*", file.name.lower())
        split = SPLITS.get(file.parent.name) or SPLITS.get(word[0] if word else "", TRAIN)
        found[split] = (*found.get(split, ()), str(file))
    return found


def _columns(file: str) -> Columns:
    """The columns of a file by their types and names. Raises ConvlabError where they cannot be told."""
    schema = opened(file).schema_arrow
    pictures = [field.name for field in schema if _holds_pictures(field.type)]
    labels = [name for name in LABELS if name in schema.names]
    if not pictures or not labels:
        help = "a column of pictures is a struct of bytes and path, or binary; one of labels is called label"
        message = (
            f"{file} has no column of {'labels' if pictures else 'pictures'}: its columns are {', '.join(schema.names)}"
        )
        raise ConvlabError(Problem("unfit-data", message, help=help), exit_code=2)
    return Columns(pictures[0], labels[0], _class_names(schema.metadata or {}, labels[0]))


def _holds_pictures(type: Any) -> bool:
    from pyarrow import types

    if types.is_struct(type):
        return any(type.field(number).name == "bytes" for number in range(type.num_fields))
    return bool(types.is_binary(type) or types.is_large_binary(type))


def _class_names(metadata: dict[bytes, bytes], column: str) -> tuple[str, ...]:
    """What the datasets library notes in the file's schema, () where it does not."""
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"][column]["names"]
    except (KeyError, ValueError, TypeError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _labels(file: str, column: str) -> list[Any]:
    import pyarrow

    try:
        found = opened(file).read(columns=[column]).column(0).to_pylist()
    except (pyarrow.ArrowException, OSError, MemoryError, KeyError) as error:
        raise damaged(file, error) from None
    if any(not isinstance(label, int | str) for label in found):
        raise damaged(file, f"the column {column} holds other things than whole numbers or text")
    return list(found)


def _hidden(written: dict[str, list[Any]]) -> list[str]:
    return [split for split, labels in written.items() if labels and all(label == HIDDEN for label in labels)]


def _numbered(
    path: Path, written: dict[str, list[Any]], columns: Columns
) -> tuple[tuple[str, ...], dict[str, list[int]]]:
    """The classes, and every label as a number: as it is where all are numbers, otherwise by the order of the names."""
    values = {label for labels in written.values() for label in labels}
    if all(isinstance(label, int) for label in values):
        count = max(values, default=-1) + 1
        if count > MOST_CLASSES:
            message = f"the largest label of {quote(str(path))} is {count - 1:,}, and at most {MOST_CLASSES:,} classes are taken"
            help = f"the column {quote(columns.label)} holds no classes; they are numbered from 0"
            raise ConvlabError(Problem("unfit-data", message, help=help), exit_code=2)
        return columns.classes or tuple(map(str, range(count))), written
    classes = tuple(sorted(map(str, values)))
    numbers = {name: number for number, name in enumerate(classes)}
    return classes, {split: [numbers[str(label)] for label in labels] for split, labels in written.items()}
