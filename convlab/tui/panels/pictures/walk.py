"""The roadmap as lines, and which step a design is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from convlab import units
from convlab.language.design import Design
from convlab.tui.drawing.bars import bar
from convlab.tui.drawing.picture import Line, Picture, Size, Span, clipped, padded, wrapped
from convlab.views.guided import change_text
from convlab.views.knob_texts import path_text
from convlab.views.roadmap import Step, steps

WIDE = 70
TALL = 14
HERE = "▶"
SOURCE = "top-1: ImageNet-1K, Liu et al., 2022, Table 10"


@cache
def roadmap() -> tuple[Step, ...]:
    """The steps, costed once."""
    return steps()


def step_of(design: Design, walk: Sequence[Step]) -> str:
    """The preset of the step that a design is, "" where it is none."""
    return next((step.preset for step in walk if step.costs.design.key == design.key), "")


def walk_picture(walk: Sequence[Step], here: str, size: Size, pointed: str) -> Picture:
    """A line a step, and at the top what the step under the cursor, or the present one, turned."""
    one = next((step for step in walk if step.preset == (pointed or here)), walk[0])
    turned = "; ".join(f"{path} = {path_text(path, value)}" for path, value in one.changed)
    told = wrapped(
        f"{one.published.order}. {one.published.step}{_change(one, walk)}: {turned or 'the start'}", size.width
    )
    most = 3 if size.height >= TALL else 1 + (size.width < WIDE)
    told = (*told[:most], *((),) * (most - len(told)))
    if size.height >= TALL:
        told = ((Span(clipped(SOURCE, size.width), "muted"),), *told)
    rows = tuple(_line(step, walk, size.width, here=step.preset == here) for step in walk)
    return Picture((*told, *rows), len(told), ("",) * len(told) + tuple(step.preset for step in walk))


def _change(step: Step, walk: Sequence[Step]) -> str:
    """What a step did to the figures of the one that it starts from."""
    base = _base(step, walk)
    return "" if base is None else f" ({change_text(step.costs, base.costs)} against step {step.base})"


def _base(step: Step, walk: Sequence[Step]) -> Step | None:
    return next((each for each in walk if each.published.order == step.base), None)


def _line(step: Step, walk: Sequence[Step], width: int, *, here: bool) -> Line:
    top1 = [each.published.top1 for each in walk]
    base = _base(step, walk)
    gain = "" if base is None else f"{step.published.top1 - base.published.top1:+.2f}"
    macs = units.count(step.costs.macs)
    sign = f"{HERE if here else ' '}{step.published.order:>2} "
    figures = f" {step.published.top1:5.2f} {gain:>5}"
    drawn = (Span(f" {bar(_share(step.published.top1, top1), 12)}", "series0"),) if width >= WIDE else ()
    told = f" {macs:>7}"
    room = width - len(sign) - len(figures) - 13 * len(drawn) - len(told)
    names = max(len(each.published.step) for each in walk) + 2 if width >= WIDE else room
    turned = "; ".join(f"{path} {path_text(path, value)}" for path, value in step.changed)
    role = "accent" if here else "text"
    return (
        Span(sign, role),
        Span(padded(step.published.step, names), role),
        Span(padded(turned, room - names), "muted"),
        *drawn,
        Span(figures, "strong"),
        Span(told, "muted"),
    )


def _share(value: float, values: Sequence[float]) -> float:
    """Between a point below the least and the greatest: bars would not differ from zero on."""
    low = min(values) - 1
    return (value - low) / (max(values) - low)
