"""What is refused before or after tomllib reads a text, because it would exhaust it: nesting, and endless numbers."""

from __future__ import annotations

from typing import Any, NoReturn

from convlab.documents.spans import TOKEN, Keys, place_of
from convlab.errors import ConvlabError, Place, Problem

MAX_DEPTH = 64
MAX_DIGITS = 100


def refuse_hazards(text: str, name: str) -> None:
    """Refuse what would make tomllib recurse without end, take quadratic time, or meet int()'s limit of digits."""
    depth = dots = 0
    for token in TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "quote":
            return  # an unclosed string: tomllib stops here too, and says so
        depth += (kind == "open") - (kind == "close")
        dots = dots + (kind == "dot") if kind not in ("open", "close", "end") else 0
        if depth > MAX_DEPTH or dots >= MAX_DEPTH:
            refuse_depth(place_of(name, text, *token.span()))
        if kind == "word" and _is_long_number(token[0], text[token.end() : token.end() + 9]):
            place = place_of(name, text, *token.span())
            help = "shorten it; a large number has an exponent, such as 4.5e9"
            problem = Problem("number-too-long", f"a number of over {MAX_DIGITS} digits", place, help=help)
            raise ConvlabError(problem, exit_code=2)


def _is_long_number(word: str, following: str) -> bool:
    if len(word) <= MAX_DIGITS:
        return False
    is_key = following.lstrip(" \t").startswith("=")
    return not is_key and word.lstrip("+-")[:1].isdigit() and sum(map(str.isalnum, word)) > MAX_DIGITS


def too_deep(data: dict[str, Any]) -> Keys | None:
    """The path of something that lies too deep: brackets, headers and dotted keys may each be within the limit, and exceed it together."""
    found: list[tuple[Keys, Any]] = [((), data)]
    while found:
        path, value = found.pop()
        if len(path) > MAX_DEPTH:
            return path
        if isinstance(value, dict):
            found += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            found += [((*path, str(index)), item) for index, item in enumerate(value)]
    return None


def refuse_depth(place: Place | None) -> NoReturn:
    """Raise ConvlabError for what is nested too deeply."""
    message = f"this is nested more than {MAX_DEPTH} deep"
    problem = Problem("nested-too-deeply", message, place, help="no knob lies that deep: is a bracket not closed?")
    raise ConvlabError(problem, exit_code=2)
