"""The controls of an explorer: which knobs, in which order, and how they follow the design."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias, final

import ipywidgets as widgets

from convlab.costs import Profile
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.language.addresses import PLURALS, STAGE_SECTIONS, get
from convlab.language.design import Design
from convlab.language.knobs import Knob
from convlab.notebook.controls import Control
from convlab.spaces.factors import Choice
from convlab.spaces.space import Space
from convlab.views.grid import Grid, GridCell, grid, title
from convlab.views.knob_paths import knob_paths

Turned: TypeAlias = Callable[[str, Any], None]

ALL = "all"
LEFT_OUT = frozenset({"names", "initialization", "norm_eps", "summary"})
"""Knobs that no live chart shows; ``Explorer.turn`` turns them."""

SCROLLED = {"max_height": "430px", "overflow": "auto"}


class Panel(ABC):
    """Controls by knob path, and the widget that holds them."""

    controls: dict[str, Control]
    widget: widgets.Widget

    @abstractmethod
    def fits(self, profile: Profile) -> bool:
        """Whether the design still has these knobs; otherwise the panel has to be made anew."""

    _followed: Design | None = None

    def follow(self, profile: Profile) -> None:
        """Stand at the design's values; where a stage or a section is the very same as before, there is nothing to do."""
        before, self._followed = self._followed, profile.design
        for path, control in self.controls.items():
            if before is None or _holder(before, path) is not _holder(profile.design, path):
                control.show(_value(profile.design, path))


@final
class ChosenPanel(Panel):
    """Controls of named knobs, or of those that vary in a space, one below the other."""

    def __init__(self, profile: Profile, choices: Mapping[str, tuple[Any, ...]], turned: Turned) -> None:
        self.controls = {
            path: Control(
                path,
                _knob(path),
                _value(profile.design, path),
                turned=turned,
                values=values,
                name=_short(path),
            )
            for path, values in choices.items()
        }
        self.widget = widgets.VBox([each.widget for each in self.controls.values()], layout=SCROLLED)

    def fits(self, profile: Profile) -> bool:
        """It was asked for these knobs, and the stages are still there."""
        stages = {int(path.split(".")[1]) for path in self.controls if path.startswith("stages.") and "*" not in path}
        return max(stages, default=0) < len(profile.design.stages)


@final
class DesignPanel(Panel):
    """The knobs of any design in three tabs: sizes of the stages, their blocks (of one stage, or of all), and the rest."""

    def __init__(self, profile: Profile, turned: Turned) -> None:
        self._turned = turned
        self._kinds = _kinds(profile)
        self._profile = profile
        seen = grid(profile, profile.design)
        self._sizes = {cell.path: _control(cell, turned, _size_name(cell)) for cell in _sizes(seen)}
        self._rest = {cell.path: _control(cell, turned, _rest_name(cell)) for cell in _rest(seen)}
        self._where = widgets.ToggleButtons(
            options=[ALL, *map(str, range(len(profile.design.stages)))],
            description="stage",
            style={"button_width": "34px", "description_width": "44px"},
        )
        self._where.observe(lambda _: self._aim(), names="value")
        self._box = widgets.VBox(layout=SCROLLED)
        self._aim()
        pages = [
            widgets.VBox([each.widget for each in self._sizes.values()], layout=SCROLLED),
            widgets.VBox([self._where, self._box]),
            widgets.VBox([each.widget for each in self._rest.values()], layout=SCROLLED),
        ]
        self.widget = widgets.Tab(pages, titles=["stages", "blocks", "the rest"], layout={"width": "370px"})

    @property
    def controls(self) -> dict[str, Control]:  # type: ignore[override]  # those of the blocks change with the stage
        """All controls by the path that they turn."""
        return {**self._sizes, **{each.path: each for each in self._blocks}, **self._rest}

    def fits(self, profile: Profile) -> bool:
        """As long as no kind changes, and no stage comes or goes."""
        return _kinds(profile) == self._kinds

    def follow(self, profile: Profile) -> None:
        """Stand at the design's values."""
        self._profile = profile
        super().follow(profile)

    def _aim(self) -> None:
        """Let the blocks' controls be about the chosen stage, or about all of them."""
        where = self._where.value
        stage = 0 if where == ALL else int(where)
        prefix = "block." if where == ALL else f"stages.{stage}.block."
        found = [
            (f"{prefix}{cell.knob.name}", cell)
            for cell in _ordered(grid(self._profile, self._profile.design), f"stages.{stage}")
            if ".block." in cell.path
        ]
        self._blocks = [
            Control(path, cell.knob, cell.value, turned=self._turned)
            for path, cell in found
            if cell.knob.kind != "layers"
        ]
        self._box.children = [each.widget for each in self._blocks]


def chosen(space: Space) -> dict[str, tuple[Any, ...]]:
    """The knobs that vary in a space, and all that they may be where they vary by themselves."""
    return {
        path: tuple(factor.choices) if isinstance(factor, Choice) and len(factor.choices) <= _MOST else ()
        for factor in space.factors
        for path in (factor.paths if len(factor.paths) > 1 or not isinstance(factor, Choice) else factor.paths[:1])
    }


PLURAL_OF = {name: plural for plural, name in PLURALS.items()}

_MOST = 200
"""Values that a slider steps through; of more, it is a range."""


def _control(cell: GridCell, turned: Turned, name: str) -> Control:
    return Control(cell.path, cell.knob, cell.value, turned=turned, name=name)


def _kinds(profile: Profile) -> tuple[tuple[str, ...], ...]:
    """What decides which knobs there are."""
    design = profile.design
    stages = tuple(f"{stage.block.kind} {stage.downsample.kind}" for stage in design.stages)
    return stages, (design.stem.kind,)


def _sizes(seen: Grid) -> Iterator[GridCell]:
    for row in seen.rows:
        if row.stage is not None and row.path.count(".") == 1:
            yield from (row.cells[name] for name in ("depth", "width") if name in row.cells)


def _rest(seen: Grid) -> Iterator[GridCell]:
    for row in seen.rows:
        if row.stage is None or row.path.endswith("downsample"):
            for cell in _ordered(seen, row.path):
                if cell.knob.name not in LEFT_OUT and cell.knob.kind != "layers":
                    yield cell


def _ordered(seen: Grid, path: str) -> Sequence[GridCell]:
    row = next(row for row in seen.rows if row.path == path)
    return [row.cells[name] for name in seen.columns if name in row.cells]


def _size_name(cell: GridCell) -> str:
    return f"{cell.knob.name} {cell.path.split('.')[1]}"


def _rest_name(cell: GridCell) -> str:
    parts = cell.path.split(".")
    place = f"{parts[2][:4]} {parts[1]}" if parts[0] == "stages" else parts[0] if len(parts) > 1 else ""
    return f"{place} {cell.knob.name.replace('_', ' ')}".strip()


def _short(path: str) -> str:
    """A path in the room that a control has for its name: the knob's, and the stage where it is of one."""
    parts = path.split(".")
    stage = f" {parts[1]}" if parts[0] == "stages" and parts[1] != "*" else ""
    return title(parts[-1]) + stage


def _knob(path: str) -> Knob:
    """The knob of a path, of one stage or of all."""
    parts = path.split(".")
    inner = ".".join(parts[2:]) if parts[0] == "stages" else path
    known = knob_paths()
    name = PLURAL_OF.get(inner, inner)
    if name not in known:
        help = "convlab explain names the knobs; those of a stage are stages.2.depth, stages.*.block.kernel_size"
        raise ConvlabError(
            Problem("unknown-key", f"there is no knob {quote(path)}", label=did_you_mean(inner, known), help=help)
        )
    return known[name]


def _value(design: Design, path: str) -> Any:
    """The value of a knob; the first stage's where the path is of all stages."""
    return get(design, _of_first(path))


@cache
def _of_first(path: str) -> str:
    parts = path.split(".")
    if parts[0] in STAGE_SECTIONS:
        return f"stages.0.{path}"
    return ".".join(["stages", "0", *parts[2:]]) if parts[:2] == ["stages", "*"] else path


def _holder(design: Design, path: str) -> Any:
    """The stage or the section that has the knob of a path; the design itself for its own."""
    first, _, rest = _of_first(path).partition(".")
    if first == "stages":
        index = int(rest.partition(".")[0])
        return design.stages[index] if index < len(design.stages) else None
    return getattr(design, first) if rest else design
