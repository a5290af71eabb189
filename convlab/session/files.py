"""The texts of designs in files: moved from one folder to another, and looked at again."""

from __future__ import annotations

import os
import re
from pathlib import Path

from convlab.documents.document import parse, read_text
from convlab.documents.revising import put
from convlab.errors import ConvlabError
from convlab.presets import preset_path

_SCHEMA = re.compile(r"#:schema[ \t]+(?P<file>\S+)[^\n]*\n")
"""The line by which an editor finds the schema that it completes keys from."""


def moved(text: str, old: str, new: str) -> str:
    """The text of a file for a file elsewhere: a base that is a file, and a schema beside it, are found from the new folder."""
    here, there = Path(old).parent, Path(new).parent
    if here.resolve() == there.resolve():
        return text
    schema = _SCHEMA.match(text)
    if schema and "://" not in schema["file"]:
        path = _from(there, here / schema["file"])
        text = text[: schema.start("file")] + path + text[schema.end("file") :]
    base = parse(text, old).data.get("base")
    if isinstance(base, str) and (base.endswith(".toml") or preset_path(base) is None):
        text = put(text, ("base",), _from(there, here / base))
    return text


def _from(folder: Path, path: Path) -> str:
    """The way from a folder to a file; links to folders are followed, since ".." behind one leads elsewhere than it reads."""
    return Path(os.path.relpath(path.parent.resolve() / path.name, folder.resolve())).as_posix()


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths are those of one file, however they are written."""
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()


def without_schema(text: str) -> str:
    """The text without the line that names a schema beside the file: a text that is no file's stands beside none."""
    return _SCHEMA.sub("", text, count=1) if _SCHEMA.match(text) else text


def text_there(path: Path) -> str | None:
    """The text that a file holds now; None where there is none that can be read."""
    try:
        return read_text(path)
    except ConvlabError:
        return None
