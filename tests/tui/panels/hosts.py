"""A tiny app that holds one panel and hears what it tells, and the keys to drive it."""

import asyncio

from textual.app import App

from convlab import profile
from convlab.session import opened
from convlab.tui.drawing.picture import plain
from convlab.tui.drawing.sheet import Sheet
from convlab.tui.panels import Asked, LayerChosen, Shown, TextWritten, Turned
from convlab.tui.themes import THEMES


def shown(name, *, session=None, jobs=()):
    """What a panel is shown of a design."""
    session = session or opened(name)
    return Shown(session, profile(session.design), profile(session.baseline), jobs=jobs)


class Host(App):
    """Shows one panel, and keeps its messages."""

    def __init__(self, panel, given, theme="dark"):
        super().__init__()
        self.panel, self.given, self.told, self._theme = panel(), given, [], theme

    def compose(self):
        yield self.panel

    def on_mount(self):
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = self._theme
        self.panel.show(self.given)
        self.screen.focus_next()

    def on_layer_chosen(self, event: LayerChosen):
        self.told.append(event.path)

    def on_asked(self, event: Asked):
        self.told.append(event.action)

    def on_turned(self, event: Turned):
        self.told.append((event.path, event.value))

    def on_text_written(self, event: TextWritten):
        """As the screen does: the session takes the text over, and the panel is shown it."""
        self.told.append(event.text)
        self.given = shown("", session=self.given.session.written(event.text))
        self.panel.show(self.given)

    @property
    def text(self):
        """What the panel's sheet shows."""
        return plain(self.panel.query_one(Sheet).picture.lines)

    def pointed_line(self):
        """The line under the cursor."""
        sheet = self.panel.query_one(Sheet)
        return plain([sheet.picture.lines[sheet.picture.line_of(sheet.pointed)]])


def drive(panel, given, steps, *, size=(100, 30), theme="dark"):
    """Run a panel in an app of a size and let ``steps(app, pilot)`` drive it."""

    async def run():
        app = Host(panel, given, theme)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(run())


async def until(pilot, true, patience_s=10.0):
    """Wait for what a thread or a timer brings."""
    waited = 0.0
    while not true():
        assert waited < patience_s, pilot.app.text
        await pilot.pause(0.02)
        waited += 0.02
