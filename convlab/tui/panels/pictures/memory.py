"""Live memory as standing bars over the order of execution, and the maps that hold it at one moment."""

from __future__ import annotations

from convlab import units
from convlab.costs import Profile
from convlab.tui.drawing.axes import Axis
from convlab.tui.drawing.bars import bar
from convlab.tui.drawing.columns import margin_of, profile
from convlab.tui.drawing.picture import Line, Picture, Size, Span, padded, path_in
from convlab.views.memory_line import FLOAT32, MemoryLine, Moment

MIB = 2.0**20
TALL = 13
"""From so many lines on the peak is told above the bars."""


def memory_picture(costs: Profile, line: MemoryLine, moment: Moment, size: Size) -> Picture:
    """The peak in words, the bars over the order, the parts below them, and who holds what at one moment."""
    peak = line.peak
    start = f"Peak {_size(peak.elements)} in "
    told = ((Span(start + path_in(peak.path, size.width - len(start)), "warning"),),) if size.height >= TALL else ()
    holders = _holders(moment, size.width)
    rows = max(3, min(size.height - len(told) - min(len(holders), max(3, size.height // 3)) - 2, 18))
    high = peak.elements * FLOAT32 / MIB
    axis = Axis("live activations, MiB", text=lambda value: f"{value:g}")
    width = max(4, size.width - margin_of(high, rows, axis))
    values = [elements * FLOAT32 / MIB for elements in line.columns(width)]
    bars = profile(
        values,
        rows,
        axis,
        accented=set(line.columns_of(peak, width)),
        pointed=set(line.columns_of(moment, width)) if moment != peak else (),
    )
    below = (Span(" " * (size.width - width)), Span(_parts(costs, line, width), "muted"))
    lines = (*told, *bars, below, *holders)
    keys = ("",) * (len(lines) - len(holders)) + (moment.path,) + ("",) * (len(holders) - 1)
    return Picture(lines, len(told) + len(bars) + 1, keys)


def _holders(moment: Moment, width: int) -> tuple[Line, ...]:
    """The moment, then a line for each map that is live, the largest first."""
    times = f", {moment.count} times" if moment.count > 1 else ""
    live = f" {_size(moment.elements)}"
    what = path_in(f"{moment.path}: {moment.what}{times}", width - len(live))
    first = (Span(padded(what, width - len(live)), "strong"), Span(live, "warning"))
    held = sorted(moment.held, key=lambda each: -each.elements)
    sizes = [_size(each.elements) for each in held]
    wide = max(map(len, sizes))
    names = max(len(each.what) for each in held)
    name_width = min(names, width - wide - 2 - 4)
    bar_width = width - name_width - wide - 2
    lines = [
        (
            Span(padded(path_in(each.what, name_width), name_width)),
            Span(f" {bar(each.elements / moment.elements, bar_width)}", "series0"),
            Span(f" {text.rjust(wide)}", "strong"),
        )
        for each, text in zip(held, sizes, strict=True)
    ]
    return (first, *lines)


def _parts(costs: Profile, line: MemoryLine, width: int) -> str:
    """Where stem, stages and head begin, as a line below the bars."""
    starts: dict[str, int] = {}
    for moment in line.moments:
        for part in costs.parts:
            if moment.path == part.path or moment.path.startswith(f"{part.path}."):
                name = "head" if part.head else part.path.replace("stages.", "")
                starts.setdefault(name, moment.start * width // line.length)
    signs, free = ["─"] * width, 0
    for name, place in starts.items():
        if place >= free and place + 1 + len(name) <= width:
            signs[place : place + 1 + len(name)] = f"└{name}"
            free = place + len(name) + 2
    return "".join(signs)


def place_of(moment: Moment) -> tuple[str, str, int]:
    """The identity of a moment: a layer may be at work in several."""
    return moment.path, moment.what, moment.start


def _size(elements: int) -> str:
    return units.size(elements * FLOAT32)
