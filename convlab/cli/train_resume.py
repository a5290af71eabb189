"""Where a training that is resumed lies: its folder, that of a run of the store, or of the latest one."""

from __future__ import annotations

from pathlib import Path

from convlab.errors import ConvlabError
from convlab.runs.address import address_of
from convlab.training.keeping.job import JOB, LATEST, located, trainings
from convlab.training.recording import KIND


def begun_in(given: str, store: str | None) -> Path:
    """The folder of a training: itself, that of a run of the store, or of the latest one. Raises ConvlabError."""
    folder = Path(given).expanduser()
    if (folder / JOB).is_file():
        return folder
    return _of_run(given, store) or located(given)


def _of_run(given: str, store: str | None) -> Path | None:
    """Where a run of the store has its checkpoints; None where the store has no such training, or they are gone."""
    from convlab.runs import existing_store

    address = address_of(store)
    if isinstance(address, Path) and not address.exists():
        return None
    try:
        with existing_store(store) as kept:
            found = kept.runs(kind=KIND, limit=1) if given == LATEST else (kept.run(given),)
    except ConvlabError:  # the folder may have this name all the same
        return None
    folders = [Path(run.settings.get("folder") or trainings() / run.id) for run in found if run.kind == KIND]
    return next((folder for folder in folders if (folder / JOB).is_file()), None)
