"""Reading the tables of names: rows are our layers, columns the layouts, a cell what that layout calls the layer and how it keeps it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple, final

from convlab.weights.transforms import TRANSFORMS

SAME, DITTO, NOWHERE, LEFT_OUT = "=", '"', "-", "~"

_NUMBER = re.compile(r"\{(\d*)([a-z])([+-]\d+)?\}")
_PIECES = re.compile(r"<(.*?)>")


class Names(NamedTuple):
    """What a layout calls one tensor of ours (several names where it keeps it in pieces), and the transform between the two."""

    names: tuple[str, ...]
    transform: str = ""

    @property
    def needed(self) -> tuple[str, ...]:
        """The names that must be there; the others follow from them."""
        return self.names[: TRANSFORMS[self.transform].needed]


class Row(NamedTuple):
    """One row: the pattern of our path, the order of the blocks that it speaks of ("" for any), and the cells by layout.

    ``end`` is what stands behind the pattern's last number: a path without it needs no matching.
    """

    pattern: re.Pattern[str]
    end: str
    order: str
    length: int
    cells: Mapping[str, str]


@final
@dataclass(frozen=True)
class Table:
    """The names of one family of networks.

    ``drops`` are globs of what a layout's files hold beyond weights, ``aliases`` parts of names that its older files spell otherwise.
    """

    layouts: tuple[str, ...]
    rows: tuple[Row, ...]
    drops: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, tuple[tuple[str, str], ...]]

    def names(self, path: str, layout: str, numbers: Mapping[str, int], order: str) -> Names | None:
        """What a layout calls the tensor at our path: None where it has no name for it, no names where its files leave it out."""
        rows = [row for row in self.rows if row.end in path and row.order in ("", order)]
        found = [(row, match) for row in rows if (match := row.pattern.match(path))]
        if not found:
            return None
        row, match = max(found, key=lambda item: item[0].length)
        cell = row.cells[layout]
        if cell in (NOWHERE, LEFT_OUT):
            return None if cell == NOWHERE else Names(())
        if cell == SAME:
            return Names((path,))
        name, _, transform = cell.partition(":")
        return Names(tuple(_filled(piece, numbers) + match["rest"] for piece in _pieces(name)), transform)


def read_table(file: str, parts: Mapping[str, str], without: Collection[str] = ()) -> Table:
    """The table of a text in ``names/`` with ``{key}`` replaced by each of ``parts``, without some of its layouts."""
    text = (files("convlab.weights") / "names" / f"{file}.txt").read_text(encoding="utf-8")
    for key, part in parts.items():
        text = text.replace(f"{{{key}}}", part)
    header, *lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    drops = {words[1]: tuple(words[2:]) for words in lines if words[0] == "drop"}
    aliases: dict[str, tuple[tuple[str, str], ...]] = {}
    for _, layout, old, new in (words for words in lines if words[0] == "alias"):
        aliases[layout] = (*aliases.get(layout, ()), (old, new))
    rows = _rows(header, [words for words in lines if words[0] not in ("drop", "alias")])
    return Table(tuple(layout for layout in header if layout not in without), rows, drops, aliases)


def _rows(header: list[str], lines: list[list[str]]) -> tuple[Row, ...]:
    rows: list[Row] = []
    above: list[str] = []
    read = [(words[0], words[1:]) if len(words) == len(header) + 2 else ("", words[:]) for words in lines]
    for (order, cells), (_, after) in zip(read, [*read[1:], ("", [""])], strict=True):
        for index, cell in enumerate(cells):
            if cell == DITTO:
                cells[index] = cells[index - 1]
        if cells[0].startswith("."):
            cells = [start + cell if cell.startswith(".") else cell for start, cell in zip(above, cells, strict=True)]
        else:
            above = cells
            if after[0].startswith("."):  # a beginning of paths, not a layer
                continue
        named = dict(zip(header, cells[1:], strict=True))
        rows.append(Row(_pattern(cells[0]), _end(cells[0]), order, len(cells[0]), named))
    return tuple(rows)


def _pattern(path: str) -> re.Pattern[str]:
    if path == "*":
        return re.compile("(?P<rest>)")
    return re.compile(re.sub(r"\\\{[a-z]\\\}", r"\\d+", re.escape(path)) + r"(?P<rest>(\..+)?)$")


def _end(path: str) -> str:
    return "" if path == "*" else path.rpartition("}")[2]


def _filled(name: str, numbers: Mapping[str, int]) -> str:
    def number(found: re.Match[str]) -> str:
        times, letter, plus = found.groups()
        return str(int(times or 1) * numbers[letter] + int(plus or 0))

    return _NUMBER.sub(number, name)


def _pieces(name: str) -> list[str]:
    found = _PIECES.search(name)
    return [name] if found is None else [name.replace(found[0], piece) for piece in found[1].split(",")]
