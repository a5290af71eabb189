"""A run of ``roadmap --train``: the walk's steps trained, stored meanwhile, and printed as a waterfall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convlab.cli.bench_run import Keeping
from convlab.cli.live import begun, watched
from convlab.cli.train_request import Request
from convlab.cli.train_run import begin, busy_notes, default_folder, ended, go_on, keeping, recorder_of, show_table
from convlab.measurement.machine.environment import Environment, environment
from convlab.training.running.arithmetic import threads
from convlab.training.walking import walk
from convlab.training.walks import Walk
from convlab.views.learning import curve_table
from convlab.views.notes import plain_notes
from convlab.views.rankings import interval_text
from convlab.views.trainings import (
    doubt_facts,
    override_table,
    plain_training,
    trained_how,
    training_notes,
    unranked_table,
)
from convlab.views.walk import fidelity_texts, left_out_table, plain_walk, walk_table

if TYPE_CHECKING:
    from convlab.cli.output import Output

NAME = "the walk to ConvNeXt-T"


def walked(output: Output, asked: Request, *, leave_one_out: bool, store: str | None, stored: bool) -> int:
    """Train the walk, store it meanwhile, and print it; the exit code. Raises ConvlabError."""
    with threads(asked.threads):
        return _walked(output, asked, leave_one_out=leave_one_out, store=store, stored=stored)


def _walked(output: Output, asked: Request, *, leave_one_out: bool, store: str | None, stored: bool) -> int:
    place = environment(asked.device)
    with keeping(asked, NAME, place, store=store, stored=stored) as kept:
        begin(output, asked, NAME)
        keep = recorder_of(asked, kept)
        folder = asked.folder or default_folder(kept)
        begun(output, kept, folder)
        work = walk(
            recipe=None if asked.resume else asked.recipe,
            data=asked.data,
            seeds=asked.seeds,
            device=asked.device,
            folder=folder,
            resume=asked.resume,
            threads=asked.threads,
            keep=keep,
            leave_one_out=leave_one_out,
        )
        found = watched(output, work)
        code = ended(kept, found.training, keep)
    _show(output, found, kept, place, asked)
    go_on(output, found.training, kept, "roadmap --train")
    return code


def _show(output: Output, found: Walk, kept: Keeping, place: Environment, asked: Request) -> None:
    notes = [*training_notes(found.training), *busy_notes(asked, place), *kept.notes]
    if output.as_json:
        training = plain_training(found.training, place)
        output.json(
            {"run": kept.plain(), **plain_walk(found), "training": training, "notes": plain_notes(tuple(notes))}
        )
        return
    if found.training.stopped:
        output.heading("stopped: what was trained until then")
    for table in (walk_table(found), left_out_table(found), unranked_table(found.training)):
        show_table(output, table)
    for table in (curve_table(found.training.trained), override_table(found.training.overrides)):
        show_table(output, table)
    for sentence in (
        *fidelity_texts(found),
        *filter(None, [interval_text(found.training.ranking)]),
        *found.training.ranking.notes,
    ):
        output.text(sentence)
    output.text()
    if doubts := doubt_facts(found.training):
        output.text("What this proxy cannot tell of the walk:")
        output.facts(doubts)
        output.text()
    refused = [(name, f"cannot be undone by itself: {why}") for name, why in found.refused.items()]
    how = trained_how(found.training, place)
    output.facts([*refused, *how, ("checkpoints", str(found.training.folder)), *kept.facts])
    output.notes(notes)
