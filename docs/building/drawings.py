"""Drawings as inline SVG in the colours of the page: the diagram of a block, and costs by stage."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from convlab.charts.palette import OKABE_ITO
from convlab.costs import Profile
from convlab.views.block_diagram import MARK, Diagram, block_diagram
from convlab.views.block_parts import Box, Line

UNIT = 40
TITLE = 1.1
COLORS = {
    "spatial": OKABE_ITO["orange"],
    "depthwise": OKABE_ITO["yellow"],
    "pointwise": OKABE_ITO["sky"],
    "attention": OKABE_ITO["purple"],
    "activation": OKABE_ITO["green"],
}
APART = 1.2


def blocks(profiles: list[Profile], stage: int, *, titled: bool = False) -> str:
    """The block that a stage of each design repeats, side by side."""
    found = [block_diagram(profile, stage) for profile in profiles]
    width = sum(each.right - each.left for each in found) + APART * (len(found) + 1)
    height = max(each.bottom for each in found) + TITLE + 0.3
    inner, x = [], APART
    for diagram in found:
        inner += _diagram(diagram, x - diagram.left, titled=titled)
        x += diagram.right - diagram.left + APART
    names = ", ".join(each.title for each in found)
    return (
        f'<svg class="drawing" viewBox="0 {-TITLE * UNIT:.0f} {width * UNIT:.0f} {height * UNIT:.0f}" role="img" '
        f'style="max-width:{width * UNIT * (1.25 if titled else 1):.0f}px" aria-label="block of {escape(names)}">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0.6 L8,4 L0,7.4 z" class="tip"/></marker></defs>' + "".join(inner) + "</svg>"
    )


def _diagram(diagram: Diagram, shift: float, *, titled: bool) -> Iterator[str]:
    if titled:
        yield _text(diagram.title, shift, -0.72, "name")
    for line in diagram.lines:
        yield _line(line, shift)
    for box in diagram.boxes:
        yield from _box(box, shift)
    for mark in diagram.marks:
        x, y = (mark.at.x + shift) * UNIT, mark.at.y * UNIT
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{MARK * UNIT:.1f}" class="mark"/>'
        yield _text(mark.text, mark.at.x + shift, mark.at.y, "word")
    for word in diagram.words:
        yield _text(word.text, word.at.x + shift, word.at.y, "soft")


def _box(box: Box, shift: float) -> Iterator[str]:
    color = COLORS.get(box.kind)
    look = f'style="fill:{color};stroke:{color}" ' if color else ""
    x, y = (box.left + shift) * UNIT, (box.middle.y - box.height / 2) * UNIT
    size = f'width="{box.width * UNIT:.1f}" height="{box.height * UNIT:.1f}"'
    yield f'<rect class="box" {look}x="{x:.1f}" y="{y:.1f}" {size} rx="3"><title>{escape(box.path)}</title></rect>'
    first = box.middle.y - 0.2 * (len(box.lines) - 1)
    for number, line in enumerate(box.lines):
        yield _text(line, box.middle.x + shift, first + 0.4 * number, "word")


def _line(line: Line, shift: float) -> str:
    points = " ".join(f"{(point.x + shift) * UNIT:.1f},{point.y * UNIT:.1f}" for point in line.points)
    tip = ' marker-end="url(#tip)"' if line.arrow else ""
    return f'<polyline class="line" points="{points}"{tip}/>'


def _text(words: str, x: float, y: float, look: str) -> str:
    return f'<text class="{look}" x="{x * UNIT:.1f}" y="{y * UNIT:.1f}">{escape(words)}</text>'
