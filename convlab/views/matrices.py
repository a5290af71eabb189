"""A matrix as a table, a column a network and a row a setting, and the changes of rank in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from convlab.views.measurements import (
    LAYOUTS,
    QUIETER,
    device_words,
    failure_note,
    plain_benchmark,
    throughput,
    versions,
)
from convlab.views.notes import Note
from convlab.views.tables import Cell, Column, Table, words

if TYPE_CHECKING:
    from convlab.measurement.benchmarking import Benchmark
    from convlab.measurement.matrix import Flip, Matrix
    from convlab.measurement.running.conditions import Conditions

GRAPHS = {True: "CUDA graphs", False: "no CUDA graphs"}


def matrix_table(found: Matrix) -> Table:
    """A row a setting; a cell holds images a second with the interval, and the speed against the baseline."""
    if not found.settings:
        return Table((Column("setting", "setting"),), ())
    axes = _varied(found)
    names = [row.subject.name for row in found.settings[0].rows]
    columns = (
        Column("setting", "setting"),
        *(Column(str(place), f"{name}, images/s", right=True) for place, name in enumerate(names)),
    )
    rows = tuple(
        (words(_setting(each.conditions, axes)), *(_cell(each, place) for place in range(len(names))))
        for each in found.settings
    )
    return Table(columns, rows)


def rank_flips(found: Matrix) -> list[str]:
    """Which networks change their order between which settings, a sentence each; or that none does."""
    if len(found.settings) < 2 or len(found.settings[0].rows) < 2:
        return []
    told = [_flip(found, flip) for flip in found.flips]
    told = told or ["No two networks surely change their order between these settings."]
    if found.undecided:
        pairs = "one more pair" if found.undecided == 1 else f"{found.undecided} more pairs"
        told.append(f"The medians of {pairs} change their order, but not surely: more --seconds may decide.")
    return told


def measured_matrix(found: Matrix) -> list[tuple[str, str]]:
    """How it was measured, and what this device cannot do."""
    told: list[tuple[str, str]] = []
    if found.settings:
        first = found.settings[0]
        shared = _setting(first.conditions, [axis for axis in _WORDS if axis not in _varied(found)])
        images = sorted({(row.subject.image.height, row.subject.image.width) for row in first.rows})
        sizes = " and ".join(f"{height}x{width}" for height, width in images)
        told = [
            (
                "all settings",
                ", ".join(
                    filter(
                        None,
                        (first.conditions.task, shared, f"batch {first.conditions.batch}", f"images of {sizes} px"),
                    )
                ),
            ),
            ("device", device_words(first.environment, first.conditions)),
            ("versions", versions(first.environment, {row.subject.package for row in first.rows})),
        ]
    return told + [("left out", f"{_counted(each.settings)}: {each.why}") for each in found.left_out]


def matrix_notes(found: Matrix) -> list[Note]:
    """Cells without figures, then what disturbed which settings."""
    notes = [
        failure_note(row)._replace(message=f"{failure_note(row).message} [{_setting(each.conditions, _WORDS)}]")
        for each in found.settings
        for row in each.rows
        if row.step is None and not each.stopped
    ]
    count = sum(bool(each.disturbances) for each in found.settings)
    if count:
        last = next(each for each in reversed(found.settings) if each.disturbances)
        message = f"figures may be off in {_counted(count)} of {len(found.settings)}, in the last of them: {'; '.join(last.disturbances)}"
        notes.append(Note("", message, QUIETER))
    return notes


def plain_matrix(found: Matrix) -> dict[str, Any]:
    """The matrix as JSON holds it."""
    return {
        "stopped": found.stopped,
        "planned": found.planned,
        "settings": [plain_benchmark(each) for each in found.settings],
        "left_out": [asdict(each) for each in found.left_out],
        "flips": [_plain_flip(found, flip) for flip in found.flips],
    }


def _counted(settings: int) -> str:
    return f"{settings} {'setting' if settings == 1 else 'settings'}"


_WORDS = ("dtype", "mode", "channels_last", "cuda_graphs")


def _setting(conditions: Conditions, axes: Sequence[str]) -> str:
    """A setting by some of its axes."""
    return ", ".join(_axis(conditions, axis) for axis in _WORDS if axis in axes)


def _axis(conditions: Conditions, axis: str) -> str:
    value = getattr(conditions, axis)
    if axis == "channels_last":
        return LAYOUTS[value]
    return GRAPHS[value] if axis == "cuda_graphs" else str(value)


def _varied(found: Matrix) -> list[str]:
    return [axis for axis in _WORDS if len({getattr(each.conditions, axis) for each in found.settings}) > 1]


def _cell(found: Benchmark, place: int) -> Cell:
    cell, speed = throughput(found.rows[place]), found.speed(place)
    compared = "" if speed is None or place == found.baseline else f"  {speed.median:.2f}x"
    return Cell(cell.value, cell.text + compared)


def _flip(found: Matrix, flip: Flip) -> str:
    faster, slower = (found.settings[number] for number in flip.example)
    one, other = (faster.rows[number].subject.name for number in (flip.one, flip.other))
    axes = [axis for axis in _WORDS if getattr(faster.conditions, axis) != getattr(slower.conditions, axis)]
    same = _setting(faster.conditions, [axis for axis in _varied(found) if axis not in axes])
    where = f" ({same})" if same else ""
    return (
        f"{one} is faster than {other} with {_setting(faster.conditions, axes)} ({_times(faster, flip)}), "
        f"slower with {_setting(slower.conditions, axes)} ({_times(slower, flip)}){where}; "
        f"surely faster in {len(flip.faster)} of {_counted(len(found.settings))}, surely slower in {len(flip.slower)}."
    )


def _times(found: Benchmark, flip: Flip) -> str:
    speed = found.speed(flip.one, flip.other)
    assert speed is not None
    return f"{speed.median:.2f}x"


def _plain_flip(found: Matrix, flip: Flip) -> dict[str, Any]:
    names = [row.subject.name for row in found.settings[0].rows]
    return {
        "one": names[flip.one],
        "other": names[flip.other],
        "faster": [asdict(found.settings[number].conditions) for number in flip.faster],
        "slower": [asdict(found.settings[number].conditions) for number in flip.slower],
        "sentence": _flip(found, flip),
    }
