"""A picture: lines of text in roles that a theme colours, as plain data that a test can read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

from rich.cells import cell_len, set_cell_size

ROLES = ("text", "muted", "strong", "accent", "good", "bad", "warning")
SERIES = tuple(f"series{index}" for index in range(6))
"""The roles of curves; the seventh has that of the first again."""

MARKS = "●▲■◆✚★"
"""What tells curves apart without colour, in the order of ``SERIES``."""


class Size(NamedTuple):
    """Room for a drawing, in characters."""

    width: int
    height: int


class Span(NamedTuple):
    """A stretch of a line in one role; ``action`` is what a click on it asks of the panel."""

    text: str
    role: str = "text"
    action: str = ""


Line = tuple[Span, ...]


@final
@dataclass(frozen=True, slots=True)
class Picture:
    """Lines, of which the first ``head`` stay where they are while the others scroll.

    ``keys`` says for each line what it stands for; a cursor goes through lines that have a key.
    """

    lines: tuple[Line, ...]
    head: int = 0
    keys: tuple[str, ...] = ()

    def key(self, line: int) -> str:
        """What a line stands for, "" for nothing."""
        return self.keys[line] if 0 <= line < len(self.keys) else ""

    def line_of(self, key: str) -> int | None:
        """The line that stands for something."""
        return self.keys.index(key) if key and key in self.keys else None


def plain(lines: Iterable[Line]) -> str:
    """Lines as they look without colour."""
    return "\n".join("".join(span.text for span in line).rstrip() for line in lines)


def width_of(line: Line) -> int:
    """How many columns a line takes."""
    return sum(cell_len(span.text) for span in line)


def clipped(text: str, width: int) -> str:
    """The text in so many columns, with an ellipsis at its end where it is longer."""
    return text if cell_len(text) <= width else (set_cell_size(text, max(0, width - 1)) + "…")[: max(0, width)]


def clipped_left(text: str, width: int) -> str:
    """The text in so many columns, with an ellipsis at its start where it is longer: the end of a path says most."""
    if cell_len(text) <= width:
        return text
    kept = text[len(text) - max(0, width - 1) :] if width > 1 else ""
    while cell_len(kept) > width - 1 > 0:
        kept = kept[1:]
    return ("…" + kept)[: max(0, width)]


def path_in(path: str, width: int) -> str:
    """A layer path in so many columns: stages.2.blocks.0.conv_dw, s2.blocks.0.conv_dw, s2.b0.conv_dw, or its end."""
    return paths_in((path,), width)[0]


def paths_in(paths: Sequence[str], width: int) -> list[str]:
    """Layer paths in so many columns, all shortened alike."""
    found = list(paths)
    for long, short in (("stages.", "s"), ("blocks.", "b")):
        if all(cell_len(path) <= width for path in found):
            break
        found = [path.replace(long, short) for path in found]
    return [clipped_left(path, width) for path in found]


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly so many columns."""
    text = clipped(text, width)
    room = " " * max(0, width - cell_len(text))
    return room + text if right else text + room


def switches(*given: tuple[str, str, str]) -> Line:
    """What can be switched in a panel: the key, what is chosen now, and the action of both key and click."""
    line: list[Span] = []
    for key, value, action in given:
        line += [Span(key, "accent", action), Span(f" {value}", "text", action), Span("  ")]
    return tuple(line[:-1])


def shortened(text: str, width: int, lines: int) -> str:
    """The text in at most so many lines, broken between words, with an ellipsis at its end where it is longer."""
    from textwrap import wrap

    return "\n".join(wrap(text, max(8, width), max_lines=lines, placeholder=" …", break_on_hyphens=False))


def wrapped(text: str, width: int, role: str = "text") -> tuple[Line, ...]:
    """A text in lines of so many columns, broken between words."""
    from textwrap import wrap

    return tuple((Span(line, role),) for line in wrap(text, max(8, width), break_on_hyphens=False))
