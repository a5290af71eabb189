"""A TOML text with its statements and spans: where its lines begin and end, and how edits are put into it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any, NamedTuple

from convlab.documents.spans import Keys, Scanner, Span, Statement


class Edit(NamedTuple):
    """A stretch of a text and what comes in its place."""

    start: int
    end: int
    text: str


class Page(NamedTuple):
    """A TOML text, what it holds, and where everything in it stands."""

    text: str
    data: dict[str, Any]
    statements: tuple[Statement, ...]
    spans: dict[Keys, tuple[Span, Span]]
    mentions: tuple[tuple[Keys, Span], ...]
    starts: dict[Keys, int]
    """Where each pair begins, with the first part of a dotted key."""

    @staticmethod
    def of(text: str) -> Page:
        """The page of a text that is TOML."""
        data = tomllib.loads(text)
        scanner = Scanner(text)
        scanner.document()
        return Page(text, data, tuple(scanner.statements), scanner.spans, tuple(scanner.mentions), scanner.starts)

    @property
    def newline(self) -> str:
        """How its lines end."""
        at = self.text.find("\n")
        return "\r\n" if at > 0 and self.text[at - 1] == "\r" else "\n"

    def value(self, keys: Keys) -> Any:
        """The value at keys."""
        found: Any = self.data
        for key in keys:
            found = found[int(key)] if isinstance(found, list) else found[key]
        return found

    def is_pair(self, keys: Keys) -> bool:
        """Whether keys are written with a value of their own, at a line or inside an inline table."""
        return keys in self.starts

    def line_start(self, offset: int) -> int:
        """Where the line of an offset begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def next_line(self, offset: int) -> int:
        """Where the line after that of an offset begins; the end of the text where there is none."""
        at = self.text.find("\n", offset)
        return len(self.text) if at < 0 else at + 1

    def body(self, header: Statement | None) -> tuple[Statement, ...]:
        """The pairs below a header; without one those at the top of the text."""
        start = 0 if header is None else self.statements.index(header) + 1
        found: list[Statement] = []
        for statement in self.statements[start:]:
            if statement.header:
                break
            found.append(statement)
        return tuple(found)

    def with_lines(self, lines: Iterable[str], at: int) -> str:
        """The text with lines put in where a line begins, or after its last line; a final newline stays there, or not there."""
        whole = self.newline.join(lines)
        text = self.text
        if at == len(text) and text and not text.endswith("\n"):
            return text + self.newline + whole
        return text[:at] + whole + self.newline + text[at:]

    def without_lines(self, span: Span) -> str:
        """The text without the lines that a span touches."""
        start, end = self.line_start(span[0]), self.next_line(span[1])
        if end == len(self.text) and not self.text.endswith("\n"):
            start = len(self.text[:start].removesuffix("\n").removesuffix("\r"))
        return self.text[:start] + self.text[end:]

    def edited(self, edits: Iterable[Edit]) -> str:
        """The text with edits that do not overlap."""
        text = self.text
        for edit in sorted(edits, reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        return text
