"""A training that is resumed: where it lies, and whether what is said along is what it was begun with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from convlab.cli.arguments import THREADS, number_of
from convlab.cli.read_set import read_set
from convlab.cli.train_checks import device_of, refuse_unwritable
from convlab.cli.train_request import SEEDS, Given, Request, designs_of, recipe_of, usage
from convlab.errors import ConvlabError, quote
from convlab.paths import expanded
from convlab.runs.address import address_of
from convlab.training.asking import refuse_other_data, resumed
from convlab.training.data.registry import known
from convlab.training.keeping.folders import JOB, folder_of, refuse_at_work
from convlab.training.keeping.job import LATEST, located, read_job, refuse_other_weights
from convlab.training.preparing import is_finished
from convlab.training.recording import KIND
from convlab.training.running.fine_tuning import lasting_weights, origin_of
from convlab.training.walking import refuse_other_walk, resumed_walk

if TYPE_CHECKING:
    from convlab.cli.output import Output
    from convlab.training.data.datasets import Dataset
    from convlab.training.keeping.job import Job


def resumed_request(output: Output, given: Given) -> Request:
    """The job of a folder once more; what is given along has to be what it was begun with. Raises ConvlabError."""
    folder = _begun_in(given)
    job = read_job(folder)
    designs = designs_of(given) if given.designs else ()
    resumed(folder, designs, recipe=recipe_of(given, job.recipe), seeds=_seeds(given))
    refuse_other_weights(job, origin_of(lasting_weights(given.weights) or job.weights or None))
    return _request(output, given, job, folder)


def resumed_walk_request(output: Output, given: Given, *, leave_one_out: bool) -> Request:
    """The walk of a folder once more. Raises ConvlabError where it is none, or another one than was begun."""
    folder = _begun_in(given)
    job = resumed_walk(folder, seeds=_seeds(given), leave_one_out=leave_one_out)
    found = _request(output, given, job, folder)
    refuse_other_walk(job, recipe_of(given, job.recipe), found.data)
    return found


def _request(output: Output, given: Given, job: Job, folder: Path) -> Request:
    threads = number_of(THREADS, given.threads) or job.threads
    data, device = _data(output, given, job), str(device_of(output, given))
    refuse_unwritable(folder)
    refuse_at_work(folder)
    track, weights = tuple(given.track), lasting_weights(given.weights) or job.weights
    return Request(
        job.designs,
        job.recipe,
        data,
        len(job.seeds),
        device,
        folder,
        resume=True,
        finished=is_finished(job, data, folder),
        track=track,
        weights=weights,
        threads=threads,
    )


def _seeds(given: Given) -> int | None:
    return None if given.seeds is None else number_of(SEEDS, given.seeds)


def _data(output: Output, given: Given, job: Job) -> Dataset:
    """The data that the job was begun with. Raises ConvlabError where other ones are named, or they have changed."""
    both = known(given.data or job.data), known(job.data)
    if None not in both and both[0] is not both[1]:  # told before a set is read or drawn, which may take a while
        raise usage(f"the training was begun with {quote(job.data)}, not {quote(str(given.data))}", "leave --data out")
    data = read_set(output, given.data or job.data, image_size=job.recipe.image_size)
    refuse_other_data(job, data)
    return data


def _begun_in(given: Given) -> Path:
    """The folder of a training: itself, that of a run of the store, or of the latest one. Raises ConvlabError."""
    named = str(given.resume)
    folder = expanded(named)
    if (folder / JOB).is_file():
        return folder
    return _of_run(named, given.store) or located(named)


def _of_run(named: str, store: str | None) -> Path | None:
    """Where a run of the store has its checkpoints; None where the store has no such training, or they are gone."""
    from convlab.runs import existing_store

    address = address_of(store)
    if isinstance(address, Path) and not address.exists():
        return None
    try:
        with existing_store(store) as kept:
            # A run that was refused, or whose folder is gone, is not the latest that can be resumed.
            found = kept.runs(kind=KIND) if named == LATEST else (kept.run(named),)
    except ConvlabError:  # the folder may have this name all the same
        return None
    folders = (folder_of(run.settings, run.id) for run in found if run.kind == KIND)
    return next((folder for folder in folders if (folder / JOB).is_file()), None)
