"""The widget that shows a picture: it draws for the room that it has, scrolls, and carries a cursor through what can be chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.geometry import Size as Extent
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from convlab.tui.drawing.picture import ROLES, SERIES, Line, Picture, Size

Draw = Callable[[Size, str], Picture]
"""A picture for a size, and for what the cursor stands on."""

NOTHING = Picture(())


@final
class Sheet(ScrollView, can_focus=True):
    """Shows what a function draws. Drawn anew, only lines that changed are painted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"sheet--{role}" for role in (*ROLES, *SERIES)), "sheet--cursor"}
    DEFAULT_CSS = """
    Sheet {
        height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; scrollbar-gutter: stable;
        & > .sheet--muted { color: $text-muted; }
        & > .sheet--strong { text-style: bold; }
        & > .sheet--accent { color: $text-accent; text-style: bold; }
        & > .sheet--good { color: $text-success; }
        & > .sheet--bad { color: $text-error; }
        & > .sheet--warning { color: $text-warning; text-style: bold; }
        & > .sheet--series0 { color: $primary; }
        & > .sheet--series1 { color: $warning; }
        & > .sheet--series2 { color: $success; }
        & > .sheet--series3 { color: $error; }
        & > .sheet--series4 { color: $accent; }
        & > .sheet--series5 { color: $secondary; }
        & > .sheet--cursor { text-style: underline; }
        &:focus > .sheet--cursor { text-style: reverse; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "end(-1)", "First", show=False),
        Binding("end", "end(1)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    class _OfKey(Message):
        """Something happened at a key."""

        def __init__(self, sheet: Sheet, key: str) -> None:
            super().__init__()
            self.sheet = sheet
            self.key = key

        @property
        def control(self) -> Sheet:
            """The sheet."""
            return self.sheet

    @final
    class Pointed(_OfKey):
        """The cursor stands on another key."""

    @final
    class Chosen(_OfKey):
        """What the cursor stands on was chosen, by Enter or by a second click."""

    def __init__(self, draw: Draw, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._styles_of: dict[str, Style] = {}
        self.picture = NOTHING
        self.pointed = ""

    def redraw(self) -> None:
        """Draw for the room that there is, and paint the lines that changed."""
        room = Size(*self.scrollable_content_region.size)
        if room.width < 1 or room.height < 1:
            return
        before, self.picture = self.picture, self._draw(room, self.pointed)
        if self.pointed and self.picture.line_of(self.pointed) is None:
            self.pointed = ""
        if len(before.lines) != len(self.picture.lines) or before.head != self.picture.head:
            self.virtual_size = Extent(room.width, len(self.picture.lines))
            self.refresh()
            return
        changed = [
            line for line, both in enumerate(zip(before.lines, self.picture.lines, strict=True)) if both[0] != both[1]
        ]
        self.refresh(*(self._region(line) for line in changed)) if changed else None

    def point(self, key: str, *, tell: bool = False) -> None:
        """Put the cursor on a key; ``tell`` who listens."""
        if key == self.pointed or (key and self.picture.lines and self.picture.line_of(key) is None):
            return
        self.pointed = key
        self.redraw()
        self.refresh()
        self._show_cursor()
        if tell:
            self.post_message(self.Pointed(self, key))

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        at = self._line_at(y)
        if at >= len(self.picture.lines):
            return Strip.blank(self.size.width, self._style("text"))
        under = bool(self.pointed) and self.picture.key(at) == self.pointed
        return self._strip(self.picture.lines[at], under=under)

    def notify_style_update(self) -> None:
        """Another theme: the styles are looked up anew."""
        super().notify_style_update()
        self._styles_of = {}

    def on_resize(self) -> None:
        """Another room, another drawing."""
        self.picture = NOTHING
        self.redraw()
        self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        """A click on a switch does what its key does; on a line it puts the cursor there, and there once more chooses."""
        at = self._line_at(event.y)
        action = self._action_at(at, event.x)
        key = self.picture.key(at)
        if action:
            holder = next(node for node in self.ancestors if hasattr(node, f"action_{action}"))
            self.call_later(self.app.run_action, action, holder)
        elif key and key == self.pointed:
            self.post_message(self.Chosen(self, key))
        elif key:
            self.point(key, tell=True)

    def action_move(self, by: int) -> None:
        """The next line that can be chosen; where there is none, scroll."""
        keys = [key for key in self.picture.keys if key]
        if not keys:
            self.scroll_relative(y=by, animate=False)
        elif self.pointed in keys:
            self.point(keys[min(max(0, keys.index(self.pointed) + by), len(keys) - 1)], tell=True)
        else:
            self.point(keys[0 if by > 0 else -1], tell=True)

    def action_page(self, by: int) -> None:
        """A screenful on."""
        self.action_move(by * max(1, self.size.height - self.picture.head - 1))

    def action_end(self, by: int) -> None:
        """The first or the last line."""
        self.action_move(by * max(1, len(self.picture.lines)))

    def action_choose(self) -> None:
        """Choose what the cursor stands on."""
        if self.pointed:
            self.post_message(self.Chosen(self, self.pointed))

    def _line_at(self, y: int) -> int:
        return y if y < self.picture.head else y + round(self.scroll_y)

    def _region(self, line: int) -> Region:
        y = line if line < self.picture.head else line - round(self.scroll_y)
        return Region(0, y, self.size.width, 1)

    def _show_cursor(self) -> None:
        line = self.picture.line_of(self.pointed)
        if line is None:
            return
        top, bottom = line - self.picture.head, line - self.size.height + 1
        if self.scroll_y > top:
            self.scroll_to(y=top, animate=False)
        elif self.scroll_y < bottom:
            self.scroll_to(y=bottom, animate=False)

    def _action_at(self, line: int, x: int) -> str:
        place = 0
        for span in self.picture.lines[line] if line < len(self.picture.lines) else ():
            place += len(span.text)
            if x < place:
                return span.action
        return ""

    def _strip(self, line: Line, *, under: bool) -> Strip:
        plain = self._style("text")
        if not under:
            segments = [Segment(span.text, self._style(span.role)) for span in line]
            return Strip(segments).adjust_cell_length(self.size.width, plain)
        cursor = plain + self._style("cursor")
        # A drawing turned inside out would say something else: only words are.
        segments = [Segment(span.text, self._style(span.role) if span.role in SERIES else cursor) for span in line]
        return Strip(segments).adjust_cell_length(self.size.width, cursor)

    def _style(self, role: str) -> Style:
        if role not in self._styles_of:
            self._styles_of[role] = self.get_component_rich_style(f"sheet--{role}", partial=role == "cursor")
        return self._styles_of[role]
