"""What tests of the terminal UI share: an app that is driven by keys, what it shows as text, and snapshots of that in files."""

import asyncio
import os
from pathlib import Path

from rich.console import Console

from convlab.session import opened
from convlab.tui.app import LabApp
from convlab.tui.lab import Lab

FOLDER = Path(__file__).parent / "snapshots"


def driven(deeds, source="convnext_t", *, size=(120, 40), folder, theme="", notifications=False):
    """Run an app on a preset, a file or a session (None: the picker), do ``deeds(app, pilot)``, and give what they give."""
    session = opened(source) if isinstance(source, str | Path) else source

    async def drive():
        app = LabApp(session, folder=folder, theme=theme)
        app.animation_level = "none"
        try:
            async with app.run_test(size=size, notifications=notifications) as pilot:
                await pilot.pause()
                return await deeds(app, pilot)
        finally:
            app.jobs.close()

    return asyncio.run(drive())


def seen(app):
    """The whole screen as text, dialogs included, without blanks at the ends of lines."""
    width, height = app.size
    with Path(os.devnull).open("w") as nowhere:
        console = Console(
            width=width, height=height, file=nowhere, force_terminal=True, record=True, legacy_windows=False
        )
        # The way of App.export_screenshot, which gives SVG only.
        console.print(app.screen._compositor.render_update(full=True, screen_stack=app._background_screens))
    return "\n".join(line.rstrip() for line in console.export_text().splitlines()) + "\n"


def agrees(name, found):
    """Whether what is seen is what the snapshot of that name holds; CONVLAB_SNAPSHOTS=write writes it instead."""
    path = FOLDER / name
    if os.environ.get("CONVLAB_SNAPSHOTS") == "write":
        path.write_text(found, encoding="utf-8")
    assert path.exists(), f"no snapshot {name}: run with CONVLAB_SNAPSHOTS=write, and look at it"
    assert found == path.read_text(encoding="utf-8"), f"other than {name}; CONVLAB_SNAPSHOTS=write writes it anew"


def lab_of(app):
    """The lab of an app."""
    return next(screen for screen in app.screen_stack if isinstance(screen, Lab))


def said(app):
    """What the line under the panes says."""
    return str(lab_of(app).query_one("#knob").render())
