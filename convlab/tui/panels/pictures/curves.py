"""What runs, learning curves with their numbers, and throughputs, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convlab.tui.drawing.axes import Axis
from convlab.tui.drawing.bars import bar
from convlab.tui.drawing.curves import Curve, chart, legend_mark
from convlab.tui.drawing.picture import Line, Size, Span, clipped, padded, switches
from convlab.views.learning import Series
from convlab.views.live_learning import FIGURES, Rate, best

if TYPE_CHECKING:
    from convlab.progress import Progress
    from convlab.tui.jobs import JobState

EMPTY = "Nothing was trained or measured yet. t trains a proxy of this design, m measures how fast it is."
LEAST_CHART = 6
ROOMY = 50
"""Below so many columns numbers are told in short."""


def curves_lines(
    jobs: Sequence[JobState], series: Sequence[Series], measured: Sequence[Rate], size: Size
) -> Iterator[Line]:
    """Progress, then the curves in the room that numbers and bars leave."""
    running = [job_line(job, size.width) for job in jobs if job.running or job.error]
    legend = list(legend_lines(series, size.width))
    bars = list(rate_lines(measured, size.width))
    yield from running
    if any(value is not None for one in series for value in one.values):
        rows = size.height - len(running) - len(legend) - len(bars) - 1
        name, unit = FIGURES[series[0].figure]
        yield switches(("f", f"{name}, {unit}", "figure"))
        curves = [Curve(tuple(zip(one.samples, one.values, strict=True)), at) for at, one in enumerate(series)]
        drawn = chart(curves, Size(size.width, max(LEAST_CHART, rows + 1)), x=Axis("steps", whole=True), y=Axis(""))
        yield from drawn[1:]
        yield from legend
    yield from bars


def job_line(job: JobState, width: int) -> Line:
    """A job that runs with its bar, rate and time left, or one that failed with its message."""
    if job.error:
        return (Span(clipped(f"✗ {job.title}: {job.error[0].message}", width), "bad"),)
    if job.progress is None:
        return (Span(clipped(f"{job.title}: starting", width), "muted"),)
    progress: Progress = job.progress
    left = (
        f" {_time(progress.remaining_s)} left" if progress.remaining_s is not None else f" {_time(progress.elapsed_s)}"
    )
    wide = max(6, min(24, width // 5))
    drawn = bar(progress.done / progress.total, wide) if progress.total else " " * wide
    rate = next(
        (
            f", {value:,.0f} {name.replace('_', ' ')}"
            for name, value in progress.figures.items()
            if "per_second" in name
        ),
        "",
    )
    count = f" {progress.done}/{progress.total}" if progress.total else f" {progress.done}"
    if width < ROOMY and progress.total:
        count = f" {100 * progress.done // progress.total} %"
    room = max(0, width - wide - len(left) - len(count) - 1)
    return (
        Span(padded(f"{job.title}: {progress.what}{rate}", room)),
        Span(f" {drawn}", "series0"),
        Span(f"{count}{left}", "strong"),
    )


def legend_lines(series: Sequence[Series], width: int) -> Iterator[Line]:
    """A line a curve: its sign, whose it is, the last value and the best."""
    for place, one in enumerate(series):
        last = next((value for value in reversed(one.values) if value is not None), None)
        step = f" at {one.samples[-1]:,}" if one.samples and width >= ROOMY else ""
        text = f" {_value(last)} {one.unit}{step}" + f", best {_value(best(one))}" * (width >= ROOMY)
        name = f" {one.name}, seed {one.seeds[0]}"
        yield (legend_mark(place), Span(padded(name, max(0, width - 1 - len(text)))), Span(text, "strong"))


def rate_lines(measured: Sequence[Rate], width: int) -> Iterator[Line]:
    """A bar a network, all on one scale from zero."""
    fastest = max((one.median for one in measured if one.median is not None), default=0.0)
    names = min(max((len(one.name) for one in measured), default=0), max(8, width // 3))
    conditions = ""
    for one in measured:
        if one.conditions != conditions:
            conditions = one.conditions
            yield (Span(clipped(f"images/s: {conditions}", width), "muted"),)
        name = Span(padded(one.name, names))
        if one.median is None:
            yield (name, Span(f" {clipped(one.failure or 'no figure', width - names - 1)}", "bad"))
            continue
        ends = f" [{one.low:,.0f}, {one.high:,.0f}]" if one.low is not None and one.high is not None else ""
        text = f" {one.median:,.0f}" + ends * (width >= ROOMY)
        wide = max(4, width - names - len(text) - 1)
        yield (name, Span(f" {bar(one.median / fastest, wide)}", "series0"), Span(text, "strong"))


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
