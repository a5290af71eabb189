"""The explorer: a session with controls made from its knobs, live charts and cards. Usable without a browser."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, final

import ipywidgets as widgets

from convlab.costs import profile
from convlab.errors import ConvlabError
from convlab.language.design import Design
from convlab.notebook import markup
from convlab.notebook.charts import Charts
from convlab.notebook.cloud import Cloud
from convlab.notebook.controls import Control
from convlab.notebook.figures import TITLES, Headlines, beside, calibration, changes_text
from convlab.notebook.filing import Files
from convlab.notebook.origins import as_own, session_of
from convlab.notebook.panel import ChosenPanel, DesignPanel, Panel, chosen
from convlab.notebook.readings import reading
from convlab.notebook.still import still_html
from convlab.notebook.work import Work
from convlab.session import Session
from convlab.spaces.populations import sample
from convlab.spaces.space import Space
from convlab.views.cards import Card
from convlab.views.knob_paths import differences

MEMBERS = 400
"""Members of a space that are drawn for the scatter."""

DRAWN = 4
"""Pinned designs that the charts show; the table shows all."""


@final
class Explorer:
    """A design, or a space around one, to turn knobs of.

    ``source`` is a preset's name, a file, a design, a session, or a space, of which a sample is shown to choose from. ``against`` is what
    it is compared with (by default itself as it was). ``knobs`` are the paths to make controls of; without them there are controls of
    all. Raises ConvlabError where there is no such design.

    ``figure`` is the charts' plotly figure, ``controls`` the widgets by knob path, ``cards`` the headline figures, ``session`` the state;
    to give it another session shows that one.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Design | Session | Space = "convnext_t",
        *,
        against: str | os.PathLike[str] | Design | None = None,
        knobs: Sequence[str] = (),
        theme: str = "light",
        seed: int = 0,
    ) -> None:
        self.space = source if isinstance(source, Space) else None
        self.works: list[Work] = []
        self._cloud = None
        if self.space is not None:
            self._cloud = Cloud(sample(self.space, MEMBERS, seed).population, self.load_member, theme=theme)
        session = session_of(source, self._cloud.population.indices if self._cloud else ())
        if against is not None:
            session = session.with_baseline(session_of(against).design)
        self._session = session = as_own(session)
        self._files = Files()
        self._choices = dict.fromkeys(knobs, ()) or (chosen(self.space) if self.space else {})
        self._headlines = Headlines(calibration())
        self.profile = profile(session.design)
        self._charts = Charts(session.design.name or session.origin or "the design", reading(self.profile), theme=theme)
        self._panel = self._new_panel()
        self._cards, self._said, self._table = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._left = widgets.VBox([self._panel.widget], layout={"width": "380px", "flex": "0 0 380px"})
        self._right = widgets.VBox([self.figure], layout={"flex": "1 1 auto", "min_width": "0"})
        self._below = widgets.VBox([])
        self._buttons = _Buttons(self)
        self.widget = self._laid_out()
        self._compare()
        self.update()

    def __repr__(self) -> str:
        return f"<Explorer of {self.session!r}>"

    def _ipython_display_(self) -> None:
        """Two outputs, since a page made of the notebook takes one form of each: the controls, and what stays without them."""
        page: Any = import_module("IPython.display")
        page.display({**self.widget._repr_mimebundle_(), "text/plain": repr(self)}, raw=True)
        page.display(page.HTML(self._repr_html_()))

    def _repr_html_(self) -> str:
        return still_html(self.profile, self._table.value)

    @property
    def session(self) -> Session:
        """The state: the design, its history, its baseline, what is pinned."""
        return self._session

    @session.setter
    def session(self, session: Session) -> None:
        before, self._session = self._session, as_own(session)
        session = self._session
        self.update()
        if (session.baseline, session.pinned) != (before.baseline, before.pinned):
            self._compare()

    @property
    def design(self) -> Design:
        """The design as it is now."""
        return self._session.design

    @property
    def figure(self) -> Any:
        """The charts: a plotly FigureWidget."""
        return self._charts.figure

    @property
    def scatter(self) -> Any:
        """The sampled space as a plotly FigureWidget; None where there is no space."""
        return self._cloud.figure if self._cloud else None

    @property
    def controls(self) -> dict[str, widgets.Widget]:
        """The widgets by the knob path that they turn."""
        return {path: control.widget for path, control in self.panel.items()}

    @property
    def panel(self) -> dict[str, Control]:
        """The controls by the knob path that they turn."""
        return self._panel.controls

    @property
    def cards(self) -> tuple[Card, ...]:
        """The headline figures with their change against the baseline."""
        return self._headlines.of(self.profile)

    def turn(self, path: str, value: Any) -> None:
        """Turn a knob. What is refused is told, and changes nothing."""
        self._attempt(lambda: self._session.turned(path, value))

    def undo(self) -> None:
        """Take the last edit back."""
        self.session = self._session.undone()

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        self.session = self._session.redone()

    def compare_with_now(self) -> None:
        """Compare with the design as it is now."""
        self.session = self._session.with_baseline()

    def pin(self) -> None:
        """Set the design aside, to be compared with."""
        self._attempt(self._session.pinned_now)

    def unpin(self) -> None:
        """Forget the design that was pinned last."""
        if self._session.pinned:
            self.session = self._session.unpinned(len(self._session.pinned) - 1)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False, numbered: bool = False) -> Path:
        """Write the design into a file, and say into which: one that began from a preset as what differs from it.

        Raises ConvlabError where the file is there already and holds what this explorer has neither read nor written, except with
        ``overwrite``; with ``numbered`` it takes mine-2.toml then, or the next that is free.
        """
        self.session = self._files.saved(self._session, Path(path), overwrite=overwrite, numbered=numbered)
        assert self._session.path is not None
        return self._session.path

    def load_member(self, index: int) -> None:
        """Go to a member of the space."""
        assert self.space is not None
        space = self.space
        self._attempt(lambda: self._session.replaced(space[index], f"member {index:,} of {space.name}"))

    def measure(self, *options: str) -> Work:
        """Measure the design and the pinned ones in a process beside; ``options`` are those of `convlab bench`. Raises ConvlabError."""
        return self._begin("bench", options)

    def train(self, *options: str) -> Work:
        """Train the design and the pinned ones in a process beside; ``options`` are those of `convlab train`. Raises ConvlabError."""
        return self._begin("train", options)

    def update(self) -> None:
        """Let charts, cards and controls show the session as it is."""
        self.profile = profile(self.design)
        self._charts.show(reading(self.profile))
        if not self._panel.fits(self.profile):
            self._panel = self._new_panel()
            self._left.children = (self._panel.widget,)
        self._panel.follow(self.profile)
        self._cards.value = markup.cards_html(self.cards, TITLES)
        self._say(markup.paragraph(self._session.last, soft=True) if self._session.last else _HINT)
        self._buttons.follow(self._session)
        if self._cloud is not None:
            self._cloud.show(self.profile)

    def _attempt(self, step: Callable[[], Session]) -> None:
        try:
            self.session = step()
        except ConvlabError as error:
            self._say(markup.problems_html(error.problems))

    def _compare(self) -> None:
        """What only changes with the baseline and the pinned designs."""
        session = self._session
        baseline = profile(session.baseline)
        self._headlines.against(baseline)
        self._cards.value = markup.cards_html(self.cards, TITLES)
        pinned = [profile(each) for each in session.pinned]
        first = f"{session.baseline.name or 'baseline'}, the baseline"
        names = [f"pinned {number}: {each.name}" for number, each in enumerate(session.pinned, 1)]
        drawn = [(name, reading(each)) for name, each in list(zip(names, pinned, strict=True))[:DRAWN]]
        self._charts.compare((first, reading(baseline)), drawn)
        shown = [self._headlines.of(each) for each in (baseline, *pinned)]
        changes = ["", *(changes_text(differences([session.baseline, each])) for each in session.pinned)]
        rows = beside([first, *names], shown, changes)
        self._table.value = markup.table_html(rows) if pinned else ""

    def _begin(self, verb: str, options: Sequence[str]) -> Work:
        pinned = (each for each in self._session.pinned if each != self.design)
        work = Work(verb, [self.design, *pinned], options)
        self.works.append(work)
        self._below.children = tuple(each.widget for each in reversed(self.works))
        return work

    def _new_panel(self) -> Panel:
        if self._choices:
            return ChosenPanel(self.profile, self._choices, self.turn)
        return DesignPanel(self.profile, self.turn)

    def _laid_out(self) -> widgets.VBox:
        middle = widgets.HBox([self._left, self._right], layout={"align_items": "flex-start", "flex_flow": "row wrap"})
        clouds = [self._cloud.figure] if self._cloud else []
        return widgets.VBox([self._cards, self._buttons.widget, self._said, middle, *clouds, self._table, self._below])

    def _say(self, html: str) -> None:
        self._said.value = html


_HINT = markup.paragraph("Move a slider.", soft=True)


@final
class _Buttons:
    """What can be done with a session, in a line."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._options = widgets.Text(
            placeholder="shell options, e.g. --epochs 1",
            layout={"width": "230px"},
            tooltip="for measure those of `convlab bench`, for train those of `convlab train`",
        )
        self._undo = _button("undo", "undo", "take the last edit back", explorer.undo)
        self._redo = _button("redo", "repeat", "make it again", explorer.redo)
        self._unpin = _button("unpin", "times", "forget the design that was pinned last", explorer.unpin)
        others = [
            _button("compare", "balance-scale", "compare with the design as it is now", explorer.compare_with_now),
            _button("pin", "thumb-tack", "set the design aside to compare with", explorer.pin),
            self._unpin,
            _button("measure", "tachometer", "images a second on this device", lambda: self._work(explorer.measure)),
            _button(
                "train", "graduation-cap", "a short training, made smaller for it", lambda: self._work(explorer.train)
            ),
        ]
        self.widget = widgets.HBox([self._undo, self._redo, *others, self._options], layout={"flex_flow": "row wrap"})

    def follow(self, session: Session) -> None:
        """Offer what can be done now."""
        for button, can in (
            (self._undo, session.can_undo),
            (self._redo, session.can_redo),
            (self._unpin, bool(session.pinned)),
        ):
            button.disabled = not can

    def _work(self, begin: Callable[..., Work]) -> None:
        try:
            begin(*shlex.split(self._options.value))
        except ConvlabError as error:
            self._explorer._say(markup.problems_html(error.problems))
        except ValueError:  # a quote without its end
            self._explorer._say(markup.paragraph("the options have a quote without its end"))


def _button(name: str, icon: str, help: str, deed: Callable[[], object]) -> widgets.Button:
    button = widgets.Button(description=name, icon=icon, tooltip=help, layout={"width": "auto"})
    button.on_click(lambda _: deed())
    return button
