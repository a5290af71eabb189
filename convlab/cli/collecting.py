"""The commands that remove stored runs: delete, restore and gc."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from convlab.cli.output import Output, command
from convlab.cli.stores import PANEL, At, Some, count, opened, span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from convlab.runs.collecting import Garbage
    from convlab.runs.store import Store

TRAINING = "training"


@command(PANEL, "convlab runs delete k3f9xw")
def delete(output: Output, runs: Some, store: At = None) -> None:
    """Mark runs for removal; they are not shown any more."""
    with opened(store) as kept:
        found = [kept.run(name) for name in runs]
        kept.delete(*found)
    names = [run.id for run in found]
    if output.as_json:
        output.json({"marked": names})
    else:
        output.text(f"marked for removal: {', '.join(names)}")
        output.text(
            f"convlab runs restore {' '.join(names)} takes the mark away; convlab runs gc removes what is marked"
        )


@command(PANEL, "convlab runs restore k3f9xw")
def restore(output: Output, runs: Some, store: At = None) -> None:
    """Take the mark for removal away; latest is the latest run that is marked."""
    with opened(store) as kept:
        found = [kept.run(name, deleted=True) for name in runs]
        kept.restore(*found)
    told = {
        "restored": [run.id for run in found if run.deleted],
        "was not marked": [run.id for run in found if not run.deleted],
    }
    if output.as_json:
        output.json({"restored": told["restored"], "not_marked": told["was not marked"]})
        return
    for what, names in told.items():
        if names:
            output.text(f"{what}: {', '.join(names)}")


@command(PANEL, "convlab runs gc --older-than 30d --dry-run")
def gc(
    output: Output,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="SPAN", help="Only runs that were marked so long ago, such as 30d."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and leave it.")] = False,
    store: At = None,
) -> None:
    """Remove marked runs for good, with designs and environments of no run, and give their room back.

    Checkpoints of marked trainings go too, where they lie in your data folder; a folder that you named stays.
    """
    from convlab.runs.collecting import occupied
    from convlab.units import size

    age = span("older-than", older_than) if older_than is not None else timedelta()
    with opened(store) as kept:
        found = kept.garbage(older_than=age)
        folders = _checkpoints(kept, found)
        if not output.as_json:
            _tell(output, found, folders)
        before = occupied(kept.database)
        if not dry_run:
            kept.remove(found)
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
        after = occupied(kept.database)
    freed = None if before is None or after is None else before - after
    if output.as_json:
        ids = [run.id for run in found.runs]
        counts = {"rows": found.rows, "designs": found.designs, "environments": found.environments}
        checkpoints = [str(folder) for folder in folders]
        output.json({"removed": not dry_run, "runs": ids, **counts, "checkpoints": checkpoints, "freed_bytes": freed})
    elif dry_run:
        output.text("nothing was removed: --dry-run")
    elif found:
        output.text(f"removed; the store is {size(freed)} smaller" if freed and freed > 0 else "removed")


COMMANDS = (delete, restore, gc)


def _checkpoints(kept: Store, found: Garbage) -> list[Path]:
    """The folders of trainings, of those that convlab named, that no other run has part in and no process is at work in."""
    from convlab.errors import ConvlabError
    from convlab.training.keeping.folders import folder_of, refuse_at_work, trainings

    going = {run.id: folder_of(run.settings, run.id).resolve() for run in found.runs if run.kind == TRAINING}
    others = (run for run in kept.runs(kind=TRAINING, deleted=None) if run.id not in going)
    used = {folder_of(run.settings, run.id).resolve() for run in others}
    clearable = []
    for folder in dict.fromkeys(going.values()):
        if folder.parent == trainings().resolve() and folder.is_dir() and folder not in used:
            with suppress(ConvlabError):
                refuse_at_work(folder)
                clearable.append(folder)
    return clearable


def _tell(output: Output, found: Garbage, folders: Sequence[Path]) -> None:
    from convlab.units import size
    from convlab.views.runs import run_table

    if found.runs:
        output.table(run_table(found.runs))
        output.text()
    parts = [
        count(len(found.runs), "run"),
        count(found.rows, "row"),
        count(found.designs, "design"),
        count(found.environments, "environment"),
    ]
    if folders:
        bytes = sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
        parts.append(f"{size(bytes)} of checkpoints")
    output.text(f"to be removed: {', '.join(parts)}" if found else "there is nothing to remove")
