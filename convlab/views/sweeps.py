"""A batch sweep as a table, and where its knee is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convlab import units
from convlab.views.measurements import milliseconds, throughput
from convlab.views.tables import Cell, Column, Table, bar, words

if TYPE_CHECKING:
    from convlab.measurement.batches import Knee, Sweep
    from convlab.measurement.rows import Measurement
    from convlab.measurement.running.subjects import Subject

COLUMNS = (
    Column("batch", "batch", right=True),
    Column("images_per_second", "images/s", right=True),
    Column("of_best", "of the best"),
    Column("step_ms", "step ms", right=True),
    Column("peak_bytes", "peak memory", right=True, rank=1),
    Column("knee", ""),
)

ONE_BY_ONE = "one network after the other: to compare them, bench without --sweep, which has them take turns"


def sweep_table(found: Sweep) -> Table:
    """A row a batch."""
    best = max((row.images_per_second.median for row in found.rows if row.images_per_second is not None), default=0.0)
    return Table(COLUMNS, tuple(_row(row, best, found.knee) for row in found.rows))


def knee_words(subject: Subject, found: Sweep) -> str:
    """Where the knee is."""
    knee = found.knee
    assert knee is not None
    if not knee.determined:
        bounds = f"anything from {knee.least} {'on' if knee.vague else f'to {knee.most}'} by the intervals"
        return f"{subject.name}: the knee is not determined ({bounds}): measure longer or on a quieter machine"
    between = "" if knee.least == knee.most else f" (from {knee.least} to {knee.most} by the intervals)"
    told = f"{subject.name}: batch {knee.batch}{between} is the smallest with 95 % of the best throughput"
    return f"{told} so far: a larger batch would take longer than --seconds allows" if found.out_of_time else told


def plain_sweep(subject: Subject, found: Sweep) -> dict[str, Any]:
    """A sweep as JSON holds it."""
    knee = found.knee
    return {
        "subject": subject.name,
        "knee": None
        if knee is None
        else {"batch": knee.batch, "least": knee.least, "most": knee.most, "determined": knee.determined},
        "stopped": found.stopped,
        "out_of_time": found.out_of_time,
        "rows": [row.plain() for row in found.rows],
    }


def _row(row: Measurement, best: float, knee: Knee | None) -> tuple[Cell, ...]:
    speed = row.images_per_second
    share = (
        Cell(None, "")
        if speed is None
        else Cell(speed.median / best, f"{bar(speed.median / best)} {100 * speed.median / best:3.0f} %")
    )
    mark = "<- knee" if knee is not None and knee.determined and row.conditions.batch == knee.batch else row.failure
    peak = Cell(None, "-") if row.peak_bytes is None else Cell(row.peak_bytes, units.size(row.peak_bytes))
    return (words(row.conditions.batch), throughput(row), share, milliseconds(row.step), peak, words(mark))
