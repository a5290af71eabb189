"""Lists of runs, runs in full and messages of a store, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from convlab.errors import Problem
from convlab.runs.ids import short_name
from convlab.tui.drawing.picture import Line, Picture, Size, Span, switches, wrapped
from convlab.tui.drawing.tables import facts_lines, table_lines
from convlab.tui.panels.stored import Listing, Sheets
from convlab.views.tables import Table

EMPTY = "No runs yet. What is measured (m) and trained (t) is kept in {place}."
WIDE = 76
"""Below so many columns a run is named by its last letters, as the shell takes them too."""

MARK = "◆"


def listing_picture(listing: Listing, wanted: str, marked: Sequence[str], size: Size) -> Picture:
    """The runs whose cells hold all words of the filter; those that are marked carry a sign."""
    if not listing.ids:
        return Picture(wrapped(EMPTY.format(place=listing.place), size.width, "muted"))
    words = wanted.lower().split()
    kept = [
        place
        for place, row in enumerate(listing.table.rows)
        if all(word in " ".join(cell.text for cell in row).lower() for word in words)
    ]
    rows_kept = [listing.table.rows[place] for place in kept]
    if size.width < WIDE:
        rows_kept = [(id._replace(text=short_name(id.text)), *others) for id, *others in rows_kept]
    shown = Table(listing.table.columns, tuple(rows_kept))
    ids = [listing.ids[place] for place in kept]
    head, *rows = table_lines(shown, size.width - 2)
    lines = [(Span(f"{MARK if run in marked else ' '} ", "accent"), *row) for run, row in zip(ids, rows, strict=True)]
    count = (
        f"{len(ids)} of {len(listing.ids)}{'+' * listing.more}" if words else f"{len(listing.ids)}{'+' * listing.more}"
    )
    top = switches(("/", f"{count} runs", "filter"), ("v", "compare", "compare"), ("r", "reload", "reload"))
    return Picture((top, (Span("  "), *head), *lines), 2, ("", "", *ids))


def sheets_picture(sheets: Sheets, size: Size) -> Picture:
    """A title, facts and tables, one below the other."""
    lines: list[Line] = [switches(("esc", sheets.title, "back")), *facts_lines(sheets.facts, size.width)]
    for table in sheets.tables:
        lines += [(), *table_lines(table, size.width)]
    return Picture(tuple(lines), 1)


def problem_lines(problems: Sequence[Problem], width: int) -> tuple[Line, ...]:
    """What is wrong and a way out."""
    told: list[Line] = []
    for problem in problems:
        told += wrapped(problem.message, width, "bad")
        told += wrapped(problem.help, width, "muted") if problem.help else ()
    return tuple(told)


def below(told: tuple[Line, ...], picture: Picture) -> Picture:
    """A picture below a message that stays."""
    return Picture((*told, *picture.lines), len(told) + picture.head, ("",) * len(told) + picture.keys)
