"""Which trainings of a store were broken off and can go on, and how."""

from __future__ import annotations

from collections.abc import Sequence

from convlab.runs.records import Run

BROKEN_OFF = ("stopped", "interrupted", "failed")
"""The statuses of runs that did not come to their end."""

TRAIN = "train"
WALK = "roadmap --train"


def broken_off(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Those of some trainings that can go on, in their order: with checkpoints, and not gone on with already."""
    from convlab.training.keeping.folders import JOB, folder_of

    gone_on = {run.settings.get("resumed_from") for run in runs}
    return tuple(
        run
        for run in runs
        if run.kind == "training"
        and run.status in BROKEN_OFF
        and run.id not in gone_on
        and (folder_of(run.settings, run.id) / JOB).is_file()
    )


def resume_facts(run: Run, others: Sequence[Run]) -> list[tuple[str, str]]:
    """How a run goes on that was broken off, in a line; ``others`` are the trainings of its store."""
    if not any(each.id == run.id for each in broken_off(others)):
        return []
    return [("go on with", f"convlab {verb_of(run)} --resume {run.id}")]


def verb_of(run: Run) -> str:
    """The command that trained a run: a walk goes on as one."""
    return WALK if run.command.split()[1:2] == ["roadmap"] else TRAIN
