"""What the terminal UI remembers between starts: the theme and the keys that a person set, in a file of the user's state folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.files import write_whole
from convlab.tui.actions import ACTIONS
from convlab.tui.themes import DEFAULT, THEMES

FILE = "tui.json"
DAMAGED = "tui.json.damaged"


@final
@dataclass(frozen=True)
class Remembered:
    """The theme's name, and keys by the name of their action where they are not the usual ones."""

    theme: str = DEFAULT
    keymap: dict[str, str] = field(default_factory=dict)


def state_folder() -> Path:
    """Where it is kept on this platform."""
    from platformdirs import user_state_path

    return user_state_path("convlab", appauthor=False)


def recall(folder: Path) -> tuple[Remembered, str]:
    """What is remembered, and what to tell of it: a damaged file is put aside, so that it is told once."""
    path = folder / FILE
    try:
        return _read(json.loads(path.read_text(encoding="utf-8"))), ""
    except FileNotFoundError:
        return Remembered(), ""
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is damaged"
        try:
            path.replace(folder / DAMAGED)
        except OSError:
            return Remembered(), f"{path} cannot be read: {reason}. Theme and keys are the usual ones."
        return (
            Remembered(),
            f"{path} cannot be read: {reason}. It was put aside as {DAMAGED}; theme and keys are the usual ones.",
        )


def remember(folder: Path, remembered: Remembered) -> None:
    """Write it, whole or not at all. Raises ConvlabError where it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = Problem(
            "unreadable-file",
            f"cannot make the folder {quote(str(folder))}: {error.strerror}",
            help="theme and keys hold until you leave",
        )
        raise ConvlabError(problem) from None
    plain = {"theme": remembered.theme, "keymap": remembered.keymap}
    write_whole(folder / FILE, (json.dumps(plain, indent=2) + "\n").encode())


def _read(written: Any) -> Remembered:
    """Raises ValueError where it is something else; a theme or an action of another version is passed over."""
    if not isinstance(written, dict) or not isinstance(written.get("keymap", {}), dict):
        raise ValueError(written)
    names = {item.name for item in ACTIONS}
    keymap = {
        name: key for name, key in written.get("keymap", {}).items() if name in names and isinstance(key, str) and key
    }
    theme = written.get("theme")
    return Remembered(theme if theme in THEMES else DEFAULT, keymap)
