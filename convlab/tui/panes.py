"""The panes: the grid and the panels side by side, one over the other, or each in a tab of one pane, as the room allows."""

from __future__ import annotations

from typing import ClassVar, final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Input, Tab, Tabs

from convlab.tui.grid import DesignGrid
from convlab.tui.panels import PANELS
from convlab.tui.panels.panel import Panel, Shown

NARROW = 110
"""Below this width grid and panels do not stand side by side."""

STACKED = 24
"""So many lines beside the grid's rows are needed for one over the other: title, cards, tabs, footer, and a panel of some size."""

GRID = "grid"
"""The key of the tab that the grid is where there is one pane."""


@final
class TabStrip(Tabs):
    """The tabs; from them one goes down into the one that is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("down,enter", "enter", "Into the tab")]

    @final
    class Left(Message):
        """A person goes from the tabs into the one that is chosen."""

    def action_enter(self) -> None:
        """Into the tab that is chosen."""
        self.post_message(self.Left())


@final
class Panes(Horizontal):
    """The grid, and the panel of the tab that is chosen; a panel is made when it is first seen."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: Shown | None = None
        self._key = PANELS[0].key
        self._in_grid = True
        self._side_by_side = False

    def compose(self) -> ComposeResult:
        """The grid; the tabs over their panels."""
        yield DesignGrid(id=GRID)
        with Vertical(id="right"):
            yield TabStrip(Tab("Grid", id=f"tab-{GRID}"), *(Tab(each.title, id=f"tab-{each.key}") for each in PANELS))
            yield ContentSwitcher(id="panels")

    @property
    def grid(self) -> DesignGrid:
        """The grid."""
        return self.query_one(DesignGrid)

    @property
    def stacked(self) -> bool:
        """Whether the grid stands over the panels: where there is the height for it, unless a person wants them side by side."""
        width, height = self.screen.size
        return height >= len(self.grid.grid.rows) + STACKED and not (self._side_by_side and width >= NARROW)

    @property
    def narrow(self) -> bool:
        """Whether the grid is one of the tabs."""
        return self.screen.size.width < NARROW and not self.stacked

    @property
    def tabs(self) -> tuple[str, ...]:
        """The keys of the tabs that there are."""
        keys = tuple(each.key for each in PANELS)
        return (GRID, *keys) if self.narrow else keys

    @property
    def tab(self) -> str:
        """The key of the tab that is seen."""
        return GRID if self.narrow and self._in_grid else self._key

    @property
    def panel(self) -> Panel | None:
        """The panel that is seen; None where the grid is, or a panel that is being made."""
        found = self.query(f"#panel-{self.tab}")
        return found.first(Panel) if found else None

    @property
    def waiting(self) -> Panel | None:
        """The panel in which something was written that is in no design yet."""
        return next((panel for panel in self.query(Panel) if panel.waiting), None)

    def show(self, shown: Shown) -> None:
        """Show this in the panel that is seen, and in others when they are."""
        self._shown = shown
        panel = self.panel
        if panel is not None:
            panel.show(shown)

    def choose(self, key: str) -> None:
        """See another tab."""
        self._in_grid = key == GRID
        if key != GRID:
            self._key = key
        self.lay_out()

    def step(self, by: int) -> None:
        """See the tab so many to the right, around at the ends."""
        self.choose(self.tabs[(self.tabs.index(self.tab) + by) % len(self.tabs)])

    def turn(self) -> None:
        """Side by side instead of one over the other, or the other way round, where there is room for both."""
        self._side_by_side = not self._side_by_side
        self.lay_out()

    def to_grid(self) -> None:
        """Put the focus into the grid."""
        if self.narrow:
            self.choose(GRID)
        self.grid.focus()

    def focus_tab(self) -> None:
        """Put the focus into the tab that is seen, once it is made."""
        self.call_later(self._focus_tab)

    def lay_out(self) -> None:
        """Arrange the panes for the room that there is, and show the tab that is seen."""
        narrow, tab = self.narrow, self.tab
        in_grid = tab == GRID
        for name, value in (("-narrow", narrow), ("-stacked", self.stacked), ("-in-grid", in_grid)):
            self.set_class(value, name)
        tabs = self.query_one(Tabs)
        with self.prevent(Tabs.TabActivated):
            tabs.show(f"tab-{GRID}") if narrow else None
            tabs.active = f"tab-{tab}"
            tabs.hide(f"tab-{GRID}") if not narrow else None
        self.grid.display = not narrow or in_grid
        if not in_grid:
            self.call_later(self._see, tab)

    async def _see(self, key: str) -> None:
        """Show a panel, which is made at the first time."""
        switcher = self.query_one(ContentSwitcher)
        if not switcher.query(f"#panel-{key}"):
            panel = next(each for each in PANELS if each.key == key)()
            await switcher.add_content(panel, id=f"panel-{key}")
        if key == self.tab:
            switcher.current = f"panel-{key}"
            self.show(self._shown) if self._shown is not None else None

    def _focus_tab(self) -> None:
        panel = self.panel
        if panel is None:
            self.grid.focus()
            return
        # A line to write in takes letters, which are keys elsewhere: it is entered by a key of its own.
        inner = (
            each for each in panel.query(Widget) if each.focusable and each.display and not isinstance(each, Input)
        )
        next(inner, panel).focus()

    @on(TabStrip.Left)
    def _entered(self, event: TabStrip.Left) -> None:
        event.stop()
        self.focus_tab()

    @on(Tabs.TabActivated)
    def _activated(self, event: Tabs.TabActivated) -> None:
        event.stop()
        key = str(event.tab.id).partition("-")[2]
        if key in self.tabs and key != self.tab:
            self.choose(key)
