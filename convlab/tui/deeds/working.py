"""Long work: measure, train, export; cancel and resume; and the shell command that does the same as the last action."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from convlab.errors import ConvlabError
from convlab.session import command
from convlab.session.commands import sources_of, unsayable
from convlab.settings import Settings, read_settings, settings_of
from convlab.tui.dialogs.choosing import Choose
from convlab.tui.forms.form import Form
from convlab.tui.forms.kinds import Asked, Export, Measure, Train
from convlab.tui.forms.lasting import recall_forms, remember_form
from convlab.tui.forms.order import Order, subjects
from convlab.tui.jobs import JobState
from convlab.tui.panels.runs import RunsPanel
from convlab.tui.panels.stored import broken_off

if TYPE_CHECKING:
    from convlab.tui.lab import Lab

RUNS = "{} runs; c cancels it."
"""What the line under the panes says of work until it ends."""


def measure(lab: Lab) -> None:
    """Ask how, and measure."""
    _ask(lab, Measure)


def train(lab: Lab) -> None:
    """Ask how, and train."""
    _ask(lab, Train)


def export(lab: Lab) -> None:
    """Ask for a format, and export."""
    _ask(lab, Export)


def cancel(lab: Lab) -> None:
    """Stop what runs; which, where several do."""
    running = [job for job in lab.app.job_states if job.running]
    if running:
        _one_of(lab, "Cancel", running, cancel_one)
    else:
        lab.say("Nothing runs.")


def resume(lab: Lab) -> None:
    """Go on with a training that was broken off: the run that is chosen in Runs, one of now, or else the latest of the store."""
    resumable = [job for job in lab.app.job_states if job.resumable]
    panel = lab.panes.panel
    chosen = panel.chosen if isinstance(panel, RunsPanel) else ""
    if chosen:
        resumable = [job for job in resumable if job.run == chosen]
    if resumable:
        _one_of(lab, "Resume", resumable, resume_one)
    else:
        _resume_stored(lab, chosen)


def cancel_one(lab: Lab, job: str) -> None:
    """Stop a job."""
    lab.app.jobs.cancel(job)
    lab.say("Asked to stop; what was reached is kept.")


def resume_one(lab: Lab, job: str) -> None:
    """Go on with a job. Raises ConvlabError."""
    state = lab.app.jobs.resume(job)
    lab.last_command = state.argv
    _see(lab, state)


def _resume_stored(lab: Lab, run: str) -> None:
    """Go on with a run of the store, "" for the latest that was broken off; it is looked for in a thread."""

    def begin(found: tuple[str, str]) -> None:
        id, name = found
        state = lab.app.jobs.resume_run(id, title=f"training of {name}")
        lab.last_command = state.argv
        _see(lab, state)

    def refuse(error: ConvlabError) -> None:
        raise error

    def look() -> None:
        try:
            found = broken_off(run)
        except ConvlabError as error:
            lab.app.call_from_thread(lab.attempt, partial(refuse, error))
        else:
            lab.app.call_from_thread(lab.attempt, partial(begin, found))

    lab.say("Looking for a training that was broken off ...")
    lab.run_worker(look, thread=True, exclusive=True, group="resume", exit_on_error=False)


def copy_command(lab: Lab) -> None:
    """Put the command into the clipboard, and show it. Raises ConvlabError where only a file can say the design."""
    if lab.last_command is None:
        raise unsayable("all of these designs: each")
    text = shlex.join(lab.last_command or command(lab.session, "profile"))
    lab.app.copy_to_clipboard(text)
    lab.say(f"Copied: {text}")


def _ask(lab: Lab, asked: type[Asked]) -> None:
    session = lab.session
    saved = session.path if session.path is not None and not session.unsaved else None
    sources = sources_of(session)
    offered = subjects(session.design, saved=saved, baseline=session.baseline, pinned=session.pinned, sources=sources)
    last = recall_forms(lab.app.folder).get(asked.kind)

    def answered(order: Order | None) -> None:
        if order is not None:
            lab.attempt(lambda: _begin(lab, order))

    lab.app.push_screen(Form(asked, offered, settings=_settings(), last=last), answered)


def _begin(lab: Lab, order: Order) -> None:
    """Begin what was ordered. Raises ConvlabError."""
    state = lab.app.jobs.start(order)
    lab.measured[state.id] = lab.session.design
    lab.last_command = order.said or None
    _see(lab, state)
    remember_form(lab.app.folder, order.kind, order.values)


def _see(lab: Lab, state: JobState) -> None:
    """Go to where the work is shown."""
    lab.panes.choose("curves")
    lab.say(RUNS.format(state.title))


def _one_of(lab: Lab, title: str, jobs: list[JobState], deed: Callable[[Lab, str], None]) -> None:
    """Do something with a job: with which, where there are several."""

    def answered(job: str | None) -> None:
        if job is not None:
            lab.attempt(lambda: deed(lab, job))

    if len(jobs) == 1:
        deed(lab, jobs[0].id)
    else:
        lab.app.push_screen(Choose(title, [(job.id, f"{job.title}, {job.status}") for job in jobs]), answered)


def _settings() -> Settings:
    """Those that hold here; the usual ones where they are wrong, which `convlab config` tells."""
    try:
        return settings_of(read_settings())
    except ConvlabError:
        return Settings()
