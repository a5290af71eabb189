"""How the lab begins: the session of what was named, and the application over it."""

from __future__ import annotations

import sys

from convlab.errors import ConvlabError, Problem
from convlab.language.design import Design
from convlab.session import Session, opened_draft
from convlab.tui.app import LabApp
from convlab.tui.remembered import state_folder


def begun(
    source: str | None, *, image: int | tuple[int, int] | None = None, baseline: Design | None = None
) -> Session | None:
    """The session of a preset or a file, for another image size and against a baseline where they are given. Raises ConvlabError."""
    if source is None:
        if image is not None or baseline is not None:
            raise ConvlabError(
                Problem("usage", "--image and --against are about a design", help="name one"), exit_code=2
            )
        return None
    session = opened_draft(source)
    if image is not None:
        session = session.turned("image.size", image)
        session = session if session.broken else session.with_baseline()
    return session if baseline is None else session.with_baseline(baseline)


def run(session: Session | None, *, theme: str = "") -> int:
    """Show it until a person leaves; the exit code."""
    app = LabApp(session, folder=state_folder(), theme=theme)
    try:
        app.run()
    finally:
        if app.jobs.running:
            print("Waiting for what runs to put away what it has ...", file=sys.stderr)
        app.jobs.close()
    return app.return_code or 0
