"""What tomllib says of a text that it cannot read, in plainer words and with a caret."""

from __future__ import annotations

import re
from contextlib import suppress

from convlab.documents.spans import TOKEN, Scanner, place_of
from convlab.errors import Problem, quote

_COORDINATES = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BARE_WORD = re.compile(r"[\w.+-]++(?=[ \t]*(?:[,\]}#\r\n]|$))")
_VALUES_HELP = 'values look like 7, 0.1, true, "convnext" and [3, 3, 9, 3]'
_SYNTAX = {  # how a message of tomllib starts: the same in plainer words, and a way out
    "Invalid value": ("this is not a TOML value", _VALUES_HELP),
    "Invalid statement": ("a line cannot start like this", "a line is key = value, a [table], or a # comment"),
    "Expected '='": ('"=" is missing after the key', "a line is key = value, a [table], or a # comment"),
    "Expected newline": (
        "the line should end before this",
        "one key = value a line; a list stands in [ ], a decimal has a point",
    ),
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


def syntax_problem(said: str, text: str, name: str) -> Problem:
    """The problem that a message of tomllib tells, in plainer words and with a caret."""
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
    label = ""
    bracket = _open_bracket(text[:offset])
    if said.startswith("Unclosed") and bracket >= 0 and "\n" in text[bracket:offset]:
        what = "list" if text[bracket] == "[" else "table"
        label = f"the {what} starts in line {text.count(chr(10), 0, bracket) + 1}"
    if said.startswith("Invalid initial") and text[bracket:][:1] == "{" and not text[offset : offset + 2].strip():
        message, help = "the table in { } does not end on its line", "end it there, or write a [table] of its own"
    place = place_of(name, text, offset, max(offset + 1, word.end() if word else 0))
    if said.startswith("Invalid value"):
        if not place.text[place.column - 1 :].strip():
            message = "a value is missing here"
        if word:
            label = f"write {word[0].lower() if word[0] in ('True', 'False') else quote(word[0])}"
    return Problem("toml-syntax", message, place, label, help)


def _open_bracket(text: str) -> int:
    """Where the innermost bracket stands that the text leaves open; -1 where there is none."""
    found: list[int] = []
    for token in TOKEN.finditer(text):
        if token.lastgroup == "open":
            found.append(token.start())
        elif token.lastgroup == "close" and found:
            found.pop()
    return found[-1] if found else -1


def _clash(valid: str, text: str, name: str) -> Problem:
    """The problem of the last key of the valid text, which clashes with a key before it."""
    scanner = Scanner(valid)
    with suppress(EOFError):  # the valid text may break off inside an inline table
        scanner.document()
    path, span = scanner.latest
    key = quote(".".join(path))
    place = place_of(name, text, *span)
    for length in range(len(path), 0, -1):
        earlier = scanner.spans.get(path[:length])
        if earlier and earlier[0] != span:
            line = f"line {valid.count(chr(10), 0, earlier[0][0]) + 1}"
            if length == len(path):
                return Problem("toml-syntax", f"{key} is given twice", place, f"first in {line}", "keep one of the two")
            message = f"{key} cannot be added to {quote('.'.join(path[:length]))}"
            return Problem("toml-syntax", message, place, f"that is given in {line}", "write it all in one place")
    return Problem("toml-syntax", f"{key} is given twice", place, help="keep one of the two")
