"""A list in a TOML text changed item by item, so that what is the same stays as it is written, with its lines and comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from convlab.documents.literals import literal, literal_like
from convlab.documents.page import Edit, Page
from convlab.documents.spans import Keys, Span

_COMMA = re.compile(r"[ \t]*,")
_REST_OF_LINE = re.compile(r"[ \t]*(?P<comma>,?)[ \t]*(?:#[^\r\n]*)?(?=\r?\n)")


def list_edits(page: Page, keys: Keys, new: Sequence[Any]) -> list[Edit]:
    """What has to be edited for the list at some keys to hold other items."""
    old = page.value(keys)
    before, after = _same_ends(old, new)
    paired = min(len(old), len(new)) - before - after
    edits = [
        edit for index in range(before, before + paired) for edit in _item_edits(page, (*keys, str(index)), new[index])
    ]
    here, missing = before + paired, len(new) - len(old)
    if missing > 0 and not old:
        return [Edit(*page.spans[keys][1], literal(new))]
    if missing > 0:
        return edits + _inserted(page, keys, here, [literal_like(item, old[0]) for item in new[here : here + missing]])
    if missing < 0:
        return [*edits, _taken_out(page, keys, here, here - missing)]
    return edits


def _same_ends(old: Sequence[Any], new: Sequence[Any]) -> tuple[int, int]:
    """How many items are the same at the beginning and, of the others, at the end."""
    most = min(len(old), len(new))
    before = next((index for index in range(most) if not _same(old[index], new[index])), most)
    after = next((index for index in range(most - before) if not _same(old[-1 - index], new[-1 - index])), None)
    return before, most - before if after is None else after


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _item_edits(page: Page, keys: Keys, new: Any) -> list[Edit]:
    old = page.value(keys)
    if _same(old, new):
        return []
    if isinstance(old, list) and isinstance(new, list | tuple):
        return list_edits(page, keys, new)
    return [Edit(*page.spans[keys][1], literal_like(new, old))]


def _items(page: Page, keys: Keys) -> list[Span]:
    return [page.spans[*keys, str(index)][1] for index in range(len(page.value(keys)))]


def _separator(page: Page, keys: Keys, first: Span) -> str:
    """What stands between items: a blank, or a new line with the indent of the first item where items have lines of their own."""
    line = page.line_start(first[0])
    indent = page.text[line : first[0]]
    return page.newline + indent if line > page.spans[keys][1][0] and not indent.strip() else " "


def _inserted(page: Page, keys: Keys, index: int, texts: list[str]) -> list[Edit]:
    """Items put in before the item of an index, or at the end."""
    items = _items(page, keys)
    separator = _separator(page, keys, items[0])
    if index < len(items):
        start = items[index][0]
        return [Edit(start, start, "".join(f"{text},{separator}" for text in texts))]
    end = items[-1][1]
    rest = _REST_OF_LINE.match(page.text, end) if separator != " " else None
    if rest is None:
        return [Edit(end, end, "".join(f",{separator}{text}" for text in texts))]
    # A comment behind the last item stays behind it.
    if rest["comma"]:
        return [Edit(rest.end(), rest.end(), "".join(f"{separator}{text}," for text in texts))]
    more = separator + f",{separator}".join(texts)
    return [Edit(end, rest.end(), f",{page.text[end : rest.end()]}{more}")]


def _taken_out(page: Page, keys: Keys, first: int, last: int) -> Edit:
    """The items from the first to before the last taken out."""
    items = _items(page, keys)
    if last - first == len(items):
        return Edit(*page.spans[keys][1], "[]")
    start, end = items[first][0], items[last - 1][1]
    line, rest = page.line_start(start), _REST_OF_LINE.match(page.text, end)
    alone = line > page.spans[keys][1][0] and not page.text[line:start].strip()
    if alone and rest is not None and (rest["comma"] or last == len(items)):
        return Edit(line, page.next_line(rest.end()), "")
    if last < len(items):
        return Edit(start, items[last][0], "")
    before = items[first - 1][1]
    if "#" not in page.text[before:start]:
        return Edit(before, end, "")
    # The comment of the item before stays behind it, and its comma is then the last one.
    comma = _COMMA.match(page.text, end)
    return Edit(start, comma.end() if comma else end, "")
