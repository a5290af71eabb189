"""Edits of the design: values typed, bumped, toggled and restored; undo and redo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from convlab.documents.assignments import parse_assignment
from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Image
from convlab.language.knobs import knobs_of
from convlab.tui.dialogs.asking import AskText
from convlab.tui.prompt import Prompt
from convlab.views.bumping import bumped
from convlab.views.grid import GridCell

if TYPE_CHECKING:
    from convlab.tui.lab import Lab

WHOLE = re.compile("[0-9]{1,9}")


def edit(lab: Lab) -> None:
    """Ask for the value under the cursor."""
    cell = lab.grid.cell
    prompt = lab.query_one(Prompt)
    if cell is not None and not prompt.display:
        prompt.ask(cell)


def typed(lab: Lab, path: str, text: str) -> None:
    """Turn a knob to what was typed, read as the shell reads --set. Raises ConvlabError."""
    lab.turn(path, parse_assignment(f"{path}={text}").value)


def next_value(lab: Lab) -> None:
    """The next value that the design takes. Raises ConvlabError."""
    _bump(lab, 1)


def previous_value(lab: Lab) -> None:
    """The value before. Raises ConvlabError."""
    _bump(lab, -1)


def toggle(lab: Lab) -> None:
    """The other truth value, or the next choice. Raises ConvlabError."""
    cell = lab.grid.cell
    if cell is not None and cell.knob.kind in ("boolean", "choice"):
        _bump(lab, 1)


def restore(lab: Lab) -> None:
    """The value that the baseline has. Raises ConvlabError."""
    cell = lab.grid.cell
    if cell is None or not cell.changed:
        return
    if cell.baseline is None:
        lab.say(f"The baseline has no {cell.path}.")
        return
    lab.turn(cell.path, cell.baseline)


def image_size(lab: Lab) -> None:
    """Ask for another image."""

    def take(text: str) -> None:
        lab.turn("image.size", _size(text))

    size = lab.session.design.image.size
    value = "x".join(map(str, size)) if isinstance(size, tuple) else str(size)
    lab.app.push_screen(AskText("Image size", value, "px: 224, or height x width: 192x256", take=take, anew=True))


def _size(text: str) -> int | list[int]:
    """An image size as the dialog asks for it. Raises ConvlabError."""
    knob = knobs_of(Image)["size"]
    sides = [int(word) if WHOLE.fullmatch(word) else 0 for word in re.split(r"\s*[xX]\s*", text)]
    if len(sides) > 2 or not all(knob.low <= side <= knob.high for side in sides):  # type: ignore[operator]
        help = f"a whole number, 224, or height x width, 192x256; each from {knob.low} to {knob.high} px"
        raise ConvlabError(Problem("wrong-type", f"{quote(text)} is no image size", help=help))
    return sides if len(sides) == 2 else sides[0]


def undo(lab: Lab) -> None:
    """Take back the last edit."""
    if not lab.session.can_undo:
        lab.say("There is nothing to take back.")
        return
    last = lab.session.last
    lab.go(lab.session.undone())
    lab.say(f"Taken back: {last}")


def redo(lab: Lab) -> None:
    """Make it again."""
    if not lab.session.can_redo:
        lab.say("There is nothing to make again.")
        return
    lab.go(lab.session.redone())
    lab.say(f"Made again: {lab.session.last}")


def _bump(lab: Lab, direction: int) -> None:
    """Values that the design does not take are passed over; where it takes none, the first refusal is told. Raises ConvlabError."""
    cell = lab.grid.cell
    if cell is None:
        return
    refused: ConvlabError | None = None
    for value in bumped(cell.knob, cell.value, direction):
        try:
            lab.turn(cell.path, value)
        except ConvlabError as error:
            refused = refused or error
        else:
            return
    if refused is not None:
        raise refused
    lab.say(_nothing(cell, direction))


def _nothing(cell: GridCell, direction: int) -> str:
    if cell.knob.kind in ("choices", "layers", "text", "size"):
        return f"{cell.path} has no next value: ⏎ edits it."
    return f"{cell.path} has no value {'after' if direction > 0 else 'before'} this one: {cell.knob.bounds()}."
