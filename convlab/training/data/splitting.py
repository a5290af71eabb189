"""Cutting a split out of another, where a set has none: by a hash of the set's name and the picture's, the same on any machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import final

TRAIN, VALIDATION, TEST = "train", "validation", "test"

SHARE = 0.1
"""How much of each class is cut out for a split that is missing."""

MOST_HELD_OUT = 50_000


@final
@dataclass(frozen=True)
class Items:
    """What a split has to offer: a key and a label for each picture."""

    keys: Sequence[str]
    labels: Sequence[int]


@final
@dataclass(frozen=True)
class Part:
    """A split that was settled: which split it is taken from, and which indices of that."""

    split: str
    indices: Sequence[int]


def completed(name: str, given: Mapping[str, Items]) -> tuple[tuple[Part, Part, Part], str]:
    """Training, validation and test of the splits that a set has ("train" among them), and a note on what was made of them.

    Where there is no test split, the validation split is what is tested on, as for ImageNet; where there is neither, a tenth of each class
    is cut out of training. Where nothing is left to validate on, a tenth (at most 50,000 pictures) is cut out too.
    """
    train: Sequence[int] = range(len(given[TRAIN].keys))
    test = next((Part(split, range(len(given[split].keys))) for split in (TEST, VALIDATION) if split in given), None)
    if test is None:
        train, gone = _cut(name, given[TRAIN], train, TEST)
        train, cut = _cut(name, given[TRAIN], train, VALIDATION)
        note = f"no validation or test split: {len(cut):,} and {len(gone):,} training pictures are set aside for them"
        return (Part(TRAIN, train), Part(TRAIN, cut), Part(TRAIN, gone)), note
    if VALIDATION in given and test.split == TEST:
        return (Part(TRAIN, train), Part(VALIDATION, range(len(given[VALIDATION].keys))), test), ""
    train, cut = _cut(name, given[TRAIN], train, VALIDATION)
    missing = "no test split, so validation is tested on" if test.split == VALIDATION else "no validation split"
    note = f"{missing}: {len(cut):,} training pictures are set aside to validate on"
    return (Part(TRAIN, train), Part(TRAIN, cut), test), note


def _cut(name: str, items: Items, among: Sequence[int], into: str) -> tuple[list[int], list[int]]:
    share = min(SHARE, MOST_HELD_OUT / max(len(among), 1))
    keys, labels = [items.keys[index] for index in among], [items.labels[index] for index in among]
    stay, go = held_out_of_each(name, keys, labels, share, into=into)
    return [among[index] for index in stay], [among[index] for index in go]


def held_out(
    name: str, keys: Sequence[str] | int, count: int, *, into: str = VALIDATION
) -> tuple[list[int], list[int]]:
    """Which indices stay and which go ``into`` the new split, ``count`` of them, each list in rising order.

    The indices whose hash of (name, split, key) is lowest go. A key is the picture's name in the set, its index where it has none.
    """
    names = keys if not isinstance(keys, int) else [str(index) for index in range(keys)]
    order = sorted(range(len(names)), key=lambda index: (_hash(name, into, names[index]), index))
    gone = set(order[:count])
    return [index for index in range(len(names)) if index not in gone], sorted(gone)


def held_out_of_each(
    name: str, keys: Sequence[str], labels: Sequence[int], share: float, *, into: str = VALIDATION
) -> tuple[list[int], list[int]]:
    """As ``held_out``, class by class: of each class the share (rounded), one picture at least where the class has two."""
    kept: list[int] = []
    gone: list[int] = []
    for members in _by_class(labels):
        count = max(round(share * len(members)), 1) if len(members) > 1 else 0
        stay, go = held_out(name, [keys[index] for index in members], count, into=into)
        kept += [members[index] for index in stay]
        gone += [members[index] for index in go]
    return sorted(kept), sorted(gone)


def _by_class(labels: Sequence[int]) -> Iterable[list[int]]:
    members: dict[int, list[int]] = {}
    for index, label in enumerate(labels):
        members.setdefault(label, []).append(index)
    return members.values()


def _hash(name: str, into: str, key: str) -> bytes:
    return blake2b("\0".join((name, into, key)).encode(errors="surrogateescape"), digest_size=8).digest()
