"""The command that measures a device once, so that the speed of any design can be predicted on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convlab.cli.options import ChannelsLast, Device, Dtype, NoStore, StorePlace
from convlab.cli.output import Output, command

if TYPE_CHECKING:
    from pathlib import Path

    from convlab.cli.bench_run import Keeping
    from convlab.measurement.calibration.calibrating import Calibrating
    from convlab.measurement.recording import Recorder
    from convlab.prediction import Calibration

PANEL = "Measure"

Threads = Annotated[
    str | None,
    typer.Option("--threads", metavar="N", help="Threads of the CPU; torch's own number.", rich_help_panel="Run"),
]
Seconds = Annotated[
    str | None, typer.Option("--seconds", metavar="S", help="How long it takes; 90.", rich_help_panel="Run")
]
Show = Annotated[bool, typer.Option("--show", help="List the calibrations there are; measure nothing.")]
Delete = Annotated[bool, typer.Option("--delete", help="Delete calibrations, those of --device and --dtype if given.")]


@command(PANEL, "convlab calibrate --device cpu")
def calibrate(
    output: Output,
    device: Device = None,
    dtype: Dtype = None,
    channels_last: ChannelsLast = None,
    threads: Threads = None,
    seconds: Seconds = None,
    store: StorePlace = None,
    no_store: NoStore = False,
    show: Show = False,
    delete: Delete = False,
) -> None:
    """Measure this device once; profile, build and compare predict speed from then on."""
    if show or delete:
        _refuse_both(show, delete)
        return _list(output) if show else _delete(output, device, dtype, channels_last)
    from convlab.cli.live import begun, watched

    settings = output.settings(device=device, dtype=dtype, channels_last=channels_last)
    work = _work(settings, threads, seconds)
    with _keeping(settings, store, stored=not no_store) as kept:
        begun(output, kept)
        found = watched(output, work)
        if found is None:
            raise KeyboardInterrupt
        from convlab.prediction import put
        from convlab.views.notes import plain_notes
        from convlab.views.predictions import calibration_facts, calibration_notes

        path = put(found)
        _keep(found, kept.recorder)
    notes = [*calibration_notes(found), *kept.notes]
    if output.as_json:
        output.json({**_plain(found, path), "run": kept.plain(), "notes": plain_notes(tuple(notes))})
    else:
        output.facts([*calibration_facts(found), *kept.facts])
        output.text(f"kept in {path}; profile, build and compare predict speed from it")
    output.notes(notes)


def _work(settings: Any, threads: str | None, seconds: str | None) -> Calibrating:
    """The calibration that is asked for, not begun. Raises ConvlabError."""
    from convlab.cli.arguments import THREADS, figure_of, number_of
    from convlab.language.knobs import Knob
    from convlab.measurement.calibration import LEAST_SECONDS, MOST_SECONDS
    from convlab.measurement.calibration import calibrate as measure

    budget = Knob("seconds", "option", "number", 90.0, "how long it takes", low=LEAST_SECONDS, high=MOST_SECONDS)
    return measure(
        device=settings.device,
        dtype=settings.dtype,
        channels_last=settings.channels_last,
        threads=number_of(THREADS, threads),
        budget_s=figure_of(budget, seconds),
    )


@contextmanager
def _keeping(settings: Any, store: str | None, *, stored: bool) -> Iterator[Keeping]:
    """A run of the store, which lasts as long as the calibration. Raises ConvlabError where the store takes none."""
    from convlab.cli.bench_run import Keeping

    if not stored:
        yield Keeping()
        return
    from convlab.measurement.machine.environment import environment
    from convlab.measurement.recording import recording
    from convlab.models.builder import available
    from convlab.runs import open_store

    device = available(settings.device)
    with open_store(store) as opened:
        asked = {"device": str(device), "dtype": settings.dtype, "channels_last": settings.channels_last}
        with recording(
            opened, "calibration", name=str(device), settings=asked, environment=environment(device)
        ) as recorder:
            yield Keeping(recorder, opened.place)


def _keep(found: Calibration, recorder: Recorder | None) -> None:
    """A row of the run for each network that was held out."""
    from convlab.measurement.calibration import calibration_rows

    if recorder is not None:
        for number, row in enumerate(calibration_rows(found)):
            recorder.put(number, row)


def _list(output: Output) -> None:
    from convlab.prediction import calibration_folder, files
    from convlab.views.predictions import calibration_table

    found = files()
    shown = calibration_table(found)
    if output.as_json:
        output.json({"folder": str(calibration_folder()), "calibrations": shown.records()})
    elif found:
        output.table(shown)
        output.text()
        output.text(f"in {calibration_folder()}")
    else:
        output.text(f"There is no calibration in {calibration_folder()}; convlab calibrate makes one.")


def _delete(output: Output, device: str | None, dtype: str | None, channels_last: bool | None) -> None:
    from convlab.errors import ConvlabError, Problem, quote
    from convlab.prediction import files

    chosen = [path for path in files() if _is_meant(path, device, dtype, channels_last)]
    for path in chosen:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            problem = Problem("unreadable-file", f"cannot delete {quote(str(path))}: {error.strerror}")
            raise ConvlabError(problem, exit_code=2) from None
    if output.as_json:
        output.json({"deleted": [str(path) for path in chosen]})
    else:
        output.text(f"{len(chosen)} calibration{'s' * (len(chosen) != 1)} deleted")


def _is_meant(path: Path, device: str | None, dtype: str | None, channels_last: bool | None) -> bool:
    """Whether a file is of what was named; a damaged one is where nothing was named."""
    from convlab.errors import ConvlabError
    from convlab.prediction import read

    if device is None and dtype is None and channels_last is None:
        return True
    try:
        found = read(path)
    except ConvlabError:
        return False
    same_device = device in (None, "auto", found.machine.device, found.machine.device.partition(":")[0])
    return same_device and dtype in (None, found.dtype) and channels_last in (None, found.channels_last)


def _refuse_both(show: bool, delete: bool) -> None:
    from convlab.errors import ConvlabError, Problem

    if show and delete:
        raise ConvlabError(Problem("usage", "--show and --delete are two things", help="one of them"), exit_code=2)


def _plain(found: Calibration, path: Path) -> dict[str, Any]:
    from dataclasses import asdict

    tables = {
        task: {
            "kinds": len(table.laws),
            "layers": sum(law.points for law in table.laws.values()),
            "networks": [asdict(each) for each in table.networks],
            "median_error": table.error if table.networks else None,
        }
        for task, table in found.tables.items()
    }
    return {
        "file": str(path),
        "conditions": found.conditions,
        "made": found.made,
        "seconds": found.seconds,
        "batch": found.batch,
        "ceilings": dict(found.ceilings),
        "tables": tables,
    }
