"""What changes nothing: tabs, jumps, themes, help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Tab

from convlab.tui.dialogs.choosing import Choose
from convlab.tui.dialogs.help import Help
from convlab.tui.dialogs.jumping import Jump, Target
from convlab.tui.themes import THEMES

if TYPE_CHECKING:
    from convlab.tui.lab import Lab


def next_tab(lab: Lab) -> None:
    """The tab to the right."""
    lab.panes.step(1)


def previous_tab(lab: Lab) -> None:
    """The tab to the left."""
    lab.panes.step(-1)


def arrange(lab: Lab) -> None:
    """Side by side, or one over the other."""
    lab.panes.turn()


def jump(lab: Lab) -> None:
    """Letters over the tabs and the rows of the grid."""
    targets = [
        Target(f"tab {str(tab.id).partition('-')[2]}", tab.region.x, tab.region.y)
        for tab in lab.query(Tab)
        if tab.region.area and lab.region.contains_region(tab.region)
    ]
    if lab.grid.display:
        targets += [
            Target(f"row {index}", lab.grid.region.x, lab.grid.region.y + y) for index, y in lab.grid.visible_rows
        ]
    lab.app.push_screen(Jump(targets), lambda name: _jumped(lab, name))


def theme(lab: Lab) -> None:
    """Another theme, seen while it is chosen; it is remembered."""
    options = [(name, name) for name in THEMES]

    def preview(name: str) -> None:
        lab.app.theme = name

    def answered(name: str | None) -> None:
        if name is not None:
            lab.app.keep_theme(name)

    lab.app.push_screen(Choose("Theme", options, chosen=lab.app.theme, preview=preview), answered)


def help_(lab: Lab) -> None:
    """Every action with its key."""
    lab.app.push_screen(Help(lab.app.keys, set_key=lab.app.keep_key))


def _jumped(lab: Lab, name: str | None) -> None:
    kind, _, what = (name or "").partition(" ")
    if kind == "tab":
        lab.panes.choose(what)
        lab.panes.focus_tab()
    elif kind == "row":
        lab.grid.select(lab.grid.grid.rows[int(what)].path)
        lab.grid.focus()
