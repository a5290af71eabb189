"""A run of ``train``: what is about to happen and how far it is on stderr, rows into the store meanwhile, and how it ends."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from convlab.cli.bench_run import Keeping
from convlab.cli.live import begun, noted, watched
from convlab.cli.train_request import Request
from convlab.measurement.machine.disturbances import disturbances
from convlab.measurement.machine.environment import Environment, environment
from convlab.measurement.recording import recording
from convlab.progress import finished
from convlab.runs.ids import new_id
from convlab.training.comparing import Training, train
from convlab.training.keeping.folders import folder_of, trainings
from convlab.training.proxies.brevity import for_its_budget
from convlab.training.recording import KIND, TrainingRecorder, run_settings
from convlab.training.running.arithmetic import threads
from convlab.training.running.distributed import is_first
from convlab.views.chance import chance_notes
from convlab.views.job_notes import same_notes, sentence
from convlab.views.learning import curve_table
from convlab.views.notes import Note, plain_notes
from convlab.views.proxies import proxies_text
from convlab.views.rankings import interval_text, ranking_table
from convlab.views.trainings import (
    beginning,
    cue_table,
    doubt_facts,
    override_table,
    plain_training,
    rate_notes,
    trained_how,
    training_notes,
    unranked_table,
)

if TYPE_CHECKING:
    from convlab.cli.output import Output
    from convlab.runs import Run
    from convlab.runs.store import Store
    from convlab.views.tables import Table


COLUMNS = 80


def trained(output: Output, asked: Request, *, store: str | None, stored: bool) -> int:
    """Train what is asked for, store it meanwhile, and print it; the exit code. Raises ConvlabError.

    Of several processes that torchrun started, the first one stores and prints.
    """
    with threads(asked.threads):
        return _trained(output, asked, store=store, stored=stored)


def _trained(output: Output, asked: Request, *, store: str | None, stored: bool) -> int:
    place, speaks = environment(asked.device), is_first()
    names = ", ".join(design.name for design in asked.designs)
    with keeping(asked, names, place, store=store, stored=stored and speaks) as kept:
        if speaks:
            begin(output, asked, names)
        keep = recorder_of(asked, kept)
        folder = asked.folder or default_folder(kept)
        if speaks:
            begun(output, kept, folder, about=_about(asked))
            if output.progress == "json":
                noted(same_notes(asked.same))
        work = train(
            asked.designs,
            recipe=asked.recipe,
            data=asked.data,
            seeds=asked.seeds,
            device=asked.device,
            folder=folder,
            resume=asked.resume,
            weights=asked.weights or None,
            track=asked.track,
            threads=asked.threads,
            keep=keep,
        )
        found = watched(output, work) if speaks else finished(work)
        code = ended(kept, found, keep)
        if kept.recorder is not None:
            notes = (*same_notes(found.same), *chance_notes(found.ranking, found.data))
            kept.recorder.note("\n".join(sentence(note.message, note.help) for note in notes))
    if speaks:
        _show(output, found, kept, place, asked)
        go_on(output, found, kept, "train")
    return code


@contextmanager
def keeping(asked: Request, name: str, place: Environment, *, store: str | None, stored: bool) -> Iterator[Keeping]:
    """A run of the store, which lasts as long as the trainings. Raises ConvlabError where the store takes none."""
    if not stored:
        yield Keeping()
        return
    from convlab.runs import open_store

    with open_store(store) as opened:
        before = earlier(opened, asked.folder) if asked.resume and asked.folder else ()
        whole = next((run for run in before if run.rows), None)
        if asked.finished and whole is not None and whole.status in ("complete", "failed"):
            yield Keeping(place=opened.place, earlier=whole.id)
            return
        seeds = range(asked.recipe.seed, asked.recipe.seed + asked.seeds)
        folder = "" if asked.folder is None else str(asked.folder.resolve())
        settings = run_settings(asked.recipe, data=asked.data, seeds=seeds, folder=folder, weights=asked.weights)
        if before:
            settings["resumed_from"] = before[0].id
        with recording(opened, KIND, name=name, settings=settings, environment=place) as recorder:
            yield Keeping(recorder, opened.place)


def earlier(store: Store, folder: Path) -> tuple[Run, ...]:
    """The runs of the trainings of a folder, the newest first; one that was broken off early has no rows."""
    there = folder.resolve()
    return tuple(run for run in store.runs(kind=KIND) if folder_of(run.settings, run.id).resolve() == there)


def begin(output: Output, asked: Request, names: str) -> None:
    """Say on stderr what is about to be trained."""
    if asked.finished and not output.quiet:
        print("already finished; nothing to train", file=sys.stderr, flush=True)
    elif not (output.quiet or output.as_json):
        line = beginning(names, asked.recipe, asked.data, seeds=asked.seeds, device=asked.device) + _sizes(asked)
        print(textwrap.fill(line, COLUMNS, break_long_words=False, break_on_hyphens=False), file=sys.stderr, flush=True)


def _sizes(asked: Request) -> str:
    """What decides the memory that a step takes."""
    fitted, _ = for_its_budget(asked.recipe, len(asked.data.train))
    return f"; {asked.data.height}x{asked.data.width} px, {fitted.batch} a step"


def _about(asked: Request) -> str:
    """What is trained in the place of the designs; of what is resumed that was told when it was begun."""
    return proxies_text(asked.overrides, asked.recipe, asked.data) if asked.overrides else ""


def busy_notes(asked: Request, before: Environment) -> list[Note]:
    """What disturbed the machine since a look before, where anything was trained: rates suffer, results do not."""
    if asked.finished:
        return []
    return rate_notes(disturbances(before, environment(asked.device)), before)


def default_folder(kept: Keeping) -> Path:
    """The folder of a run, among those of the user's trainings."""
    return trainings() / (kept.recorder.id if kept.recorder else new_id(datetime.now(UTC)))


def recorder_of(asked: Request, kept: Keeping) -> TrainingRecorder | None:
    """What puts trainings into the run; None where there is none."""
    return None if kept.recorder is None else TrainingRecorder(kept.recorder, data=asked.data, device=asked.device)


def ended(kept: Keeping, found: Training, keep: TrainingRecorder | None) -> int:
    """The exit code, and how the run ends with it; what each design was changed to is stored with it."""
    if keep is not None:
        for each in found.trained:
            doubts = [doubt for doubt in found.doubts if each.name in doubt.names]
            keep(each, found.overrides.get(each.name, ()), doubts)
    failures = dict.fromkeys(f"{each.name}: {each.failure}" for each in found.trained if each.failure)
    figures = bool(found.ranking.places) or any(each.curve for each in found.trained)
    return kept.code(stopped=found.stopped, figures=figures, why="\n".join(failures))


def go_on(output: Output, found: Training, kept: Keeping, command: str) -> None:
    """Say on stderr how what was stopped is resumed."""
    if found.stopped and not output.quiet:
        name = kept.recorder.id if kept.recorder else found.folder
        print(f"go on with: convlab {command} --resume {name}", file=sys.stderr)


def _followed(found: Training, track: Sequence[str]) -> list[tuple[str, str]]:
    """Where the curves can be looked at that a tracker wrote to the disk."""
    return [("curves", f"tensorboard --logdir {found.folder / 'tensorboard'}")] if "tensorboard" in track else []


def _show(output: Output, found: Training, kept: Keeping, place: Environment, asked: Request) -> None:
    notes = [*training_notes(found), *busy_notes(asked, place), *kept.notes]
    if output.as_json:
        plain = plain_training(found, place)
        output.json({"run": kept.plain(), **plain, "notes": plain_notes(tuple(notes))})
        return
    if found.stopped:
        output.heading("stopped: what was trained until then")
    figures = (ranking_table(found.ranking, found.trained), unranked_table(found))
    for table in (*figures, cue_table(found.trained), curve_table(found.trained), override_table(found.overrides)):
        show_table(output, table)
    told = [text for text in (interval_text(found.ranking), *found.ranking.notes) if text]
    for each in told:
        output.text(each)
    if told:
        output.text()
    if doubts := doubt_facts(found):
        output.text("What this comparison cannot tell:")
        output.facts(doubts)
        output.text()
    places = [("checkpoints", str(found.folder)), *_followed(found, asked.track), *kept.facts]
    output.facts([*trained_how(found, place), *places])
    output.notes(notes)


def show_table(output: Output, table: Table | None) -> None:
    """Print a table, where there is one, and a line after it."""
    if table is not None:
        output.table(table)
        output.text()
