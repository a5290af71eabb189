"""Code laid out as black lays it out (line length 88): an expression stands on one line, or its brackets are opened one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

LINE_LENGTH = 88
INDENT = "    "


@final
@dataclass(frozen=True, slots=True)
class Brackets:
    """Items between brackets, a call or a tuple: ``opening`` holds what stands before them and the bracket itself."""

    opening: str
    items: tuple[Expression, ...]
    closing: str = ")"


@final
@dataclass(frozen=True, slots=True)
class Comprehension:
    """An element and its ``for`` clause, the only item of its brackets."""

    element: Expression
    clause: str


Expression = str | Brackets | Comprehension
"""A text that is never broken, or one of the two that may be."""


def call(function: str, *arguments: Expression) -> Brackets:
    """A call with its arguments."""
    return Brackets(f"{function}(", arguments)


def named(name: str, value: Expression) -> Expression:
    """An argument by its name."""
    return (
        Brackets(f"{name}={value.opening}", value.items, value.closing)
        if isinstance(value, Brackets)
        else f"{name}={value}"
    )


def repeated(element: Expression, clause: str) -> Brackets:
    """A list comprehension whose elements become arguments."""
    return Brackets("*[", (Comprehension(element, clause),), "]")


def plural(values: tuple[object, ...]) -> Brackets:
    """A tuple of plain values."""
    texts = tuple(repr(value) for value in values)
    return Brackets("(", texts, ",)" if len(texts) == 1 else ")")


def flat(expression: Expression) -> str:
    """An expression on one line."""
    match expression:
        case Brackets():
            return expression.opening + ", ".join(map(flat, expression.items)) + expression.closing
        case Comprehension():
            return f"{flat(expression.element)} {expression.clause}"
        case _:
            return expression


def lines(expression: Expression, before: str = "", after: str = "", *, depth: int = 0) -> list[str]:
    """The lines of a statement: an expression between two texts, at an indentation of ``depth`` steps."""
    indent = INDENT * depth
    whole = indent + before + flat(expression) + after
    if len(whole) <= LINE_LENGTH or isinstance(expression, str):
        return [whole]
    if isinstance(expression, Comprehension):
        return [*lines(expression.element, before, depth=depth), indent + expression.clause + after]
    return [indent + before + expression.opening, *_opened(expression, depth + 1), indent + expression.closing + after]


def _opened(brackets: Brackets, depth: int) -> list[str]:
    """What stands between opened brackets: all items on one line where they fit, otherwise each on lines of its own."""
    together = INDENT * depth + ", ".join(map(flat, brackets.items))
    if len(together) <= LINE_LENGTH:
        return [together]
    if len(brackets.items) == 1:
        return lines(brackets.items[0], depth=depth)
    return [line for item in brackets.items for line in lines(item, after=",", depth=depth)]


def indented(texts: list[str], depth: int = 1) -> list[str]:
    """Lines moved to the right; empty ones stay empty."""
    return [INDENT * depth + text if text else text for text in texts]
