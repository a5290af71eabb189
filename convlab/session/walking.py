"""The walk from ResNet-50 to ConvNeXt-T as steps that a session takes: where it stands, what comes next, and which knobs that turns."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from convlab import facts
from convlab.errors import ConvlabError, Problem
from convlab.facts import RoadmapStep
from convlab.language.design import Design
from convlab.language.files import find, load
from convlab.language.knobs import changed
from convlab.presets import preset_names
from convlab.session.history import WALKED
from convlab.session.session import Session
from convlab.session.summaries import FOLDER


class Step(NamedTuple):
    """A step of the walk: its preset, what the paper says of it, its design, and the knobs that it turns of the step it starts from."""

    preset: str
    published: RoadmapStep
    design: Design
    turns: tuple[tuple[str, Any], ...]
    base: int
    """The order of the step that it starts from, 0 where it starts from none."""

    @property
    def order(self) -> int:
        """Its number, from 1."""
        return self.published.order


@cache
def steps() -> tuple[Step, ...]:
    """The steps in order."""
    published = {step.order: step for step in facts.roadmap()}
    return tuple(Step(name, published[order_of(name)], load(name), *turned_by(name)) for name in preset_names(FOLDER))


def step_of(design: Design) -> Step | None:
    """The step that a design is equal to, but for its image, its summary and its rate of drop path; else one that is the same network."""
    return _by_design().get(_plain(design)) or _by_key().get(design.key)


def start_of(design: Design) -> Design | None:
    """The step that a step starts from, for the step's own image and rate of drop path; None at the first one and beside the walk."""
    here = step_of(design)
    return _like(steps()[here.base - 1].design, design) if here is not None and here.base else None


def place_of(session: Session) -> Step | None:
    """The step that the design is; where it is none, the last one that it was before it was edited."""
    before = (_by_design().get(_plain(state.design)) for state in reversed(session.history.past))
    return step_of(session.design) or next(filter(None, before), None)


def next_step(session: Session) -> Session:
    """The session at the next step, of the last one that it was at; at the first where there was none. Raises ConvlabError at the end."""
    here = place_of(session)
    return _at(session, 0 if here is None else here.order)


def previous_step(session: Session) -> Session:
    """The session at the step before the last one that it was at. Raises ConvlabError at the first one, and where there was none."""
    here = place_of(session)
    if here is None:
        message = "this design is no step of the walk from ResNet-50 to ConvNeXt-T, and comes from none"
        raise ConvlabError(Problem("usage", message, help="the next step is the first one"), exit_code=2)
    return _at(session, here.order - 2)


def at_step(session: Session, order: int) -> Session:
    """The session at a step by its number, from 1. Raises ConvlabError."""
    return _at(session, order - 1)


def turned_by(preset: str) -> tuple[tuple[tuple[str, Any], ...], int]:
    """The knobs that a step's own file turns, in the file's order, and the step that it starts from."""
    table = tomllib.loads(Path(find(preset)).read_text(encoding="utf-8"))
    turns = tuple((path, value) for path, value in _flat(table, "") if path not in ("base", "summary"))
    base = table.get("base", "")
    return turns, order_of(base) if base.startswith(f"{FOLDER}/") else 0


def order_of(preset: str) -> int:
    """The number of a step by its preset."""
    return int(preset.removeprefix(f"{FOLDER}/").partition("_")[0])


def _at(session: Session, index: int) -> Session:
    walk = steps()
    if not 0 <= index < len(walk):
        which = "first" if index < 0 else "last"
        raise ConvlabError(Problem("usage", f"this is the {which} step of the walk"), exit_code=2)
    step, design = walk[index], session.design
    taken = _like(step.design, design) if place_of(session) else step.design
    return session.replaced(taken, f"{WALKED} {step.order}: {step.published.step}")


def _like(step: Design, design: Design) -> Design:
    """A step for the image and the rate of drop path of a design: the walk is about neither, and who has others keeps them."""
    return changed(step, {"image": design.image, "drop_path": design.drop_path})


@cache
def _by_design() -> Mapping[Design, Step]:
    return {_plain(step.design): step for step in reversed(steps())}


@cache
def _by_key() -> Mapping[str, Step]:
    return {step.design.key: step for step in reversed(steps())}


def _plain(design: Design) -> Design:
    return changed(design, {"summary": "", "drop_path": 0.0, "image": steps()[0].design.image})


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
