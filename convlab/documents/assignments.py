"""Arguments of ``--set``: a knob path, '=', and a TOML value or a bare word, with their places in the argument."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, NoReturn, final

from convlab.documents.document import Document, parse
from convlab.documents.hazards import MAX_DEPTH
from convlab.documents.spans import Span, place_of
from convlab.errors import ConvlabError, Place, Problem, quote

_PATH_PART = re.compile(r"[A-Za-z0-9_-]+|\*")
_BARE_TEXT = re.compile(r"(?!(?:true|false|inf|nan)$)[A-Za-z_][\w./:+-]*")
_SET_HELP = 'a value is TOML, such as 27, 0.1, true, [3, 3, 9, 3] or "text"; quote it where the shell would change it'


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
        return place_of(self.document.name, self.document.text, spans[0][0], spans[1][1])


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


def _refuse_set(argument: str, span: Span, message: str, help: str) -> NoReturn:
    raise ConvlabError(Problem("bad-set", message, place_of("--set", argument, *span), help=help), exit_code=2)
