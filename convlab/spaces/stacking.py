"""Stacking: members of a space as columns of values, in groups of one structure, each group as one design with arrays for its sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from convlab.language.addresses import STAGE_SECTIONS
from convlab.language.design import Design
from convlab.language.knobs import changed
from convlab.layers.activations import IN_PLACE
from convlab.spaces.factors import Monotone
from convlab.spaces.space import Space, nested

Array = Any
"""A numpy array of one value a member."""

SIZES = frozenset(
    {"stages.depth", "stages.width", "stem.width", "stem.kernel_size", "head.hidden", "head.classes"}
    | {"head.convolution"}
    | {"image.size", "image.channels", "block.kernel_size", "block.expansion_ratio", "block.squeeze_ratio"}
    | {"block.groups", "block.group_width", "block.heads", "block.head_width"}
)
"""The knobs that are stacked. Of them only words, pairs and whether they are 0 ("none") are structure; of all others every value is."""

SWITCHES = frozenset({"block.layer_scale", "head.dropout"})
"""The knobs of which costs see only whether they are 0."""

ACTIVATIONS = frozenset({"block.activation", "stem.activation", "head.activation", "head.convolution_activation"})
"""The knobs of which costs see only whether there is an activation, and whether it can write over its input."""

UNSEEN = frozenset({"summary", "drop_path", "norm_eps", "initialization", "block.pointwise"})
"""The knobs that costs do not see at all."""

WHOLE = 2**62
"""Below it, numbers fit int64 with room for one addition."""


class Column(NamedTuple):
    """A varied knob: its different values, and which of them each member has."""

    path: str
    values: Array
    where: Array

    def of(self, members: Array) -> Array:
        """The values of some members."""
        return self.values[self.where[members]]


def columns_of(space: Space, indices: Sequence[int]) -> list[Column]:
    """The values of every varied knob."""
    found = []
    for factor, numbers in zip(space.factors, _numbers(space, indices), strict=True):
        if isinstance(factor, Monotone) and numbers.dtype == np.int64:
            values, places = _array(list(factor.choices)), factor.places(numbers)
            found += [Column(path, values, where) for path, where in zip(factor.paths, places, strict=True)]
            continue
        used, where = np.arange(min(factor.size, len(indices))), numbers
        if factor.size > len(indices):
            used, where = np.unique(numbers, return_inverse=True)
        rows = [factor.values(int(number)) for number in used]
        found += [Column(path, _array([row[place] for row in rows]), where) for place, path in enumerate(factor.paths)]
    return found


def groups_of(base: Design, columns: Sequence[Column], count: int) -> Iterator[Array]:
    """The members, ``count`` in all, by structure: every choice that is not a size, which sizes are 0, and which widths are equal."""
    codes, kinds = np.zeros(count, np.int64), 1
    for column in (*map(_structure, columns), *_equal_widths(base, columns)):
        size = len(column.values)
        if kinds * size >= WHOLE:
            used, codes = np.unique(codes, return_inverse=True)
            kinds = len(used)
        codes, kinds = codes * size + column.where, kinds * size
    order = np.argsort(codes, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def values_of(columns: Sequence[Column], member: int) -> dict[str, Any]:
    """The varied knobs of one member, as plain values."""
    return {column.path: _plain(column.values[column.where[member]]) for column in columns}


def sizes_of(base: Design, columns: Sequence[Column], members: Array) -> dict[str, Array]:
    """The sizes that vary within a group, by path of a single stage; a size that all members share is a plain number."""
    found = {}
    for column in columns:
        if _about(column.path) in SIZES:
            values = column.of(members)
            if values.dtype == object and type(values[0]) is int:
                values = values.astype(np.int64)
            if values.dtype != object:
                size = values if (values != values[0]).any() else _plain(values[0])
                found.update(dict.fromkeys(_expanded(base, column.path), size))
    return found


def with_sizes(design: Design, sizes: Mapping[str, Any]) -> Design:
    """The design with numbers, or arrays of one a member, in the places of its sizes."""
    stacked: Design = _put(design, nested(sizes))
    return stacked


def _put(noun: Any, table: Mapping[str, Any]) -> Any:
    if isinstance(noun, tuple):
        return tuple(_put(item, table.get(str(index), {})) for index, item in enumerate(noun))
    values = {
        name: _put(getattr(noun, name), value) if isinstance(value, dict) else value for name, value in table.items()
    }
    return changed(noun, values)


def _numbers(space: Space, indices: Sequence[int]) -> list[Array]:
    """The way of every factor for every index; in int64 where they fit, else in Python's ints."""
    left: Array = np.array(indices, dtype=np.int64 if space.size < WHOLE else object)
    found = []
    for factor in reversed(space.factors):
        number, left = left % factor.size, left // factor.size
        found.append(number.astype(np.int64) if factor.size < WHOLE else number)
    return found[::-1]


def _array(values: list[Any]) -> Array:
    for kind, dtype in ((int, np.int64), (float, np.float64)):
        if all(type(value) is kind for value in values):
            return np.array(values, dtype=dtype)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _structure(column: Column) -> Column:
    """A column with what costs see of its values as structure, numbered."""
    about = _about(column.path)
    numbers: dict[Any, int] = {}
    where = [numbers.setdefault(_seen(about, _plain(value)), len(numbers)) for value in column.values]
    return Column(column.path, np.arange(len(numbers)), np.array(where)[column.where])


def _seen(about: str, value: Any) -> Any:
    if about in UNSEEN:
        return None
    if about in SWITCHES:
        return value == 0
    if about in ACTIVATIONS:
        return value if value == "none" else value in IN_PLACE
    return value == 0 if about in SIZES and isinstance(value, int | float) else value


def _equal_widths(base: Design, columns: Sequence[Column]) -> Iterator[Column]:
    """For the stem and every stage whether its width is that of the next, where that varies."""
    varied = {path: column for column in columns for path in _expanded(base, column.path)}

    def width(path: str, fixed: int) -> Array:
        return varied[path].values[varied[path].where] if path in varied else fixed

    # A stem of width 0 has the first stage's: those members are a group of their own anyway.
    widths = [width("stem.width", base.stem.width)]
    widths += [width(f"stages.{index}.width", stage.width) for index, stage in enumerate(base.stages)]
    for before, after in pairwise(widths):
        equal = np.equal(before, after)
        if equal.ndim:
            yield Column("", np.arange(2), equal.astype(np.int64))


def _expanded(base: Design, path: str) -> list[str]:
    """The paths of single stages that a path stands for."""
    stages = range(len(base.stages)) if path.split(".")[0] in STAGE_SECTIONS else ()
    return [f"stages.{index}.{path}" for index in stages] or [path]


def _about(path: str) -> str:
    """The noun and the name of a knob."""
    return ".".join([part for part in path.split(".") if not part.isdigit()][-2:])


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
