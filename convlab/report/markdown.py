"""A report as Markdown for a README or a pull request: names and paths are code, other text is escaped, charts are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from convlab.errors import visible
from convlab.report.pieces import Cards, Chart, Contents, Facts, Folded, Notes, Piece, Section, Source
from convlab.views.tables import Column, Table

_SPECIAL = re.compile(r"[\\`*\[\]<>#|~!&]|(?<!\w)_|_(?!\w)")
_CALLING = re.compile(r"@(?=\w)")
"""What would call somebody on a forge."""
NAMES = ("path", "subject", "knob", "run")
"""Columns of names, which are shown as code."""
LEFT_OUT = ("environment", "meaning", "Costs by layer")
"""Sections and folded pieces that are too long to stand in somebody's page."""


def markdown(contents: Contents) -> str:
    """The Markdown, which GitHub and its like show."""
    shown = (_section(each) for each in contents.sections if each.anchor not in LEFT_OUT)
    return "\n\n".join([f"## {prose(contents.title)}", *_words(contents.about), *filter(None, shown)]) + "\n"


def prose(words: object) -> str:
    """Text on one line that is shown letter by letter; what stands between backquotes stays code."""
    parts = visible(str(words)).split("`")
    if len(parts) % 2 == 0:
        return _escaped("`".join(parts))
    return "".join(code(part) if place % 2 else _escaped(part) for place, part in enumerate(parts))


def code(words: str) -> str:
    """Text as code, whatever backquotes it holds."""
    shown = visible(words)
    if not shown.strip():
        return ""
    fence = "`" * (max((len(found) for found in re.findall("`+", shown)), default=0) + 1)
    apart = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{apart}{shown}{apart}{fence}"


def _escaped(words: str) -> str:
    return _CALLING.sub("@<!-- -->", _SPECIAL.sub(r"\\\g<0>", words))


def _section(section: Section) -> str:
    """A section; empty where all that it has are charts."""
    inner = [text for piece in section.pieces for text in _piece(piece)]
    about = [f"*{prose(section.about)}*"] if section.about else []
    return "\n\n".join([f"### {prose(section.title)}", *about, *inner]) if inner else ""


def _piece(piece: Piece) -> Iterator[str]:
    match piece:
        case str():
            yield from _words(piece)
        case Table():
            yield _table(piece)
        case Cards():
            yield _rows(
                ("figure", "", "change", ""),
                [
                    (
                        prose(card.figure.title),
                        f"**{prose(card.text)}**",
                        card.delta.text if card.delta else "",
                        prose(card.detail),
                    )
                    for card in piece.cards
                ],
            )
        case Facts():
            yield "\n".join(f"- {prose(label)}: {prose(told)}" for label, told in piece.facts)
        case Notes():
            yield "\n".join(f"- {prose(note.message)}: {prose(note.help)}" for note in piece.notes)
        case Source():
            yield _block(piece)
        case Folded(title) if title in LEFT_OUT:
            return
        case Folded():
            inner = "\n\n".join(text for each in piece.pieces for text in _piece(each))
            yield f"<details><summary>{escape(visible(piece.title))}</summary>\n\n{inner}\n\n</details>"
        case Chart():
            return


def _words(text: str) -> Iterator[str]:
    if text:
        yield prose(text)


def _table(table: Table) -> str:
    columns = table.columns
    kept = [place for place, column in enumerate(columns) if any(row[place].text.strip() for row in table.rows)]
    head = [prose(columns[place].title) for place in kept]
    body = [[_cell(columns[place], row[place].text) for place in kept] for row in table.rows]
    return _rows(head, body, [columns[place].right for place in kept])


def _cell(column: Column, text: str) -> str:
    # A bar's spaces would be lost, and a code span in a table ends at a bar all the same.
    words = " ".join(text.split())
    return code(words).replace("|", "\\|") if column.name in NAMES else prose(words)


def _rows(head: Sequence[str], body: Sequence[Sequence[str]], right: Sequence[bool] = ()) -> str:
    sides = [*right, *[False] * (len(head) - len(right))]
    lines = [head, ["--:" if side else "---" for side in sides], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _block(source: Source) -> str:
    longest = max((len(found) for found in re.findall("`+", source.text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "\n".join(map(visible, source.text.splitlines()))
    return f"{fence}{source.language}\n{lines}\n{fence}"
