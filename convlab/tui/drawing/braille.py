"""A canvas of braille dots, two across and four down in a character."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from convlab.tui.drawing.picture import Line, Span

ACROSS, DOWN = 2, 4
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLANK = 0x2800

Pattern = tuple[int, int]
"""So many dots are drawn of so many."""

PATTERNS: tuple[Pattern, ...] = ((1, 1), (6, 9), (2, 5), (9, 12), (1, 3), (4, 6))
"""How the lines of curves are broken, so that they differ without colour too."""


@final
@dataclass(slots=True)
class Canvas:
    """Dots, each character in the role of what was drawn there last."""

    width: int
    height: int
    _bits: dict[tuple[int, int], int] = field(default_factory=dict)
    _roles: dict[tuple[int, int], str] = field(default_factory=dict)
    _marks: dict[tuple[int, int], str] = field(default_factory=dict)

    def dot(self, x: float, y: float) -> tuple[int, int]:
        """The dot of a place: x from 0 at the left, y from 0 at the bottom, both up to 1."""
        across, down = self.width * ACROSS - 1, self.height * DOWN - 1
        return round(x * across), round((1 - y) * down)

    def put(self, x: int, y: int, role: str) -> None:
        """One dot."""
        cell = (x // ACROSS, y // DOWN)
        self._bits[cell] = self._bits.get(cell, 0) | _BITS[x % ACROSS][y % DOWN]
        self._roles[cell] = role

    def line(self, start: tuple[int, int], end: tuple[int, int], role: str, *, pattern: Pattern, drawn: int = 0) -> int:
        """Dots from one to another; ``drawn`` dots came before them in the pattern. How many there are now."""
        (x, y), (to_x, to_y) = start, end
        steps = max(abs(to_x - x), abs(to_y - y), 1)
        on, period = pattern
        for step in range(steps + 1):
            if (drawn + step) % period < on:
                self.put(round(x + (to_x - x) * step / steps), round(y + (to_y - y) * step / steps), role)
        return drawn + steps

    def mark(self, dot: tuple[int, int], sign: str, role: str) -> None:
        """A sign in the place of the character that holds a dot."""
        cell = (dot[0] // ACROSS, dot[1] // DOWN)
        self._marks[cell] = sign
        self._roles[cell] = role

    def lines(self) -> tuple[Line, ...]:
        """The canvas from the top, neighbours of one role as one span."""
        return tuple(self._line(row) for row in range(self.height))

    def _line(self, row: int) -> Line:
        spans: list[Span] = []
        for column in range(self.width):
            cell = (column, row)
            bits = self._bits.get(cell, 0)
            sign = self._marks.get(cell) or (chr(_BLANK + bits) if bits else " ")
            role = self._roles.get(cell, "text")
            if spans and spans[-1].role == role:
                spans[-1] = Span(spans[-1].text + sign, role)
            else:
                spans.append(Span(sign, role))
        return tuple(spans)
