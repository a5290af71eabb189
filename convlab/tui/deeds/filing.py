"""Files: save, save as, open, and leaving; what is not saved is asked about first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from convlab.errors import ConvlabError, Problem, quote
from convlab.session import opened_draft
from convlab.tui.dialogs.asking import AskText
from convlab.tui.dialogs.choosing import Choose
from convlab.tui.dialogs.picker import Picker
from convlab.tui.dialogs.unsaved import SAVE, Unsaved

if TYPE_CHECKING:
    from convlab.tui.lab import Lab

OVER = "over"
ELSEWHERE = "elsewhere"


def save(lab: Lab) -> None:
    """Into the design's file; where it has none, one is asked for. Raises ConvlabError."""
    _save(lab, lambda: None)


def save_as(lab: Lab, then: Callable[[], None] | None = None) -> None:
    """Into another file, which is asked for; ``then`` is done when it is saved. Raises ConvlabError."""
    _refuse_waiting(lab)

    def take(text: str) -> None:
        try:
            path = _path(text)
            doubts = _doubts_of_another(lab, path)
        except OSError as error:  # a name that is too long, a folder that may not be read
            message = f"cannot save in {quote(text)}: {error.strerror}"
            raise ConvlabError(Problem("not-saved", message, help="choose another place")) from None
        if doubts and asked != [path]:
            asked[:] = [path]
            raise ConvlabError(*doubts)
        _made(path.parent)
        _saved(lab, path)

    asked: list[Path] = []
    name = Path(lab.session.design.name or "design").name
    value = str(lab.session.path or f"{name}.toml")
    lab.app.push_screen(
        AskText("Save as", value, "a file; .toml is added", take=take),
        lambda text: then() if then and text else None,
    )


def open_another(lab: Lab) -> None:
    """Another design in place of this one."""

    def answered(source: str | None) -> None:
        if source:
            guarded(lab, lambda: lab.attempt(lambda: open_source(lab, source)))

    lab.app.push_screen(Picker(), answered)


def open_source(lab: Lab, source: str) -> None:
    """A preset or a file in place of the design. Raises ConvlabError."""
    session = opened_draft(source)
    lab.walking = source.startswith("roadmap/")
    lab.go(session)
    lab.say(f"Opened {source}.")
    lab.mend()


def leave(lab: Lab) -> None:
    """End the program."""
    guarded(lab, lab.app.end, leaving=True)


def guarded(lab: Lab, then: Callable[[], None], *, leaving: bool = False) -> None:
    """Do something that loses unsaved changes, or running work where it is leaving, once a person has said what becomes of them."""
    running = sum(job.running for job in lab.app.job_states) if leaving else 0
    unsaved = lab.session.unsaved or lab.panes.waiting is not None
    if not unsaved and not running:
        then()
        return

    def answered(answer: str | None) -> None:
        if answer == SAVE:
            lab.attempt(lambda: _save(lab, then))
        elif answer is not None:
            then()

    name = (lab.session.design.name or lab.session.origin) if unsaved else ""
    lab.app.push_screen(Unsaved(name, running=running), answered)


def _save(lab: Lab, then: Callable[[], None]) -> None:
    """Save, and then do something; where a person might not want to write over the file, that is asked first. Raises ConvlabError."""

    def write() -> None:
        _saved(lab, None)
        then()

    def answered(answer: str | None) -> None:
        if answer == OVER:
            lab.attempt(write)
        elif answer == ELSEWHERE:
            save_as(lab, then)

    _refuse_waiting(lab)
    if lab.session.path is None:
        save_as(lab, then)
    elif doubt := _doubt(lab, lab.session.path):
        options = [(OVER, "Write over it"), (ELSEWHERE, "Save as another file")]
        lab.app.push_screen(Choose(doubt, options), answered)
    else:
        write()


def _refuse_waiting(lab: Lab) -> None:
    """Raise ConvlabError where a text waits to be mended: the file would be without it."""
    panel = lab.panes.waiting
    if panel is not None:
        help = "the message there says where, ctrl+r gives the text up"
        raise ConvlabError(Problem("usage", f"what is written in {panel.title} is no design yet", help=help))


def _doubt(lab: Lab, path: Path) -> str:
    """Why a person might not want to write over the file; empty where nothing speaks against it."""
    if lab.session.changed_on_disk:
        return f"{path.name} was changed or removed by somebody else"
    if lab.step is not None:
        return f"{path.name} would become a step of the walk"
    return ""


def _saved(lab: Lab, path: Path | None) -> None:
    lab.go(lab.session.saved(path))
    lab.say(f"Saved in {lab.session.path}.")


def _doubts_of_another(lab: Lab, path: Path) -> list[Problem]:
    """Why a person might not want to save in another file, told before it is done."""
    folder = path.parent
    if path.exists() and path != lab.session.path:
        return [Problem("usage", f"{quote(str(path))} is there already", help="⏎ once more writes over it")]
    if not folder.exists():
        return [Problem("usage", f"there is no folder {quote(str(folder))}", help="⏎ once more makes it")]
    return []


def _made(folder: Path) -> None:
    """Make a folder where it is not there. Raises ConvlabError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the folder {quote(str(folder))}: {error.strerror}"
        raise ConvlabError(Problem("not-saved", message, help="choose another place")) from None


def _path(text: str) -> Path:
    """The file that is meant; its ending may be left out. Raises ConvlabError for another one."""
    path = Path(text).expanduser()
    if not path.name or text.endswith(("/", os.sep)) or path.is_dir():
        problem = Problem("usage", f"{quote(text)} names no file", help="a folder and a name: designs/mine.toml")
        raise ConvlabError(problem)
    if path.suffix in ("", ".toml"):
        return path.with_suffix(".toml")
    problem = Problem("usage", f"{quote(text)} does not end in .toml", help="so that it is known as a design")
    raise ConvlabError(problem)
