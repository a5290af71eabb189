"""Text of the code as Markdown that the site shows letter by letter, and tables of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

_SPECIAL = re.compile(r"[\\`*_{}\[\]#|~!]")


def prose(words: object) -> str:
    """Text that is shown letter by letter; what stands between backquotes is code."""
    parts = str(words).split("`")
    if len(parts) % 2 == 0:
        return _escaped(str(words))
    return "".join(code(part) if place % 2 else _escaped(part) for place, part in enumerate(parts))


def code(words: object) -> str:
    """Text as code."""
    return f"<code>{_escaped(str(words))}</code>" if str(words) else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table of texts that are Markdown already; columns of these numbers stand right."""
    sides = ["--:" if place in right else "---" for place in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, sides, *rows)) + "\n"


def source(text: str, language: str = "toml") -> str:
    """A file."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def _escaped(words: str) -> str:
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", escape(words, quote=False))
