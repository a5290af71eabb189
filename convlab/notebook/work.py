"""Long work beside the notebook: a command in a worker, with its progress, its curves as they grow, and its result."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

import ipywidgets as widgets

from convlab.errors import ConvlabError, Problem
from convlab.language.design import Design
from convlab.notebook import markup
from convlab.notebook.curves import Curves
from convlab.notebook.ordering import argv
from convlab.notebook.results import result_table
from convlab.progress import Progress
from convlab.views.live_learning import LivePoint, rates
from convlab.workers import Begun, Ended, Event, Noted, Told, Worker

OFTEN_S: Final = 0.2
"""The figure is drawn again at most so often."""


@final
class Work:
    """A command at work on designs, or done: ``figure``, ``result``, ``error``; ``stop`` and ``wait``. Shown, it is live."""

    def __init__(self, verb: str, designs: Sequence[Design], options: Sequence[str] = ()) -> None:
        """Begin it. ``options`` are those of the shell's command. Raises ConvlabError where it cannot be begun."""
        self.verb = verb
        self.curves: Mapping[tuple[str, int], tuple[LivePoint, ...]] = {}
        self.notes: tuple[Noted, ...] = ()
        self.result: Mapping[str, Any] | None = None
        self.error: tuple[Problem, ...] = ()
        self.run = ""
        """The run of the store in which it is kept."""
        self._progress: Progress | None = None
        self._drawn = 0.0
        self._curves = Curves()
        self._line, self._report = widgets.HTML(), widgets.HTML()
        self._stop = widgets.Button(description="stop", icon="stop", tooltip="what was reached is kept")
        self._stop.on_click(lambda _: self.stop())
        self._chart = widgets.VBox()
        self.widget = widgets.VBox([widgets.HBox([self._stop, self._line]), self._chart, self._report])
        self._folder = Path(tempfile.mkdtemp(prefix="convlab-"))
        try:
            self.argv = argv(verb, designs, options, folder=self._folder)
            self._say("begins …")
            self._worker = Worker.start(self.argv, on=self._hear)
        except ConvlabError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def __repr__(self) -> str:
        return f"<Work {self.verb}: {self.status}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.widget._repr_mimebundle_(include=include, exclude=exclude)

    @property
    def figure(self) -> Any:
        """The curves: a figure that a notebook shows live."""
        return self._curves.figure

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._worker.running

    @property
    def status(self) -> str:
        """In a word: running, done, stopped or failed."""
        if self.running:
            return "running"
        return "failed" if self.error else "done" if self.result and not self.result.get("stopped") else "stopped"

    def stop(self) -> None:
        """Have it stop as by Ctrl-C: it keeps what it has."""
        self._worker.interrupt()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False where it does not come in time."""
        return self._worker.wait(timeout_s)

    def _hear(self, event: Event) -> None:
        match event:
            case Begun():
                self.run = event.run
            case Noted():
                self.notes += (event,)
            case Told(progress):
                self._told(progress)
            case Ended():
                self._ended(event)

    def _told(self, progress: Progress) -> None:
        self._progress = progress
        self._remember(progress)
        now = time.monotonic()
        if now - self._drawn >= OFTEN_S:
            self._drawn = now
            self._draw()

    def _remember(self, progress: Progress) -> None:
        """A point of a curve more. Work that was resumed goes back: what came after is drawn anew."""
        name, _, seed = progress.subject.rpartition("#")
        step, loss = progress.figures.get("step"), progress.figures.get("loss")
        if name and seed.isdecimal() and step is not None and loss is not None:
            key = name, int(seed)
            before = tuple(point for point in self.curves.get(key, ()) if point[0] < step)
            point = step, loss, progress.figures.get("accuracy", math.nan)
            self.curves = {**self.curves, key: (*before, point)}

    def _draw(self) -> None:
        progress = self._progress
        if progress is not None:
            share = f" {100 * progress.done / progress.total:.0f} %" if progress.total else ""
            left = f", {progress.remaining_s:.0f} s left" if progress.remaining_s is not None else ""
            self._say(f"{progress.what}{share}{left}")
        if self.curves:
            self._curves.show(self.curves)
            if not self._chart.children:
                self._chart.children = (self.figure,)

    def _ended(self, ended: Ended) -> None:
        self.result, self.error = ended.result, ended.error
        self._draw()
        found = rates(ended.result) if ended.result else ()
        if found:
            self._curves.show_rates(found)
            self._chart.children = (self.figure,)
        self._say(f"{self.status}{f', kept as {self.run}' if self.run else ''}")
        table = result_table(ended.result or {})
        notes = "".join(markup.paragraph(note.message, soft=True) for note in self.notes)
        self._report.value = (markup.table_html(table) if table else "") + markup.problems_html(self.error) + notes
        self._stop.disabled = True
        shutil.rmtree(self._folder, ignore_errors=True)

    def _say(self, text: str) -> None:
        self._line.value = f"<b>{markup.text(self.verb)}</b>: {markup.text(text)}"
