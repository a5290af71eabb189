"""A TOML text with one value set, added or taken out, or keys renamed; every other line stays as it is written, to the byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from convlab.documents.lists import list_edits
from convlab.documents.literals import key_text, literal, literal_like
from convlab.documents.page import Edit, Page
from convlab.documents.spans import Keys, Statement

Rank = Callable[[Keys], Any]
"""Where a table belongs among others: below those of a lower rank."""

_EQUALS = re.compile(r"(?P<key>[^=\"']*?)(?P<before>[ \t]*)=(?P<after>[ \t]*)")


def put(text: str, keys: Keys, value: Any, *, rank: Rank = lambda keys: 0, first: bool = False) -> str:
    """The text with a value at keys; a new one is written into its table, ``first`` or last, and a table that is not there is made."""
    page = Page.of(text)
    if page.is_pair(keys):
        old = page.value(keys)
        if isinstance(old, list) and isinstance(value, list | tuple):
            return page.edited(list_edits(page, keys, value))
        return page.edited([Edit(*page.spans[keys][1], literal_like(value, old))])
    if keys in page.spans:  # a table gives way to a value
        return put(removed(text, keys), keys, value, rank=rank)
    for length in range(len(keys) - 1, -1, -1):
        found = _added(page, keys[:length], keys, value, first)
        if found is not None:
            return found
    return _table_added(page, keys, value, rank)


def removed(text: str, keys: Keys) -> str:
    """The text without what is written at keys; a header that has nothing below it any more goes too."""
    page = Page.of(text)
    found = [statement for statement in page.statements if statement.path[: len(keys)] == keys]
    if not found:  # it stands inside an inline table, perhaps as several dotted keys
        inside = next((each for each in page.starts if each[: len(keys)] == keys), None)
        return removed(page.edited([_inside_removed(page, inside)]), keys) if inside else text
    for statement in reversed(found):
        text = _without(page._replace(text=text), statement)
    return _without_empty_header(text, found[0].table) if found[0].table else text


def renamed(text: str, names: Mapping[Keys, str]) -> str:
    """The text with other last keys of some paths, wherever they are mentioned."""
    page = Page.of(text)
    found = {span: names[keys] for keys, span in page.mentions if keys in names}
    return page.edited(Edit(*span, key_text((name,))) for span, name in found.items())


def _added(page: Page, table: Keys, keys: Keys, value: Any, first: bool) -> str | None:
    """A pair put into the nearest table that is there, in the form that the table has; None where the table has no form for it."""
    header = next((each for each in page.statements if each.header and each.path == table), None)
    if (header is not None or not table) and len(keys) == len(table) + 1:
        return _line_added(page, header, keys[len(table) :], value, first)
    if not table:
        return None
    if page.is_pair(table):
        return page.edited([_inside_added(page, table, keys[len(table) :], value)])
    dotted = [each for each in page.statements if each.path[: len(table)] == table and len(each.table) < len(table)]
    if not dotted:
        return None
    line = _pair(page, dotted, keys[len(dotted[-1].table) :], value)
    return page.with_lines([line], page.next_line(dotted[-1].span[1]))


def _line_added(page: Page, header: Statement | None, key: Keys, value: Any, first: bool) -> str:
    """A pair below a header, or at the top."""
    body = page.body(header)
    line = _pair(page, body, key, value)
    if body and not first:
        return page.with_lines([line], page.next_line(body[-1].span[1]))
    if header is not None:
        return page.with_lines([line], page.next_line(header.span[1]))
    if body:
        return page.with_lines([line], page.line_start(body[0].span[0]))
    if page.statements:
        return page.with_lines([line, ""], _above(page, page.statements[0]))
    return page.with_lines([line], len(page.text))


def _pair(page: Page, others: tuple[Statement, ...] | list[Statement], key: Keys, value: Any) -> str:
    """The line of a pair in the manner of others: their indent, and their column of the equals sign where it is one."""
    found = [page.text[page.line_start(other.span[0]) : other.span[1]] for other in others]
    manners = [match for line in found if (match := _EQUALS.match(line))]
    if not manners:
        return f"{key_text(key)} = {literal(value)}"
    last = manners[-1]
    indent = last["key"][: len(last["key"]) - len(last["key"].lstrip())]
    name, before = indent + key_text(key), last["before"]
    columns = {match.end("before") for match in manners}
    if len(columns) == 1 and any(len(match["before"]) > 1 for match in manners):
        before = " " * max(1, columns.pop() - len(name))
    return f"{name}{before if len(before) < 2 or len(manners) > 1 else ' '}={last['after']}{literal(value)}"


def _inside_added(page: Page, table: Keys, key: Keys, value: Any) -> Edit:
    """A pair put into an inline table."""
    start, end = page.spans[table][1]
    inner = page.text[start + 1 : end - 1]
    pair = f"{key_text(key)} = {literal(value)}"
    if not inner.strip():
        return Edit(start, end, f"{{ {pair} }}")
    at = start + 1 + len(inner.rstrip())
    return Edit(at, at, f", {pair}")


def _inside_removed(page: Page, keys: Keys) -> Edit:
    """A pair taken out of an inline table, with one of the commas beside it."""
    start, end = page.starts[keys], page.spans[keys][1][1]
    after = re.compile(r"[ \t]*,[ \t]*").match(page.text, end)
    if after:
        return Edit(start, after.end(), "")
    before = re.search(r"[ \t]*,[ \t]*$", page.text[:start])
    return Edit(before.start() if before else start, end, "")


def _table_added(page: Page, keys: Keys, value: Any, rank: Rank) -> str:
    """A table with one pair, below the tables that come before it."""
    lines = [f"[{key_text(keys[:-1])}]", f"{key_text(keys[-1:])} = {literal(value)}"]
    headers = [statement for statement in page.statements if statement.header]
    spaced = all(_is_spaced(page, header) for header in headers)
    blank = [""] if spaced and page.text else []
    before = [header for header in headers if rank(header.path) <= rank(keys[:-1])]
    if before:
        last = (before[-1], *page.body(before[-1]))[-1]
        return page.with_lines([*blank, *lines], page.next_line(last.span[1]))
    if headers:
        return page.with_lines([*lines, *blank], _above(page, headers[0]))
    return page.with_lines([*blank, *lines], len(page.text))


def _is_spaced(page: Page, header: Statement) -> bool:
    """Whether nothing, or a blank line, stands above a header and its comments."""
    start = _above(page, header)
    return start == 0 or not page.text[page.line_start(start - 1) : start].strip()


def _above(page: Page, statement: Statement) -> int:
    """Where a statement begins with the comments right above it; comments at the top of the text are the whole text's."""
    start = at = page.line_start(statement.span[0])
    while at > 0 and page.text[(line := page.line_start(at - 1)) : at].lstrip().startswith("#"):
        at = line
    return at if at > 0 else start


def _without_empty_header(text: str, table: Keys) -> str:
    page = Page.of(text)
    header = next((each for each in page.statements if each.header and each.path == table), None)
    if header is None or page.body(header):
        return text
    number = page.statements.index(header) + 1
    start = page.next_line(header.span[1])
    end = page.line_start(page.statements[number].span[0]) if number < len(page.statements) else len(text)
    if page.text[start:end].strip() or "#" in page.text[header.span[1] : start]:
        return text  # comments stand there
    return _without(page, header)


def _without(page: Page, statement: Statement) -> str:
    """The text without the lines of a statement, and without a blank line above a header."""
    start, _ = span = statement.span
    line = page.line_start(start)
    above = page.line_start(line - 1) if line else line
    if statement.header and line and not page.text[above:line].strip():
        span = (above, span[1])
    return page.without_lines(span)
