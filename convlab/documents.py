"""TOML text with the place of every key and value in it, so that an error can point at what was written.
`read` a file, `parse` a text, or `parse_assignment` an argument of `--set`; `Document.place` finds the spot."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn, final

from convlab.errors import ConvlabError, Place, Problem, quote

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
MAX_DIGITS = 100

DocumentPath = tuple[str | int, ...]
Part = Literal["key", "value"]
_Keys = tuple[str, ...]
_Span = tuple[int, int]

# Possessive (*+): an unclosed string must fail at once, not after trying every way to split it.
_STRING = (
    r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*+"{3,5}' + r"|'''(?:[^']|'{1,2}(?!'))*+'{3,5}"
    r'|"(?!"")(?:[^"\\\n]|\\.)*+"' + r"|'(?!'')[^'\n]*+'"
)
_TOKEN = re.compile(
    rf"(?P<string>{_STRING})|(?P<comment>\#[^\n]*)|(?P<quote>[\"'])"
    r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<dot>\.)|(?P<end>[=,\n])|(?P<word>[\w+-]+)"
)
_QUOTED = re.compile(_STRING)
_KEY = re.compile(rf"{_STRING}|[\w*-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\r\n]*[^,\]}#\s]")
_SPACES = re.compile(r"[ \t]*")
_EQUALS = re.compile(r"=[ \t]*")
_BLANKS = re.compile(r"(?:\s|#[^\n]*)*+")
_SEPARATORS = re.compile(r"(?:[\s,]|#[^\n]*)*+")
_OPENING = re.compile(r"\[\[?[ \t]*")
_CLOSING = re.compile(r"\]{0,2}")
_COORDINATES = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_PATH_PART = re.compile(r"[A-Za-z0-9_-]+|\*")
_BARE_WORD = re.compile(r"[\w.+-]++(?=[ \t]*(?:[,\]}#\r\n]|$))")
_BARE_TEXT = re.compile(r"(?!(?:true|false|inf|nan)$)[A-Za-z_][\w./:+-]*")

_QUOTES_HELP = 'text stands in quotes: "convnext"; numbers, true and false do not'
_SET_HELP = 'a value is TOML, such as 27, 0.1, true, [3, 3, 9, 3] or "text"; quote it where the shell would change it'
_SYNTAX = {  # how a message of tomllib starts: the same in plainer words, and a way out
    "Invalid value": ("this is not a TOML value", _QUOTES_HELP),
    "Invalid statement": ("a line cannot start like this", "a line is key = value, a [table], or a # comment"),
    "Expected '='": ('"=" is missing after the key', "a line is key = value, a [table], or a # comment"),
    "Expected newline": ("the line should end before this", "one key = value a line; a list stands in [ ]"),
    "Expected ']": ("the table header is not closed", "it looks like [stages.2.block]"),
    "Invalid initial character": ("a key is missing here", "a key is made of letters, digits, _ and -"),
    "Unclosed array": ('the list needs "," or "]" here', "it looks like [3, 3, 9, 3]"),
    "Unclosed inline table": ('the table needs "," or "}" here', "it looks like { low = 3, high = 27 } on one line"),
    "Unterminated string": ("the text is not closed", "end it with the quotes that it starts with"),
    "Illegal character '\\n'": ("the text is not closed on its line", "end it with the quotes that it starts with"),
    "Illegal character '\\r'": ("a carriage return stands alone", "save the file with ordinary line endings"),
    "Unescaped '\\'": ("a backslash starts an unknown escape", "write \\\\, or use single quotes: 'C:\\data'"),
    "Invalid hex": ("the escape needs more hexadecimal digits", "it looks like \\u00e9"),
    "Invalid date": ("there is no such date or time", "it looks like 2026-11-22"),
}


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
        return span and _place(self.name, self.text, *span)

    def span(self, path: DocumentPath, of: Part = "value") -> _Span | None:
        """The start and the end of the value or the key in the text, as offsets; None where it is not written."""
        both = self._spans.get(tuple(map(str, path)))
        return both and both[of == "value"]

    @cached_property
    def _spans(self) -> dict[_Keys, tuple[_Span, _Span]]:
        scanner = _Scanner(self.text)
        scanner.document()
        return scanner.spans


@final
@dataclass(frozen=True, slots=True)
class Assignment:
    """What `--set stages.2.depth=27` says; the document is the argument itself."""

    path: tuple[str, ...]
    value: Any
    document: Document

    def place_of_value(self) -> Place:
        """Where the value stands in the argument."""
        place = self.document.place(self.path)
        assert place
        return place

    def place_of_path(self, part_index: int | None = None) -> Place:
        """Where the path, or one part of it, stands in the argument."""
        first, last = (0, len(self.path) - 1) if part_index is None else (part_index % len(self.path),) * 2
        spans = [self.document.span(self.path[: index + 1], "key") for index in (first, last)]
        assert spans[0]
        assert spans[1]
        return _place(self.document.name, self.document.text, spans[0][0], spans[1][1])


def read(path: str | os.PathLike[str]) -> Document:
    """The TOML document in the regular file at the path; anything else is a ConvlabError with exit code 2."""
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
    return parse(_decode(content, name), name)


def parse(text: str, name: str) -> Document:
    """The TOML document in the text; a ConvlabError with exit code 2 where it is not TOML, or hostile."""
    if text.startswith("\ufeff"):
        _refuse_byte_order_mark(name)
    _refuse_hazards(text, name)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConvlabError(_syntax_problem(str(error), text, name), exit_code=2) from None
    except (ValueError, RecursionError, OverflowError) as error:
        problem = Problem("toml-syntax", f"this cannot be read as TOML: {error}", Place(name, 0, 0, "", 0))
        raise ConvlabError(problem, exit_code=2) from None
    document = Document(name, text, data)
    _refuse_deep_data(document)
    return document


def parse_assignment(argument: str) -> Assignment:
    """What an argument of --set says: a knob path, '=', and a TOML value or a bare word."""
    head, equals, tail = argument.partition("=")
    if not equals:
        _refuse_set(argument, (0, len(argument)), 'there is no "=" and no value', "write it as stages.2.depth=27")
    path = _split_path(argument, head)
    word = tail.strip(" \t")
    value = word if _BARE_TEXT.fullmatch(word) else _parse_set_value(argument, head, tail)
    data: Any = value
    for part in reversed(path):
        data = {part: data}
    return Assignment(path, value, Document("--set", argument, data))


def _split_path(argument: str, head: str) -> tuple[str, ...]:
    help = "a knob path looks like stages.2.depth or stages.*.block.kernel_size"
    if not head.strip(" \t"):
        _refuse_set(argument, (0, len(head)), "the knob path is missing", help)
    parts = []
    start = 0
    for text in head.split("."):
        part = text.strip(" \t")
        begin = start + len(text) - len(text.lstrip(" \t"))
        if not _PATH_PART.fullmatch(part):
            message = f"{quote(part)} is no part of a knob path" if part else "a part of the knob path is empty"
            _refuse_set(argument, (begin, begin + len(part)), message, help)
        parts.append(part)
        start += len(text) + 1
    if len(parts) > MAX_DEPTH:
        _refuse_set(argument, (0, len(head)), f"the knob path has {len(parts)} parts", help)
    return tuple(parts)


def _parse_set_value(argument: str, head: str, tail: str) -> Any:
    if not tail.strip(" \t"):
        _refuse_set(argument, (len(argument), len(argument)), "the value is missing", 'an empty text is ""')
    try:
        # "*" is no TOML key, "_" is; of the same length, so that columns are those of the argument.
        value: Any = parse(head.replace("*", "_") + "=" + tail, "--set").data
    except ConvlabError as error:
        lines = argument.split("\n")
        problems = [
            replace(told, code="bad-set", place=replace(told.place, text=lines[told.place.line - 1]), help=_SET_HELP)
            for told in error.problems
            if told.place and told.place.line
        ]
        if problems:
            raise ConvlabError(*problems, exit_code=2) from None
        _refuse_set(argument, (len(head) + 1, len(argument)), error.problems[0].message, _SET_HELP)
    for _ in head.split("."):
        if len(value) > 1:
            span = len(head) + 1, len(argument)
            _refuse_set(argument, span, "this is more than one value", "give --set once for each knob")
        (value,) = value.values()
    return value


def _refuse_set(argument: str, span: _Span, message: str, help: str) -> NoReturn:
    raise ConvlabError(Problem("bad-set", message, _place("--set", argument, *span), help=help), exit_code=2)


def _refuse_file(name: str, code: str, message: str, help: str) -> NoReturn:
    raise ConvlabError(Problem(code, message, Place(name, 0, 0, "", 0), help=help), exit_code=2)


def _refuse_byte_order_mark(name: str) -> NoReturn:
    message = "the text starts with a byte order mark, which TOML does not allow"
    _refuse_file(name, "byte-order-mark", message, 'save it as plain "UTF-8", not "UTF-8 with BOM" or "UTF-16"')


def _decode(content: bytes, name: str) -> str:
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
        problem = Problem("not-text", "this byte is not text", _place(name, text, offset, offset + 1), help=help)
        raise ConvlabError(problem, exit_code=2)
    return text


def _place(name: str, text: str, start: int, end: int) -> Place:
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line = text[line_start : line_end if line_end >= 0 else None].removesuffix("\r")
    length = max(1, min(end - line_start, len(line)) - (start - line_start))
    return Place(name, text.count("\n", 0, start) + 1, start - line_start + 1, line, length)


def _refuse_hazards(text: str, name: str) -> None:
    """Refuse what would make tomllib recurse without end, take quadratic time, or meet int()'s limit of digits."""
    depth = dots = 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "quote":
            return  # an unclosed string: tomllib stops here too, and says so
        depth += (kind == "open") - (kind == "close")
        dots = dots + (kind == "dot") if kind not in ("open", "close", "end") else 0
        if depth > MAX_DEPTH or dots >= MAX_DEPTH:
            _refuse_depth(_place(name, text, *token.span()))
        if kind == "word" and _is_long_number(token[0], text[token.end() : token.end() + 9]):
            place = _place(name, text, *token.span())
            help = "write a large number with an exponent, such as 4.5e9"
            problem = Problem("number-too-long", f"a number of over {MAX_DIGITS} digits", place, help=help)
            raise ConvlabError(problem, exit_code=2)


def _is_long_number(word: str, following: str) -> bool:
    if len(word) <= MAX_DIGITS:
        return False
    is_key = following.lstrip(" \t").startswith("=")
    return not is_key and word.lstrip("+-")[:1].isdigit() and sum(map(str.isalnum, word)) > MAX_DIGITS


def _refuse_deep_data(document: Document) -> None:
    """Brackets, headers and dotted keys may each be within the limit, and exceed it together."""
    found: list[tuple[_Keys, Any]] = [((), document.data)]
    while found:
        path, value = found.pop()
        if len(path) > MAX_DEPTH:
            _refuse_depth(document.place(path, "key"))
        if isinstance(value, dict):
            found += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            found += [((*path, str(index)), item) for index, item in enumerate(value)]


def _refuse_depth(place: Place | None) -> NoReturn:
    message = f"this is nested more than {MAX_DEPTH} deep"
    problem = Problem("nested-too-deeply", message, place, help="no knob lies that deep: is a bracket not closed?")
    raise ConvlabError(problem, exit_code=2)


def _syntax_problem(said: str, text: str, name: str) -> Problem:
    """What tomllib said, in plainer words and with a caret."""
    found = _COORDINATES.search(said)
    said = said[: found.start()] if found else said
    offset = len(text.rstrip())
    if found and found[1]:
        before = text.split("\n", int(found[1]) - 1)[:-1]
        offset = sum(len(line) + 1 for line in before) + int(found[2]) - 1
    if said.startswith(("Cannot ", "Duplicate ")):
        return _clash(text[:offset], text, name)
    if said.startswith("Unescaped"):
        offset -= 2  # tomllib has stepped over the backslash and the letter
    plain = [told for start, told in _SYNTAX.items() if said.startswith(start)]
    message, help = plain[0] if plain else (said[:1].lower() + said[1:], "")
    word = _BARE_WORD.match(text, offset)
    place = _place(name, text, offset, max(offset + 1, word.end() if word else 0))
    label = ""
    if said.startswith("Invalid value"):
        if not place.text[place.column - 1 :].strip():
            message = "a value is missing here"
        if word:
            label = f"write {word[0].lower() if word[0] in ('True', 'False') else quote(word[0])}"
    return Problem("toml-syntax", message, place, label, help)


def _clash(valid: str, text: str, name: str) -> Problem:
    """The problem of the last key of the valid text, which clashes with a key before it."""
    scanner = _Scanner(valid)
    with suppress(EOFError):  # the valid text may break off inside an inline table
        scanner.document()
    path, span = scanner.latest
    key = quote(".".join(path))
    place = _place(name, text, *span)
    for length in range(len(path), 0, -1):
        earlier = scanner.spans.get(path[:length])
        if earlier and earlier[0] != span:
            line = f"line {valid.count(chr(10), 0, earlier[0][0]) + 1}"
            if length == len(path):
                return Problem("toml-syntax", f"{key} is given twice", place, f"first in {line}", "keep one of the two")
            message = f"{key} cannot be added to {quote('.'.join(path[:length]))}"
            return Problem("toml-syntax", message, place, f"that is given in {line}", "write it all in one place")
    return Problem("toml-syntax", f"{key} is given twice", place, help="keep one of the two")


@final
class _Scanner:
    """Finds the spans (key, value) of every path in text that tomllib has accepted; EOFError where it breaks off."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.spans: dict[_Keys, tuple[_Span, _Span]] = {}
        self.latest: tuple[_Keys, _Span] = ((), (0, 0))
        self._implied: set[_Keys] = set()
        self._items: dict[_Keys, int] = {}

    def document(self) -> None:
        table: _Keys = ()
        self._take(_BLANKS)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._take(_BLANKS)

    def _header(self) -> _Keys:
        start = self.at
        is_item = self._take(_OPENING).startswith("[[")
        parts = self._dotted_key()
        self._take(_CLOSING)
        whole = (start, self.at)
        path: _Keys = ()
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

    def _pair(self, table: _Keys) -> None:
        parts = self._dotted_key()
        path = table
        for name, span in parts[:-1]:
            path += (name,)
            self._note(path, span, (parts[0][1][0], span[1]))
        name, span = parts[-1]
        path += (name,)
        self._take(_EQUALS)
        self._note(path, span, self._value(path))
        self.latest = path, span

    def _dotted_key(self) -> list[tuple[str, _Span]]:
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

    def _value(self, path: _Keys) -> _Span:
        start = self.at
        if self.text.startswith("[", start):
            self._array(path)
        elif self.text.startswith("{", start):
            self._inline_table(path)
        else:
            self._take(_QUOTED if self.text.startswith(('"', "'"), start) else _BARE_VALUE)
        return start, self.at

    def _array(self, path: _Keys) -> None:
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

    def _inline_table(self, path: _Keys) -> None:
        self.at += 1
        self._take(_SEPARATORS)
        while not self.text.startswith("}", self.at):
            self._pair(path)
            self._take(_SEPARATORS)
        self.at += 1

    def _note(self, path: _Keys, key: _Span, value: _Span, implied: bool = False) -> None:
        """The first mention counts; but a table's own header counts more than that of a table inside it."""
        if path not in self.spans or (path in self._implied and not implied):
            self.spans[path] = key, value
            (self._implied.add if implied else self._implied.discard)(path)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise EOFError
        self.at = found.end()
        return found[0]
