"""The table of costs: where parameters, multiply-adds and activations lie, by stage, by block or by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import NamedTuple, final

from convlab import units
from convlab.costs import PartCost, Profile
from convlab.language.blocks import ATTENTION_KINDS
from convlab.language.design import Stage
from convlab.layers import Row, Shape
from convlab.metrics import METRICS
from convlab.views.tables import Cell, Column, Table, bar, plain_shape, size_text, words

GROUPINGS = ("stage", "block", "layer")

COLUMNS = (
    Column("path", "path"),
    Column("layers", "layers", least=20),
    Column("output", "output", right=True),
    Column("params", "params", right=True),
    Column("macs", "MACs", right=True),
    Column("macs_share", "of MACs", rank=1),
    Column("activations", "activations", right=True, rank=3),
    Column("count", "count", right=True, rank=2),
)


@final
@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are shown as one: their path, what they are, what goes out, how often they are repeated."""

    path: str
    layers: str
    rows: tuple[Row, ...]
    output: Shape
    count: int
    members: tuple[str, ...]
    """The paths of all repetitions."""


class _Place(NamedTuple):
    """Parts that make the stem, one stage or the head."""

    path: str
    parts: tuple[PartCost, ...]
    stage: Stage | None = None


def table(profile: Profile, by: str = "stage") -> Table:
    """The costs by "stage", "block" or "layer"; the figures of a repeated block or layer are those of all its repetitions."""
    *columns, count = COLUMNS
    # The text of a stage says how often; a block or a layer has to be seen with its count.
    columns.append(count if by == "stage" else replace(count, rank=0))
    return Table(tuple(columns), tuple(_row(group, profile) for group in groups(profile, by)))


def groups(profile: Profile, by: str) -> Iterator[Group]:
    """The rows of a profile by "stage", "block" or "layer", in order of execution."""
    return {"stage": _stages, "block": _blocks, "layer": _layers}[by](profile)


def _row(group: Group, profile: Profile) -> tuple[Cell, ...]:
    params, macs, activations = (_sum(group.rows, metric) for metric in ("params", "macs", "activations"))
    share = macs / profile.macs if profile.macs else 0.0
    return (
        words(group.path),
        words(group.layers),
        Cell(plain_shape(group.output), size_text(group.output)),
        Cell(params, units.count(params)),
        Cell(macs, units.count(macs)),
        Cell(share, f"{bar(share)} {100 * share:4.1f} %"),
        Cell(activations, units.count(activations)),
        words(group.count),
    )


def _sum(rows: tuple[Row, ...], metric: str) -> int:
    of_row = METRICS[metric].of_row
    return sum(of_row(row) * row.count for row in rows)


def _places(profile: Profile) -> Iterator[_Place]:
    """Stem, stages and head. A downsampling that is a part of its own belongs to the stage that follows it."""
    stem, *body = (part for part in profile.parts if not part.head)
    yield _Place(stem.path, (stem,))
    waiting: tuple[PartCost, ...] = ()
    stages = iter(profile.design.stages)
    for part in body:
        waiting += (part,)
        if not part.path.startswith("downsample"):
            yield _Place(part.path, waiting, next(stages))
            waiting = ()
    head = tuple(part for part in profile.parts if part.head)
    if head:
        yield _Place("head", head)


def _stages(profile: Profile) -> Iterator[Group]:
    for path, parts, stage in _places(profile):
        rows = tuple(row for part in parts for row in part.rows)
        output = parts[-1].output
        if stage is not None:
            yield Group(path, f"{stage.depth} {_block_text(stage)}", rows, output, stage.depth, (path,))
        else:
            yield Group(path, _head_text(profile) if path == "head" else _stem_text(profile), rows, output, 1, (path,))


def _blocks(profile: Profile) -> Iterator[Group]:
    for path, parts, stage in _places(profile):
        if stage is None:
            rows = tuple(row for part in parts for row in part.rows)
            what = _head_text(profile) if path == "head" else _stem_text(profile)
            yield Group(path, what, rows, parts[-1].output, 1, (path,))
            continue
        for part in parts:
            found = [(key, tuple(rows)) for key, rows in groupby(part.rows, partial(_block_path, part))]
            # What goes out of a block is what comes into the next: its last row may lie in a squeeze-excite's branch.
            outputs = [rows[0].input for _, rows in found[1:]] + [part.output]
            for (key, rows), output in zip(found, outputs, strict=True):
                what = f"{stage.downsample.kind} downsampling" if "downsample" in key else _block_text(stage)
                yield Group(_repeated(key, rows[0]), what, rows, output, rows[0].count, _blocks_of(key, rows[0]))


def _layers(profile: Profile) -> Iterator[Group]:
    for row in profile.rows:
        yield Group(row.path, row.layer.label(), (row,), row.output, row.count, row.paths)


def _repeated(path: str, row: Row) -> str:
    """The path of a block that stands for its repetitions: stages.0.blocks.1-2, or 0-4 by 2 where every second is like it."""
    head, _, index = path.rpartition(".")
    last = f"{head}.{index}-{int(index) + (row.count - 1) * row.step}" if row.count > 1 else path
    return f"{last} by {row.step}" if row.step > 1 and row.count > 1 else last


def _blocks_of(path: str, row: Row) -> tuple[str, ...]:
    """The paths of a block and its repetitions, by one of its rows."""
    if row.count == 1:
        return (path,)
    return tuple(".".join(each.split(".")[: path.count(".") + 1]) for each in row.paths)


def _block_path(part: PartCost, row: Row) -> str:
    """The path of the block or the downsampling that a row belongs to."""
    if row.path == part.path or part.path.startswith("downsample"):
        return part.path
    inner = row.path[len(part.path) + 1 :].split(".")
    return ".".join([part.path, *inner[: 2 if inner[0] == "blocks" else 1]])


def _block_text(stage: Stage) -> str:
    block = stage.block
    if block.kind in ATTENTION_KINDS:
        return f"{block.kind}, windows of {block.window}x{block.window}" if block.window else f"{block.kind}, global"
    return block.kind if block.kind == "custom" else f"{block.kind}, {block.kernel_size}x{block.kernel_size}"


def _stem_text(profile: Profile) -> str:
    stem = profile.design.stem
    if stem.kind == "custom":
        return stem.kind
    side = stem.patch_size if stem.kind == "patchify" else stem.kernel_size
    return f"{stem.kind}, {side}x{side}"


def _head_text(profile: Profile) -> str:
    head = profile.design.head
    return f"{head.classes} classes" if head.classes else f"{head.pool} pool"
