"""Editing: the text of a design file changed as little as possible so that it means another design, its comments and order kept."""

from __future__ import annotations

from tomllib import TOMLDecodeError
from typing import NamedTuple

from convlab.errors import ConvlabError
from convlab.language.assigning import assign
from convlab.language.design import Design
from convlab.language.drafting import Draft
from convlab.language.files import load_text, sources_of_text
from convlab.language.restaging import restaged
from convlab.language.settling import with_kinds, with_values, without_useless
from convlab.language.writing import text_of

MOST_PASSES = 8
"""So many times a text is gone through: what is set in one pass may be what another kind or table then says otherwise."""


class Revision(NamedTuple):
    """A text that means a design; ``kept`` is False where nothing of the old one could be kept."""

    text: str
    kept: bool


def edited(text: str, design: Design, *, name: str = "design") -> str:
    """The text of a design file so that it means the design: values set in their places, knobs added, those that are not true taken out.

    ``name`` stands for the file, as bases are found from its folder. Where that does not succeed the design is written anew,
    without the text's comments: ``revision`` tells.
    """
    return revision(text, design, name=name).text


def revision(text: str, design: Design, *, name: str = "design") -> Revision:
    """The edited text, and whether the old one is kept in it. Where the text means the design already, it is the same text."""
    try:
        draft = _settled(_draft(text, name), design)
        if draft is not None and load_text(draft.text, name=name) == design:
            return Revision(draft.text, True)
    except (ConvlabError, TOMLDecodeError):  # a text that means no design, or a base that is gone
        pass
    return Revision(_anew(text, design), False)


def _draft(text: str, name: str) -> Draft:
    """A text and the design that its bases make."""
    under = Design()
    for source in sources_of_text(text, name=name)[:-1]:
        under = assign(under, source.data).design
    return Draft(text, under)


def _settled(draft: Draft, design: Design) -> Draft | None:
    """The draft with everything put right; None where some of it cannot be."""
    draft = restaged(draft, design)
    before = draft.meaning
    for _ in range(MOST_PASSES):
        if len(draft.meaning.stages) != len(design.stages):
            return None
        if draft.meaning == design and not draft.turned.faults:
            return draft
        draft = with_values(without_useless(with_kinds(draft, design), before, design), design)
    return None


def _anew(text: str, design: Design) -> str:
    written = text_of(design)
    return written.replace("\n", "\r\n") if "\r\n" in text else written
