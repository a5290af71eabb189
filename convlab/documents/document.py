"""TOML text with the place of every key and value in it, so that an error can point at what was written.
`read` a file or `parse` a text; `Document.place` finds the spot."""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn, final

from convlab.documents.hazards import refuse_depth, refuse_hazards, too_deep
from convlab.documents.spans import Keys, Scanner, Span, place_of
from convlab.documents.syntax import syntax_problem
from convlab.errors import ConvlabError, Place, Problem, quote

MAX_BYTES = 1_000_000

DocumentPath = tuple[str | int, ...]
Part = Literal["key", "value"]


@final
@dataclass(frozen=True)
class Document:
    """TOML text, its name for messages, and the data it holds."""

    name: str
    text: str
    data: dict[str, Any] = field(compare=False)

    def place(self, path: DocumentPath, of: Part = "value") -> Place | None:
        """Where the value (of a table: its header) or the key at the path is written; None where it is not."""
        span = self.span(path, of)
        return span and place_of(self.name, self.text, *span)

    def span(self, path: DocumentPath, of: Part = "value") -> Span | None:
        """The start and the end of the value or the key in the text, as offsets; None where it is not written."""
        both = self._spans.get(tuple(map(str, path)))
        return both and both[of == "value"]

    @cached_property
    def _spans(self) -> dict[Keys, tuple[Span, Span]]:
        scanner = Scanner(self.text)
        scanner.document()
        return scanner.spans


def read(path: str | os.PathLike[str]) -> Document:
    """The TOML document in the regular file at the path; anything else is a ConvlabError with exit code 2."""
    return parse(read_text(path), os.fspath(path))


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of the regular file at the path, its ends of lines as they are, whether it is TOML or not. Raises ConvlabError."""
    name = os.fspath(path)
    try:
        status = Path(name).stat()
        if stat.S_ISDIR(status.st_mode):
            _refuse_file(name, "not-a-file", f"{quote(name)} is a folder", "name a TOML file in it")
        if not stat.S_ISREG(status.st_mode):
            _refuse_file(name, "not-a-file", f"{quote(name)} is not a regular file", "pipes and devices are not read")
        if status.st_size > MAX_BYTES:
            _refuse_file(name, "too-large", f"{quote(name)} is over 1 MB", "is it another file than you meant?")
        with Path(name).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        _refuse_file(name, "unreadable-file", f"there is no file {quote(name)}", "check the spelling and the folder")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = ((isinstance(error, OSError) and error.strerror) or str(error)).lower()
        _refuse_file(name, "unreadable-file", f"cannot read {quote(name)}: {reason}", "check the name and permissions")
    if len(content) > MAX_BYTES:  # the file grew, or says 0 bytes as those in /proc do
        _refuse_file(name, "too-large", f"{quote(name)} is over 1 MB", "is it another file than you meant?")
    return _decode(content, name)


def parse(text: str, name: str) -> Document:
    """The TOML document in the text; a ConvlabError with exit code 2 where it is not TOML, or hostile."""
    if text.startswith("\ufeff"):
        _refuse_byte_order_mark(name)
    refuse_hazards(text, name)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConvlabError(syntax_problem(str(error), text, name), exit_code=2) from None
    except (ValueError, RecursionError, OverflowError) as error:
        problem = Problem("toml-syntax", f"this cannot be read as TOML: {error}", Place(name, 0, 0, "", 0))
        raise ConvlabError(problem, exit_code=2) from None
    document = Document(name, text, data)
    deep = too_deep(data)
    if deep is not None:
        refuse_depth(document.place(deep, "key"))
    return document


def _refuse_file(name: str, code: str, message: str, help: str) -> NoReturn:
    raise ConvlabError(Problem(code, message, Place(name, 0, 0, "", 0), help=help), exit_code=2)


def _refuse_byte_order_mark(name: str) -> NoReturn:
    message = "the text starts with a byte order mark, which TOML does not allow"
    _refuse_file(name, "byte-order-mark", message, 'save it as plain "UTF-8", not "UTF-8 with BOM" or "UTF-16"')


def _is_safetensors(content: bytes) -> bool:
    """A header's length in eight bytes, then a header in JSON."""
    return content[8:9] == b"{" and 0 < int.from_bytes(content[:8], "little") < len(content)


def _decode(content: bytes, name: str) -> str:
    if _is_safetensors(content):
        help = f"convlab export {name} --to hub writes the design of a trained checkpoint; --weights takes its weights"
        _refuse_file(name, "not-text", "this file holds weights, not a design", help)
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):  # UTF-16, UTF-32
        _refuse_byte_order_mark(name)
    try:
        text = content.decode("utf-8")
        offset = text.find("\0")
    except UnicodeDecodeError as error:
        text = content.decode("utf-8", "replace")
        offset = len(content[: error.start].decode("utf-8"))
    if offset >= 0:
        help = "name a TOML file, or save the text as UTF-8"
        problem = Problem("not-text", "this byte is not text", place_of(name, text, offset, offset + 1), help=help)
        raise ConvlabError(problem, exit_code=2)
    return text
