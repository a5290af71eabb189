"""What runs, learning curves with their numbers, and throughputs, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convlab.tui.drawing.axes import Axis
from convlab.tui.drawing.bars import bar
from convlab.tui.drawing.curves import Curve, chart, legend_mark
from convlab.tui.drawing.picture import Line, Size, Span, clipped, padded, switches, width_of
from convlab.views.live_learning import FIGURES, Both, Rate, best, last

if TYPE_CHECKING:
    from convlab.progress import Progress
    from convlab.tui.jobs import JobState

EMPTY = "Nothing was trained or measured yet. t trains a proxy of this design, m measures how fast it is."
LEAST_CHART = 6
ROOMY = 50
"""Below so many columns numbers are told in short."""

WIDE = 90
"""From so many columns on losses and accuracies are drawn beside each other."""


def curves_lines(
    jobs: Sequence[JobState], curves: Sequence[Both], measured: Sequence[Rate], size: Size, *, figure: str = "loss"
) -> Iterator[Line]:
    """Progress, then the curves in the room that numbers and bars leave: of both figures where there is room, else of ``figure``."""
    told = [line for job in jobs if job.running or job.error or job.resumable for line in job_lines(job, size.width)]
    legend = [legend_line(at, each, size.width) for at, each in enumerate(curves)]
    bars = list(rate_lines(measured, size.width))
    rows = max(LEAST_CHART, size.height - len(told) - len(legend) - len(bars))
    yield from told
    if curves:
        yield from charts(curves, Size(size.width, rows), figure)
        yield from legend
    yield from bars


def charts(curves: Sequence[Both], size: Size, figure: str) -> Iterator[Line]:
    """A headline, and under it the training losses, the validation accuracies, or both beside each other."""
    known = [name for name in FIGURES if any(each[name].known for each in curves)]
    if size.width >= WIDE and len(known) > 1:
        width = (size.width - 2) // 2
        drawn = [_chart(curves, Size(width, size.height), name) for name in FIGURES]
        for left, right in zip(*drawn, strict=True):
            yield (*left, Span(" " * (size.width - width - width_of(left))), *right)
        return
    name = figure if figure in known or not known else known[0]
    title, *lines = _chart(curves, size, name)
    yield switches(("f", ", ".join(FIGURES[name]), "figure")) if len(known) > 1 else title
    yield from lines


def _chart(curves: Sequence[Both], size: Size, figure: str) -> tuple[Line, ...]:
    name, unit = FIGURES[figure]
    drawn = [
        Curve(tuple(zip(each[figure].samples, each[figure].values, strict=True)), at) for at, each in enumerate(curves)
    ]
    _, *lines = chart(drawn, size, x=Axis("steps", whole=True), y=Axis(""))
    return ((Span(f"{name}, {unit}", "strong"),), *lines)


def job_lines(job: JobState, width: int) -> Iterator[Line]:
    """A job, and under one that failed the last that it said."""
    yield job_line(job, width)
    words = job.tail.strip().splitlines() if job.error else []
    if words:
        yield (Span(clipped(f"  {words[-1].strip()}", width), "muted"),)


def job_line(job: JobState, width: int) -> Line:
    """A job that runs with its bar, rate and time left; one that failed with its message; one that can be resumed."""
    again = "; R resumes it" if job.resumable else ""
    if job.error:
        return (Span(clipped(f"✗ {job.title}: {job.error[0].message}{again}", width), "bad"),)
    if not job.running:
        return (Span(clipped(f"■ {job.title}: {job.status}{again}", width), "warning"),)
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


def legend_line(place: int, curves: Both, width: int) -> Line:
    """The sign of a curve, whose it is, its step, its loss, and its last and best accuracy."""
    loss, accuracy = curves["loss"], curves["accuracy"]
    text = f" {_value(last(loss))} {loss.unit}"
    if accuracy.known:
        text += f", {_value(last(accuracy))} {accuracy.unit}" + f", best {_value(best(accuracy))}" * (width >= ROOMY)
    step = f" at {loss.samples[-1]:,}" if loss.samples and width >= ROOMY else ""
    name = f" {loss.name}, seed {loss.seeds[0]}{step}"
    return (legend_mark(place), Span(padded(name, max(0, width - 1 - len(text)))), Span(text, "strong"))


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
