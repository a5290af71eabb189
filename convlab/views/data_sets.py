"""Data sets as plain data: those that are known and whether they are here, and what is in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convlab.views.tables import Cell, Column, Table, words

if TYPE_CHECKING:
    from convlab.training.data.datasets import Dataset
    from convlab.training.data.registry import Known

SPLITS = ("train", "validation", "test")
NAMES = 12
"""So many classes are named."""


def data_table(sets: Sequence[Known]) -> Table:
    """A row a set: what it is, and where it lies or how to get it."""
    columns = (
        Column("name", "name"),
        Column("here", "here"),
        Column("place", "where, or how to get it", least=30),
        Column("summary", "what it is", least=30),
        Column("licence", "licence", rank=1),
    )
    return Table(columns, tuple(_known(each, each.where()) for each in sets))


def data_facts(found: Dataset) -> list[tuple[str, str]]:
    """What there is to say of a set."""
    facts = [
        ("source", found.source),
        ("pictures", f"{found.channels} x {found.height} x {found.width}, {_kept(found)}"),
        *((split, _split(found, split)) for split in SPLITS),
        ("classes", _classes(found.classes)),
        ("cues", ", ".join(found.validation.cues)),
        ("mean", _numbers(found.mean)),
        ("deviation", _numbers(found.std)),
        ("SHA-256", found.checksum),
        ("note", found.note),
    ]
    return [(label, text) for label, text in facts if text]


def plain_data(found: Dataset) -> dict[str, Any]:
    """A set as JSON holds it, without its pictures."""
    return {
        "dataset": found.name,
        "source": found.source,
        "image": {"channels": found.channels, "height": found.height, "width": found.width},
        "images": {split: len(getattr(found, split)) for split in SPLITS},
        "images_of_class": {split: _of_class(found, split) for split in SPLITS},
        "classes": list(found.classes),
        "cues": list(found.validation.cues),
        "mean": list(found.mean),
        "std": list(found.std),
        "checksum": found.checksum,
        "streams": found.streams,
        "note": found.note,
    }


def _known(each: Known, place: str) -> tuple[Cell, ...]:
    """``place`` is where it lies, "" where it is not here."""
    return (
        words(each.name),
        Cell(bool(place), "yes" if place else "no"),
        words(place or each.remedy),
        words(each.summary),
        words(each.licence),
    )


def _kept(found: Dataset) -> str:
    if found.streams:
        return "read from the disk as they are needed"
    size = sum(len(getattr(found, split)) for split in SPLITS) * found.channels * found.height * found.width
    return f"{size / 1e6:,.1f} MB in memory"


def _split(found: Dataset, split: str) -> str:
    counts = _of_class(found, split)
    low, high = min(counts), max(counts)
    each = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{len(getattr(found, split)):,} pictures, {each} of each class"


def _of_class(found: Dataset, split: str) -> list[int]:
    counts: list[int] = getattr(found, split).labels.bincount(minlength=len(found.classes)).tolist()
    return counts


def _classes(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return f"{len(names)}: {', '.join(names[:NAMES])}{more}"


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)
