"""Whose summary a design has: that of a preset is of one published network, and not of what was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from convlab.language.design import Design
from convlab.language.files import load
from convlab.language.knobs import changed
from convlab.presets import preset_names, preset_path
from convlab.session.history import WALKED, History

FOLDER = "roadmap"


class Published(NamedTuple):
    """What a preset says of itself, and the network that it says it of."""

    summary: str
    key: str


def with_own_summary(design: Design, presets: Iterable[str]) -> Design:
    """The design without the summary of one of these presets, where it is another network; a summary that somebody wrote stays."""
    said = (_published(name) for name in presets) if design.summary else ()
    keys = {each.key for each in said if each.summary == design.summary}
    return changed(design, {"summary": ""}) if keys and design.key not in keys else design


def presets_behind(origin: str, history: History) -> Iterator[str]:
    """The presets that a design can have its summary from: what its session began from, and the steps of a walk."""
    name = origin.removesuffix(".toml")
    if preset_path(name) is not None:
        yield name
    if any(state.what.startswith(WALKED) for state in (*history.past, history.present, *history.future)):
        yield from preset_names(FOLDER)


@cache
def _published(preset: str) -> Published:
    design = load(preset)
    return Published(design.summary, design.key)
