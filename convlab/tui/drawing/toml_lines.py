"""TOML text with its parts in roles: comments, tables, keys, text, numbers. For the eye alone; nothing is parsed by it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PARTS = re.compile(
    r"""(?P<comment>\#.*)|(?P<string>"(?:\\.|[^"\\])*"?|'[^']*'?)|(?P<table>^\s*\[\[?[^\]\n]*\]\]?)"""
    r"""|(?P<key>^\s*[\w.\-"]+(?=\s*=))|(?P<inner>[\w\-]+(?=\s*=))|(?P<value>\b(?:true|false)\b|[+-]?\b\d[\d_.eE+-]*)"""
)
_ROLES = {
    "comment": "muted",
    "string": "good",
    "table": "strong",
    "key": "accent",
    "inner": "accent",
    "value": "warning",
}


def toml_spans(line: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and role of the parts of one line that are more than plain text."""
    for found in _PARTS.finditer(line):
        assert found.lastgroup is not None
        yield found.start(), found.end(), _ROLES[found.lastgroup]
