"""A benchmark as a table, the lines that say how it was measured, and what speaks against its figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from convlab import units
from convlab.views.foretold import foretold
from convlab.views.notes import Note
from convlab.views.tables import Cell, Column, Table, words

if TYPE_CHECKING:
    from convlab.measurement.benchmarking import Benchmark
    from convlab.measurement.machine.environment import Environment
    from convlab.measurement.rows import Measurement
    from convlab.measurement.running.conditions import Conditions
    from convlab.measurement.running.subjects import Subject
    from convlab.measurement.statistics import Estimate
    from convlab.measurement.surveys import Survey
    from convlab.prediction.predicting import Prediction

NONE = Cell(None, "-")

LAYOUTS = {True: "channels-last maps", False: "contiguous maps"}

SPEED = "median of the ratios of the same rounds, which may differ from the quotient of the medians"

QUIETER = "the intervals hold only while the machine stays as it was; measure again when it is quiet"


def throughput_table(found: Benchmark) -> Table:
    """A row a network: its size, throughput, the time of a step and of its parts, its speed against the baseline, memory."""
    rows = found.rows
    chosen: list[tuple[Column, Callable[[int, Measurement], Cell]]] = [
        (Column("subject", "network", least=16), lambda _, row: words(row.subject.name)),
        (Column("params", "params", right=True, rank=4), lambda _, row: _count(row.params)),
        (Column("macs", "MACs", right=True, rank=4), lambda _, row: _count(row.macs)),
        (Column("images_per_second", "images/s", right=True), lambda _, row: throughput(row)),
        (Column("step_ms", "step ms", right=True), lambda _, row: milliseconds(row.step)),
    ]
    before = foretold(found)
    if any(before):
        column = Column("predicted", "predicted images/s", right=True, rank=3)
        chosen.insert(4, (column, lambda number, _: _predicted(before[number])))
    if len(rows) > 1:
        chosen.append((Column("speed", "speed", right=True), lambda number, _: _speed(found, number)))
    if any(row.peak_bytes is not None for row in rows):
        chosen.append((Column("peak_bytes", "peak memory", right=True, rank=2), lambda _, row: _size(row.peak_bytes)))
    if any(row.joules_per_image is not None for row in rows):
        chosen.append((Column("joules_per_image", "J/image", right=True, rank=3), lambda _, row: _joules(row)))
    if found.conditions.mode != "eager":
        chosen.append((Column("compile_s", "compile s", right=True, rank=1), lambda _, row: _compiled(row)))
    cells = tuple(tuple(cell(number, row) for _, cell in chosen) for number, row in enumerate(rows))
    return Table(tuple(column for column, _ in chosen), cells)


def parts_table(found: Benchmark) -> Table | None:
    """Where a step has several parts: the milliseconds of each, and its share of the step."""
    parts = next((tuple(row.parts) for row in found.rows if len(row.parts) > 1), ())
    if not parts:
        return None
    columns = (
        Column("subject", "network", least=16),
        *(Column(f"{part}_ms", f"{part} ms", right=True) for part in parts),
    )
    rows = tuple((words(row.subject.name), *(_part(row, part) for part in parts)) for row in found.rows)
    return Table(columns, rows)


def throughput(row: Measurement) -> Cell:
    """Images a second, and half of the interval in percent."""
    found = row.images_per_second
    if row.step is None or found is None:
        return NONE
    # Half of the interval of the times: that of their inverse has no upper end where it reaches down to 0.
    if row.step.relative <= 1:
        return Cell(found.median, f"{significant(found.median)} ± {100 * row.step.relative:.1f} %")
    ends = f"({significant(found.low)}-{significant(found.high)})" if math.isfinite(found.high) else "(unstable)"
    return Cell(found.median, f"{significant(found.median)} {ends}")


def milliseconds(found: Estimate | None) -> Cell:
    """A median in milliseconds."""
    return NONE if found is None else Cell(1e3 * found.median, significant(1e3 * found.median))


def times(found: Estimate) -> str:
    """A ratio with its interval: 1.14x (1.12-1.17)."""
    return f"{found.median:.2f}x ({found.low:.2f}-{found.high:.2f})"


def significant(value: float) -> str:
    """A number with four digits, or with all those before its point."""
    return f"{value:#.4g}".rstrip(".") if abs(value) < 1e4 else f"{value:,.0f}"


def condition_words(conditions: Conditions, *, rising: bool = False) -> str:
    """The conditions in a line; ``rising`` batches are not told."""
    graphs = ", CUDA graphs" if conditions.cuda_graphs else ""
    task = "inference" if conditions.task == "inference" else "training with AdamW"
    dtype = conditions.dtype
    if conditions.task == "training" and dtype in ("bfloat16", "float16"):
        dtype = f"autocast to {dtype}"
    batch = "" if rising else f", batch {conditions.batch}"
    return f"{task}, {dtype}, {LAYOUTS[conditions.channels_last]}, {conditions.mode}{graphs}{batch}"


def measured_how(found: Benchmark) -> list[tuple[str, str]]:
    """How the rows were measured: conditions, device, versions, rounds."""
    sizes = _sizes(row.subject for row in found.rows)
    return [
        ("conditions", f"{condition_words(found.conditions)}, images of {sizes} px"),
        ("device", device_words(found.environment, found.conditions)),
        ("versions", versions(found.environment, {row.subject.package for row in found.rows})),
        ("rounds", _rounds(found.rows)),
        *([("speed", SPEED)] if len(found.rows) > 1 else []),
    ]


def device_words(environment: Environment, conditions: Conditions) -> str:
    """The device, and how many threads feed it."""
    threads = f", {conditions.threads} {'thread' if conditions.threads == 1 else 'threads'}"
    return f"{conditions.device}: {environment.device.name}{threads}"


def versions(environment: Environment, packages: set[str]) -> str:
    """torch, and the packages whose networks were measured."""
    software = environment.software
    names = ["torch", *sorted(packages - {"torch", "module"})]
    told = [f"{name} {software.packages[name]}" for name in names if name in software.packages]
    device = environment.device
    gpu = [
        f"{name} {text}"
        for name, text in (("CUDA", device.cuda), ("cuDNN", device.cudnn), ("driver", device.driver))
        if text
    ]
    return ", ".join([*told, *gpu])


def benchmark_notes(found: Benchmark) -> list[Note]:
    """Why rows have no figures, then what disturbed those that have."""
    notes = [failure_note(row) for row in found.rows if row.failure and not found.stopped]
    return [*notes, *(Note("", remark, help) for remark, help in found.remarks), *_disturbed(found.disturbances)]


def failure_note(row: Measurement) -> Note:
    """Why a row has no figures, and the batch that would have some."""
    if row.largest_batch:
        eagerly = "" if row.conditions.mode == "eager" else " in eager mode"
        help = f"the largest batch that fits{eagerly} is {row.largest_batch}: --batch {row.largest_batch}"
    elif row.failure.startswith("out of memory"):
        help = (
            "not even one image fits: a smaller --image or design"
            if row.largest_batch == 0
            else "a smaller --batch or --image"
        )
    else:
        help = "other conditions may do, such as --mode eager, --dtype float32"
    early = "" if row.step is None else f"broke off after {len(row.samples)} rounds: "
    return Note(row.subject.name, f"{row.subject.name}, batch {row.conditions.batch}: {early}{row.failure}", help)


def survey_how(found: Survey[Any], *, rising: bool = False) -> list[tuple[str, str]]:
    """How a survey was measured: conditions, device, versions."""
    subjects = [subject for subject, _ in (*found.found, *found.failures)]
    return [
        (
            "conditions",
            condition_words(found.conditions, rising=rising) + f", images of {_sizes(subjects)} px" * bool(subjects),
        ),
        ("device", device_words(found.environment, found.conditions)),
        ("versions", versions(found.environment, {subject.package for subject in subjects} or {"convlab"})),
    ]


def survey_notes(found: Survey[Any]) -> list[Note]:
    """Why there is nothing of some networks, and what disturbed the others."""
    help = "a smaller --batch or --image, or other conditions"
    notes = [
        Note(subject.name, f"{subject.name}, batch {found.conditions.batch}: {why}", help)
        for subject, why in found.failures
    ]
    return [*notes, *_disturbed(found.disturbances)]


def plain_benchmark(found: Benchmark) -> dict[str, Any]:
    """The benchmark as JSON holds it."""
    rows = []
    for number, (row, before) in enumerate(zip(found.rows, foretold(found), strict=True)):
        speed = found.speed(number)
        predicted = None if before is None else asdict(before) | {"images_per_second": before.images_per_second}
        rows.append(row.plain() | {"speed": None if speed is None else asdict(speed), "predicted": predicted})
    return {
        "conditions": asdict(found.conditions),
        "environment": found.environment.to_json(),
        "remarks": [remark for remark, _ in found.remarks],
        "disturbances": list(found.disturbances),
        "baseline": found.rows[found.baseline].subject.name,
        "stopped": found.stopped,
        "rows": rows,
    }


def _part(row: Measurement, part: str) -> Cell:
    found = row.parts.get(part)
    if found is None:
        return NONE
    share = found.median / sum(each.median for each in row.parts.values())
    return Cell(1e3 * found.median, f"{significant(1e3 * found.median)} {100 * share:4.0f} %")


def _disturbed(told: Sequence[str]) -> list[Note]:
    return [Note("", f"figures may be off: {'; '.join(told)}", QUIETER)] if told else []


def _sizes(subjects: Iterable[Subject]) -> str:
    images = sorted({(subject.image.height, subject.image.width) for subject in subjects})
    return " and ".join(f"{height}x{width}" for height, width in images)


def _speed(found: Benchmark, number: int) -> Cell:
    speed = found.speed(number)
    if speed is None:
        return NONE
    return Cell(speed.median, "baseline" if number == found.baseline else times(speed))


def _predicted(found: Prediction | None) -> Cell:
    if found is None:
        return NONE
    return Cell(found.images_per_second, f"{significant(found.images_per_second)} ± {100 * found.uncertainty:.0f} %")


def _size(number: int | None) -> Cell:
    return NONE if number is None else Cell(number, units.size(number))


def _count(number: int | None) -> Cell:
    return NONE if number is None else Cell(number, units.count(number))


def _joules(row: Measurement) -> Cell:
    joules = row.joules_per_image
    return NONE if joules is None else Cell(joules, significant(joules))


def _compiled(row: Measurement) -> Cell:
    cache = f" ({row.compile_cache})" if row.compile_cache in ("warm", "partly warm") else ""
    return NONE if row.step is None else Cell(row.compile_s, f"{row.compile_s:.1f}{cache}")


def _rounds(rows: Sequence[Measurement]) -> str:
    """How many rounds there were, and what the figures are."""
    counts = list(_counts(rows))
    if not counts:
        return "none"
    rounds = f"{max(counts)} in turn" if len(rows) > 1 else f"{max(counts)}"
    return f"{rounds}; ± is where the medians of 95 % of next runs would lie"


def _counts(rows: Sequence[Measurement]) -> Iterator[int]:
    return (len(row.samples) for row in rows if row.samples)
