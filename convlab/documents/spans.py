"""Where everything stands in a TOML text: the span of each key and value, found by a scanner of valid text."""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple, final

from convlab.errors import Place

Keys = tuple[str, ...]
Span = tuple[int, int]

# Possessive (*+): an unclosed string must fail at once, not after trying every way to split it.
STRING = (
    r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*+"{3,5}' + r"|'''(?:[^']|'{1,2}(?!'))*+'{3,5}"
    r'|"(?!"")(?:[^"\\\n]|\\.)*+"' + r"|'(?!'')[^'\n]*+'"
)
TOKEN = re.compile(
    rf"(?P<string>{STRING})|(?P<comment>\#[^\n]*)|(?P<quote>[\"'])"
    r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<dot>\.)|(?P<end>[=,\n])|(?P<word>[\w+-]+)"
)
_QUOTED = re.compile(STRING)
_KEY = re.compile(rf"{STRING}|[\w*-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\r\n]*[^,\]}#\s]")
_SPACES = re.compile(r"[ \t]*")
_EQUALS = re.compile(r"=[ \t]*")
_BLANKS = re.compile(r"(?:\s|#[^\n]*)*+")
_SEPARATORS = re.compile(r"(?:[\s,]|#[^\n]*)*+")
_OPENING = re.compile(r"\[\[?[ \t]*")
_CLOSING = re.compile(r"\]{0,2}")


def place_of(name: str, text: str, start: int, end: int) -> Place:
    """The place of a stretch of a text, given by its offsets; of several lines, the first."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line = text[line_start : line_end if line_end >= 0 else None].removesuffix("\r")
    length = max(1, min(end - line_start, len(line)) - (start - line_start))
    return Place(name, text.count("\n", 0, start) + 1, start - line_start + 1, line, length)


class Statement(NamedTuple):
    """A header, or a pair of key and value that is not inside another: the table it stands in (a header: itself), its path and span."""

    table: Keys
    path: Keys
    span: Span
    header: bool


@final
class Scanner:
    """Finds the spans (key, value) of every path in text that tomllib has accepted; EOFError where it breaks off."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.spans: dict[Keys, tuple[Span, Span]] = {}
        self.latest: tuple[Keys, Span] = ((), (0, 0))
        self.statements: list[Statement] = []
        self.mentions: list[tuple[Keys, Span]] = []
        self.starts: dict[Keys, int] = {}
        self._implied: set[Keys] = set()
        self._items: dict[Keys, int] = {}

    def document(self) -> None:
        """Scan the whole text."""
        table: Keys = ()
        self._take(_BLANKS)
        while self.at < len(self.text):
            start = self.at
            header = self.text[start] == "["
            if header:
                table = self._header()
            else:
                self._pair(table)
            path = table if header else self.latest[0]
            self.statements.append(Statement(table, path, (start, self.at), header))
            self._take(_BLANKS)

    def _header(self) -> Keys:
        start = self.at
        is_item = self._take(_OPENING).startswith("[[")
        parts = self._dotted_key()
        self._take(_CLOSING)
        whole = (start, self.at)
        path: Keys = ()
        for name, span in parts[:-1]:
            path += (name,)
            self._note(path, span, whole, implied=True)
            if path in self._items:
                path += (str(self._items[path]),)
        name, span = parts[-1]
        path += (name,)
        self._note(path, span, whole)
        self.latest = path, span
        if is_item:
            self._items[path] = self._items.get(path, -1) + 1
            path += (str(self._items[path]),)
            self._note(path, span, whole)
        return path

    def _pair(self, table: Keys) -> None:
        parts = self._dotted_key()
        path = table
        for name, span in parts[:-1]:
            path += (name,)
            self._note(path, span, (parts[0][1][0], span[1]))
        name, span = parts[-1]
        path += (name,)
        self.starts[path] = parts[0][1][0]
        self._take(_EQUALS)
        self._note(path, span, self._value(path))
        self.latest = path, span

    def _dotted_key(self) -> list[tuple[str, Span]]:
        parts = []
        while True:
            self._take(_SPACES)
            start = self.at
            raw = self._take(_KEY)
            name = tomllib.loads(f"x = {raw}")["x"] if raw[0] in "\"'" else raw
            parts.append((name, (start, self.at)))
            self._take(_SPACES)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def _value(self, path: Keys) -> Span:
        start = self.at
        if self.text.startswith("[", start):
            self._array(path)
        elif self.text.startswith("{", start):
            self._inline_table(path)
        else:
            self._take(_QUOTED if self.text.startswith(('"', "'"), start) else _BARE_VALUE)
        return start, self.at

    def _array(self, path: Keys) -> None:
        self.at += 1
        self._take(_SEPARATORS)
        index = 0
        while not self.text.startswith("]", self.at):
            item = (*path, str(index))
            span = self._value(item)
            self._note(item, span, span)
            self._take(_SEPARATORS)
            index += 1
        self.at += 1

    def _inline_table(self, path: Keys) -> None:
        self.at += 1
        self._take(_SEPARATORS)
        while not self.text.startswith("}", self.at):
            self._pair(path)
            self._take(_SEPARATORS)
        self.at += 1

    def _note(self, path: Keys, key: Span, value: Span, implied: bool = False) -> None:
        """The first mention counts; but a table's own header counts more than that of a table inside it."""
        self.mentions.append((path, key))
        if path not in self.spans or (path in self._implied and not implied):
            self.spans[path] = key, value
            (self._implied.add if implied else self._implied.discard)(path)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise EOFError
        self.at = found.end()
        return found[0]
