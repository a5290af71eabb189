"""The grid: a design as rows (stem, stages, downsampling, head) and columns (knobs), with what each row puts out and costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, final

from convlab import units
from convlab.costs import Profile
from convlab.language.addresses import UNUSED
from convlab.language.design import Design
from convlab.language.knobs import Knob, knobs_of
from convlab.layers import Row
from convlab.metrics import METRICS
from convlab.views.knob_paths import NOT_COMPARED
from convlab.views.knob_texts import knob_text
from convlab.views.tables import Cell, size_text

# fmt: off
IMPORTANCE = (
    "kind", "depth", "width", "kernel_size", "patch_size", "stride", "expansion_ratio", "groups", "group_width",
    "window", "heads", "head_width", "branch", "branches", "norm", "activation", "squeeze_ratio", "grn", "layer_scale",
    "size", "classes", "drop_path", "order", "pool", "dilation", "bias", "layers", "convolution", "hidden", "dropout",
)
# fmt: on
"""The knobs that are turned most, first; the others follow as they are declared."""

TITLES = {
    "kernel_size": "kernel",
    "patch_size": "patch",
    "expansion_ratio": "expand",
    "squeeze_ratio": "squeeze",
    "activation": "act",
    "group_width": "group w",
    "head_width": "head w",
    "size": "image",
    "convolution": "conv",
    "norm_after": "norm after",
    "activation_after": "act after",
    "initialization": "init",
    "relative_position": "rel. position",
}
"""Headings shorter than the knob's own name."""

NEEDED = {
    ("head", "convolution_norm"): ("convolution",),
    ("head", "convolution_activation"): ("convolution",),
    ("head", "norm_at"): ("norm",),
    ("head", "activation"): ("hidden",),
    ("head", "bias"): ("hidden", "classes"),
    ("block", "squeeze_of"): ("squeeze_ratio",),
    ("block", "squeeze_after"): ("squeeze_ratio",),
    ("block", "shift"): ("window",),
}
"""Knobs that mean something only while one of these, of the same noun, is on: otherwise they are not shown."""

OFF = (0, "none")

WIDEST = 14
"""A cell's text is cut at so many characters; the whole value stands beside the prompt."""


@final
@dataclass(frozen=True, slots=True)
class GridCell:
    """A knob of a row: its path, its value and that of the baseline (None where the baseline has no such knob)."""

    path: str
    knob: Knob
    value: Any
    baseline: Any

    @property
    def changed(self) -> bool:
        """Whether it differs from the baseline."""
        return bool(self.value != self.baseline)

    @property
    def text(self) -> str:
        """The value as the grid shows it."""
        found = knob_text(self.knob, self.value)
        return found if len(found) <= WIDEST else found[: WIDEST - 1] + "…"


@final
@dataclass(frozen=True, slots=True)
class GridRow:
    """A row: its knob path ("" for the design), its stage, its cells by knob name, and what it puts out and costs."""

    path: str
    title: str
    stage: int | None
    cells: dict[str, GridCell]
    output: Cell
    params: Cell
    macs: Cell
    share: float


@final
@dataclass(frozen=True, slots=True)
class Grid:
    """The rows, and the knobs that any of them uses, the most important first."""

    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]

    def cell(self, row: int, column: str) -> GridCell | None:
        """The knob at a place, None where the row does not use it."""
        return self.rows[row].cells.get(column)

    def place(self, path: str) -> tuple[int, str] | None:
        """The row and the column of a knob's path."""
        found = (
            (index, name)
            for index, row in enumerate(self.rows)
            for name, cell in row.cells.items()
            if cell.path == path
        )
        return next(found, None)


def grid(profile: Profile, baseline: Design) -> Grid:
    """The grid of a profile's design; cells know the value that the baseline has at the same path."""
    known = _values(baseline)
    rows = tuple(_rows(profile, known))
    return Grid(tuple(sorted({name for row in rows for name in row.cells}, key=_rank)), rows)


def title(column: str) -> str:
    """The heading of a column."""
    return TITLES.get(column, column.replace("_", " "))


def _rows(profile: Profile, known: dict[str, Any]) -> Iterator[GridRow]:
    costs = _costs(profile)
    for path, name, stage, knobs in _places(profile.design):
        rows, output = costs.get(path, ((), ""))
        params, macs = (profile.params, profile.macs) if not path else (_sum(rows, "params"), _sum(rows, "macs"))
        cells = {knob.name: GridCell(full, knob, value, known.get(full)) for full, knob, value, is_on in knobs if is_on}
        yield GridRow(
            path,
            name,
            stage,
            cells,
            Cell(output, output),
            Cell(params, units.count(params) if output else ""),
            Cell(macs, units.count(macs) if output else ""),
            macs / profile.macs if profile.macs else 0.0,
        )


Knobs = Iterator[tuple[str, Knob, Any, bool]]
"""Paths, knobs, their values, and whether they mean something now."""


def _places(design: Design) -> Iterator[tuple[str, str, int | None, Knobs]]:
    """The path, the title and the stage of every row, and its knobs, each with its path and value."""
    yield "", "design", None, chain(_used("", design), _used("image.", design.image))
    yield "stem", "stem", None, _used("stem.", design.stem)
    for index, stage in enumerate(design.stages):
        at = f"stages.{index}"
        stride = (item for item in _used(f"{at}.", stage) if item[1].name == "stride")
        rest = (item for item in _used(f"{at}.", stage) if item[1].name != "stride")
        yield f"{at}.downsample", f"  ↓ {index}", index, chain(stride, _used(f"{at}.downsample.", stage.downsample))
        yield at, f"stage {index}", index, chain(rest, _used(f"{at}.block.", stage.block))
    yield "head", "head", None, _used("head.", design.head)


def _used(prefix: str, noun: Any) -> Knobs:
    """The knobs of a noun that its kind uses."""
    kind_of_noun: Any = type(noun)
    for knob in _own(kind_of_noun, getattr(noun, "kind", "")):
        needed = NEEDED.get((knob.noun, knob.name), ())
        is_on = not needed or any(getattr(noun, each) not in OFF for each in needed)
        yield prefix + knob.name, knob, getattr(noun, knob.name), is_on


@cache
def _own(noun: Any, kind: str) -> tuple[Knob, ...]:
    unused = UNUSED.get((noun.__name__.lower(), kind), frozenset())
    return tuple(knob for name, knob in knobs_of(noun).items() if name not in unused and name != NOT_COMPARED)


def _values(design: Design) -> dict[str, Any]:
    return {path: value for *_, knobs in _places(design) for path, _, value, _ in knobs}


def _rank(name: str) -> int:
    return IMPORTANCE.index(name) if name in IMPORTANCE else len(IMPORTANCE)


def _costs(profile: Profile) -> dict[str, tuple[tuple[Row, ...], str]]:
    """The layers of every row by its path, and the shape that goes out of it. The head's parts are one row, as are the stem's."""
    found: dict[str, tuple[tuple[Row, ...], str]] = {"": ((), size_text(profile.image))}
    for index, part in enumerate(profile.parts):
        if part.head or index == 0:
            path = "head" if part.head else "stem"
            found[path] = (found.get(path, ((), ""))[0] + part.rows, size_text(part.output))
            continue
        # Under facebookresearch's names, of one stage, the downsampling is a part of its own.
        stage = part.path if part.path.startswith("stages.") else "stages.0"
        before = tuple(row for row in part.rows if row.path.startswith((f"{part.path}.downsample", "downsample")))
        after = part.rows[len(before) :]
        if before:
            found[f"{stage}.downsample"] = before, size_text(before[-1].output)
        if after:
            found[stage] = after, size_text(part.output)
    return found


def _sum(rows: tuple[Row, ...], metric: str) -> int:
    of_row = METRICS[metric].of_row
    return sum(of_row(row) * row.count for row in rows)
