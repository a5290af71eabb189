"""The values that the forms were last left with, kept between starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.files import write_whole

FILE = "forms.json"

Last: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By the kind of the form, then by knob. Values are checked where they are used: the file may be of another version."""


def recall_forms(folder: Path) -> Last:
    """What the forms were last left with; nothing where that cannot be read: it is a convenience."""
    try:
        found = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {kind: values for kind, values in found.items() if isinstance(values, dict)}


def remember_form(folder: Path, kind: str, values: Mapping[str, Any]) -> None:
    """Keep the values of a form beside those of the others. Raises ConvlabError where it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the folder {quote(str(folder))}: {error.strerror}"
        raise ConvlabError(Problem("unreadable-file", message, help="the values hold until you leave")) from None
    kept = {**recall_forms(folder), kind: dict(values)}
    write_whole(folder / FILE, (json.dumps(kept, indent=2) + "\n").encode())
