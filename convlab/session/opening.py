"""Beginning a session: with a preset, a file, a design, or a file that is broken, which stays as it is until it is mended."""

from __future__ import annotations

import os
from pathlib import Path

from convlab.documents.document import read_text
from convlab.errors import ConvlabError
from convlab.language.assigning import assign
from convlab.language.design import Design
from convlab.language.files import find, load, load_text, sources_of_text
from convlab.language.knobs import changed
from convlab.language.validation import faults, validated
from convlab.language.writing import text_of
from convlab.presets import preset_path
from convlab.session.files import without_schema
from convlab.session.history import Broken, History, State
from convlab.session.session import Session

Source = str | os.PathLike[str]

STAND_IN = "convnext_t"
"""The design in the place of a file's that says nothing that can be read."""


def opened(source: Source) -> Session:
    """A session of a preset, by its name, or of a file. Raises ConvlabError with everything wrong."""
    session = opened_draft(source)
    if session.broken is not None:
        raise ConvlabError(*session.broken.problems)
    return session


def opened_draft(source: Source) -> Session:
    """A session, also of a file that is broken: ``broken`` then has its text and what is wrong with it.

    The design is what the rest of the file says, or that of a preset. Raises ConvlabError where there is no text to be read.
    """
    origin, file = os.fspath(source), find(source)
    text = read_text(file)
    name = Path(origin).name.removesuffix(".toml")
    if file == preset_path(origin.removesuffix(".toml")):
        state = State(load(file), without_schema(text), str(file))
        return Session(History(state), origin, state.design, state)
    try:
        design = changed(load_text(text, name=str(file)), {"name": name})
    except ConvlabError as error:
        said = _rest(text, str(file))
        rest = changed(said or load(STAND_IN), {"name": name})
        broken = Broken(text, error.problems, instead="" if said else STAND_IN)
        state = State(rest, text_of(rest), str(file), broken=broken)
        return Session(History(state), origin, None, None, file, text)
    state = State(design, text, str(file))
    return Session(History(state), origin, design, state, file, text)


def begun(design: Design, origin: str = "") -> Session:
    """A session of a design that is in no file: of a stored run, say, or a point of a space. Raises ConvlabError."""
    state = State(validated(design), text_of(design), "design")
    return Session(History(state), origin or design.name, design, None)


def _rest(text: str, name: str) -> Design | None:
    """The design of a broken text where what is refused is left out; None where there is none."""
    design = Design()
    try:
        for source in sources_of_text(text, name=name):
            design = assign(design, source.data).design
    except ConvlabError:
        return None
    return design if design.stages and not faults(design) else None
