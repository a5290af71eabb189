"""What runs, learning curves with their numbers, and throughputs, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convlab.tui.drawing.axes import Axis
from convlab.tui.drawing.bars import bar
from convlab.tui.drawing.curves import Curve, chart, legend_mark
from convlab.tui.drawing.picture import Line, Size, Span, clipped, clipped_left, padded, switches, width_of, wrapped
from convlab.views.live_learning import FIGURES, LiveCurve, Rate, best, last

if TYPE_CHECKING:
    from convlab.progress import Progress
    from convlab.tui.jobs import JobState

EMPTY = "Nothing was trained or measured yet. t trains a proxy of this design, m measures how fast it is."
LEAST_CHART = 6
LEAST_BAR, MOST_BAR = 6, 24
ROOMY = 50
"""Below so many columns numbers are told in short."""

WIDE = 90
"""From so many columns on losses and accuracies are drawn beside each other, and progress is one line."""

ABOUT = 2
"""What is trained is told in at most so many lines."""


def curves_lines(
    jobs: Sequence[JobState], curves: Sequence[LiveCurve], measured: Sequence[Rate], size: Size, *, figure: str = "loss"
) -> Iterator[Line]:
    """Progress, then the curves in the room that numbers and bars leave: of both figures where there is room, else of ``figure``."""
    told = [line for job in jobs if job.running or job.error or job.resumable for line in job_lines(job, size.width)]
    drawn = figures_drawn(curves, size.width, figure)
    legend = legend_lines(curves, size.width, drawn)
    about = about_lines(jobs, size.width)
    bars = list(rate_lines(measured, size.width))
    room = size.height - len(told) - len(legend) - len(about) - len(bars)
    notes = note_lines(jobs, size.width)
    if room >= LEAST_CHART:  # what notes take from the drawing leaves it a drawing; else they are scrolled to
        room = max(LEAST_CHART, room - len(notes))
    drawing = tuple(charts(curves, Size(size.width, max(LEAST_CHART, room)), drawn)) if curves else ()
    yield from told
    # Where not all can be seen at once, numbers say more than lines.
    yield from (*drawing, *legend) if room >= LEAST_CHART else (*legend, *drawing)
    yield from about
    yield from notes
    yield from bars


def figures_drawn(curves: Sequence[LiveCurve], width: int, figure: str) -> tuple[str, ...]:
    """The figures that are drawn: those of which there is a line in a room for both, else one, ``figure`` where it is among them."""
    lines = _with_lines(curves) or ("loss",)
    if width >= WIDE:
        return lines
    return (figure if figure in lines else lines[0],)


def charts(curves: Sequence[LiveCurve], size: Size, drawn: Sequence[str]) -> Iterator[Line]:
    """A headline, and under it the training losses, the validation accuracies, or both beside each other."""
    if len(drawn) > 1:
        width = (size.width - 2) // 2
        pair = [_chart(curves, Size(width, size.height), name) for name in drawn]
        for left, right in zip(*pair, strict=True):
            yield (*left, Span(" " * (size.width - width - width_of(left))), *right)
        return
    title, *lines = _chart(curves, size, drawn[0])
    yield switches(("f", ", ".join(FIGURES[drawn[0]]), "figure")) if len(_with_lines(curves)) > 1 else title
    yield from lines


def _with_lines(curves: Sequence[LiveCurve]) -> tuple[str, ...]:
    """The figures of which a curve has two values: one alone is told by its number, and needs no axes."""
    return tuple(
        name for name in FIGURES if any(sum(v is not None for v in each.figures[name].values) > 1 for each in curves)
    )


def _chart(curves: Sequence[LiveCurve], size: Size, figure: str) -> tuple[Line, ...]:
    name, unit = FIGURES[figure]
    series = [each.figures[figure] for each in curves]
    drawn = [Curve(tuple(zip(each.samples, each.values, strict=True)), at) for at, each in enumerate(series)]
    _, *lines = chart(drawn, size, x=Axis("steps", whole=True), y=Axis(""))
    return ((Span(f"{name}, {unit}", "strong"),), *lines)


def about_lines(jobs: Sequence[JobState], width: int) -> tuple[Line, ...]:
    """What the trainings that run are of, or the last one that ran."""
    told = [job for job in jobs if job.about]
    shown = [job for job in told if job.running] or told[-1:]
    return tuple(line for job in shown for line in _shortened(job.about, width))


def note_lines(jobs: Sequence[JobState], width: int) -> tuple[Line, ...]:
    """What a reader should know of what runs, or of the last job that ran; a run in full says what helps."""
    shown = [job for job in jobs if job.running] or list(jobs[-1:])
    words = dict.fromkeys(note.message for job in shown for note in job.notes)
    return tuple(line for each in words for line in wrapped(f"note: {each}", width, "muted"))


def _shortened(text: str, width: int) -> tuple[Line, ...]:
    lines = wrapped(text, width, "muted")
    if len(lines) <= ABOUT:
        return lines
    rest = " ".join(span.text for line in lines[ABOUT - 1 :] for span in line)
    return (*lines[: ABOUT - 1], (Span(clipped(rest, width), "muted"),))


def job_lines(job: JobState, width: int) -> Iterator[Line]:
    """A job, and under one that failed the last that it said."""
    yield from job_line(job, width)
    words = job.tail.strip().splitlines() if job.error else []
    if words:
        yield (Span(clipped(f"  {words[-1].strip()}", width), "muted"),)


def job_line(job: JobState, width: int) -> tuple[Line, ...]:
    """A job that runs with its bar, rate and time left; one that failed with its message; one that can be resumed."""
    again = "; R resumes it" if job.resumable else ""
    if job.error:
        return ((Span(clipped(f"✗ {job.title}: {job.error[0].message}{again}", width), "bad"),),)
    if not job.running:
        return ((Span(clipped(f"■ {job.title}: {job.status}{again}", width), "warning"),),)
    if job.progress is None:
        return ((Span(clipped(f"{job.title}: starting", width), "muted"),),)
    words = f"{job.title}: {_what(job, job.progress)}"
    if width < WIDE:
        return ((Span(clipped(words, width)),), _bar(job.progress, width))
    drawn = _bar(job.progress, width // 2)
    return ((Span(padded(words, width - width_of(drawn) - 1)), Span(" "), *drawn),)


def _what(job: JobState, progress: Progress) -> str:
    """What is done now; of a training only whose it is, as its numbers stand elsewhere."""
    name, _, seed = progress.subject.rpartition("#")
    if "step" not in progress.figures or not name:
        return progress.what
    return f"seed {seed}" if {each for each, _ in job.curves} <= {name} else f"{name}, seed {seed}"


def _bar(progress: Progress, width: int) -> Line:
    """The share that is done as a bar, and how far, how fast and how long."""
    done, total = progress.done, progress.total
    count = f"{done:,}" if not total else f"{100 * done // total} %" if width < ROOMY else f"{done:,} of {total:,}"
    if "step" in progress.figures and width >= ROOMY:
        count = f"step {count}"
    rates = (
        f"{value:,.0f} {name.removesuffix('_per_second').replace('_', ' ')}/s"
        for name, value in progress.figures.items()
        if name.endswith("_per_second")
    )
    left = f"{_time(progress.elapsed_s)} so far"
    if progress.remaining_s is not None:
        left = f"{_time(progress.remaining_s)} left"
    parts = [count, *list(rates)[:1], left]
    text = ", ".join(parts)
    if len(text) + LEAST_BAR >= width:
        text = f"{count}, {left}"
    if not total:
        return (Span(clipped(text, width), "strong"),)
    wide = max(LEAST_BAR, min(MOST_BAR, width - len(text) - 1))
    return (Span(bar(done / total, wide), "series0"), Span(f" {text}", "strong"))


def legend_lines(curves: Sequence[LiveCurve], width: int, drawn: Sequence[str]) -> list[Line]:
    """A line a training: its sign, whose it is, and its numbers, those of the figure that is drawn first; as many as all have room for."""
    names = [each.name for each in curves]
    for left_out in range(len(DETAILS) + 1):
        texts = [_numbers(each, drawn, DETAILS[left_out:]) for each in curves]
        if all(len(name) + len(text) + 3 <= width for name, text in zip(names, texts, strict=True)):
            break
    lines: list[Line] = []
    for place, (name, text) in enumerate(zip(names, texts, strict=True) if curves else ()):
        room = max(0, width - 3 - len(text))
        lines.append((legend_mark(place), Span(f" {padded(clipped_left(name, room), room)} "), Span(text, "strong")))
    return lines


DETAILS = ("step", "best", "unit", "test", "other figure")
"""What goes with the figure that is drawn, in the order in which it is left out; with the test accuracy goes the other one's name."""


def _numbers(curve: LiveCurve, drawn: Sequence[str], details: Sequence[str]) -> str:
    """The loss and the accuracies of a training, with such of ``DETAILS``."""
    loss, accuracy = curve.figures["loss"], curve.figures["accuracy"]
    told = {"loss": f"loss {_value(last(loss))}" + f" {loss.unit}" * ("unit" in details)}
    if accuracy.known:
        told["accuracy"] = f"{'accuracy ' * ('test' in details)}{_value(last(accuracy))} {accuracy.unit}"
        if "best" in details and len(accuracy.values) > 1:
            told["accuracy"] += f", best {_value(best(accuracy))}"
    order = sorted(told, key=lambda name: name not in drawn)
    parts = [told[name] for name in order][: None if "other figure" in details else 1]
    if curve.test is not None and "test" in details:
        parts.append(f"test {curve.test:.1f} %")
    step = f"step {loss.samples[-1]:,}: " if "step" in details and loss.samples else ""
    return step + ", ".join(parts)


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
