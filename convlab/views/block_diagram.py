"""A block of a design as a diagram with its shapes, laid out from the layer tree: residual branches, gates and branches side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, final

from convlab.costs import PartCost, Profile
from convlab.layers import Chain, Gate, Layer, LayerScale, Named, Parallel, Repeat, Residual, Shape, Split
from convlab.layers.layer import Copies, Row
from convlab.views.block_parts import TIMES, Box, Line, Mark, Pen, Point, Word, kind_of, lines_of, size_words

GAP = 0.34
BESIDE = 0.45
MARK = 0.2
"""The radius of a mark."""
SMALL = 1.5
"""The width of a box that is no convolution, linear layer or attention."""


@final
@dataclass(frozen=True, slots=True)
class Diagram:
    """The parts of a block's diagram, and the frame that they lie in; the input comes in at x = 0, y = 0."""

    title: str
    path: str
    count: int
    """How often the block is there, one after the other."""
    input: Shape
    output: Shape
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    words: tuple[Word, ...]
    left: float
    right: float
    bottom: float


class _Spot(NamedTuple):
    """Where drawing stands: the layer path, the place that the flow has come to, and the map that flows."""

    path: str
    at: Point
    flow: Shape

    def within(self, name: str) -> _Spot:
        return self._replace(path=f"{self.path}.{name}" if self.path else name)

    def reached(self, at: Point, flow: Shape) -> _Spot:
        return self._replace(at=at, flow=flow)


def block_diagram(profile: Profile, stage: int = 0) -> Diagram:
    """The diagram of the block that a stage repeats: its first that keeps the shape and has no projection, else its first.

    Raises IndexError where there is no such stage.
    """
    found = list(_blocks(profile, stage))
    path, block, x, count = next((each for each in found if _keeps(each[1], each[2])), found[0])
    pen = Pen()
    pen.words.append(Word(size_words(x), Point(0.0, -0.22)))
    end = _draw(block, _Spot(path, Point(0.0, 0.0), x), pen)
    bottom = end.at.y + GAP
    pen.line(end.at, Point(end.at.x, bottom))
    pen.words.append(Word(size_words(end.flow), Point(0.0, bottom + 0.22)))
    parts = (tuple(pen.boxes), tuple(pen.lines), tuple(pen.marks), tuple(pen.words))
    return Diagram(profile.design.name, path, count, x, end.flow, *parts, pen.left(), pen.right(), bottom + 0.4)


def _blocks(profile: Profile, stage: int) -> Iterator[tuple[str, Layer, Shape, int]]:
    """The blocks of a stage: path, tree, what comes in and how often."""
    _, *body = (part for part in profile.parts if not part.head)
    stages = [part for part in body if not part.path.startswith("downsample")]
    if not 0 <= stage < len(stages):
        raise IndexError(f"{profile.design.name} has {len(stages)} stages, from 0")
    part: PartCost = stages[stage]
    tree, path, x = part.part.tree, part.path, part.input
    assert isinstance(tree, Chain)
    for name, child in tree.children:
        if name == "blocks" and isinstance(child, Chain):
            yield from _turns(child.children, f"{path}.blocks", x)
        elif name != "downsample":
            yield from _turns(((name, child),), path, x)
        x = child.output(x)


def _turns(children: tuple[Named, ...], folder: str, x: Shape) -> Iterator[tuple[str, Layer, Shape, int]]:
    for name, child in children:
        if isinstance(child, Repeat):
            yield from ((f"{folder}.{int(name) + int(turn)}", block, x, child.count) for turn, block in child.turns())
        else:
            yield f"{folder}.{name}", child, x, 1
        x = child.output(x)


def _keeps(block: Layer, x: Shape) -> bool:
    return block.output(x) == x and not (isinstance(block, Residual) and block.shortcut is not None)


def _draw(tree: Layer, spot: _Spot, pen: Pen) -> _Spot:
    """Draw a tree below a spot; where the flow then is."""
    match tree:
        case Chain():
            for name, child in tree.children:
                spot = _draw(child, spot.within(name), pen)._replace(path=spot.path)
            return spot
        case Repeat():
            return _draw(tree.block, spot, pen)
        case Residual():
            return _residual(tree, spot, pen)
        case Gate():
            return _gate(tree, spot, pen)
        case Parallel() | Split():
            return _side_by_side(tree, spot, pen)
        case _:
            return _leaf(tree, spot, pen)


def _leaf(layer: Layer, spot: _Spot, pen: Pen) -> _Spot:
    lines, output = lines_of(layer, spot.flow), layer.output(spot.flow)
    height = (0.62 if layer.multiplies else 0.46) + 0.4 * (len(lines) - 1)
    widest = 0.17 * max(map(len, lines)) + 0.5
    width = max(_width(output.channels), widest) if layer.multiplies else max(SMALL, widest)
    top = Point(spot.at.x, spot.at.y + GAP)
    pen.line(spot.at, top)
    middle = Point(top.x, top.y + height / 2)
    pen.boxes.append(Box(spot.path, lines, kind_of(layer), middle, width, height, output))
    return spot.reached(Point(top.x, top.y + height), output)


def _width(channels: int) -> float:
    return 2.0 + 0.45 * math.log2(max(channels, 16) / 16)


def _residual(tree: Residual, spot: _Spot, pen: Pen) -> _Spot:
    fork, first = _forked(spot, pen), len(pen.boxes)
    end = _draw(tree.branch, fork, pen)
    if isinstance(tree.scale, LayerScale):
        end = _leaf(tree.scale, end.within("gamma"), pen)
    beside = max([fork.at.x, *(box.right for box in pen.boxes[first:])]) + BESIDE
    meeting = Point(fork.at.x, max(end.at.y + GAP, fork.at.y + GAP) + MARK)
    if tree.shortcut is None:
        corner = Point(beside, fork.at.y)
        pen.line(fork.at, corner, Point(beside, meeting.y), Point(meeting.x + MARK, meeting.y))
    else:
        meeting = _projection(tree.shortcut, fork, meeting, beside=beside, pen=pen)
    _meet("+", end.at, meeting, pen)
    after = spot.reached(Point(meeting.x, meeting.y + MARK), end.flow)
    return after if tree.after is None else _draw(tree.after, after, pen)._replace(path=spot.path)


def _projection(shortcut: Chain, fork: _Spot, meeting: Point, *, beside: float, pen: Pen) -> Point:
    """Draw the layers of a shortcut right of the branch; where both meet, which may be further down than the branch needs."""
    scratch = Pen()
    _draw(shortcut, fork.within("shortcut"), scratch)
    half = max(box.width for box in scratch.boxes) / 2
    column = Point(beside + half, fork.at.y)
    pen.line(fork.at, column, arrow=False)
    end = _draw(shortcut, fork.within("shortcut").reached(column, fork.flow), pen)
    meeting = Point(meeting.x, max(meeting.y, end.at.y + GAP))
    pen.line(end.at, Point(column.x, meeting.y), Point(meeting.x + MARK, meeting.y))
    return meeting


def _gate(tree: Gate, spot: _Spot, pen: Pen) -> _Spot:
    """A gate's branch is one box on the left, a line a layer."""
    fork = _forked(spot, pen)
    rows: list[Row] = []
    tree.branch.trace(fork.path, fork.flow, Copies(), rows)
    lines = tuple(", ".join(lines_of(row.layer, row.input)).replace("GlobalAveragePool", "global pool") for row in rows)
    height = 0.62 + 0.4 * (len(lines) - 1)
    width = 0.17 * max(map(len, lines)) + 0.5
    middle = Point(fork.at.x - BESIDE - width / 2, fork.at.y + GAP + height / 2)
    meeting = Point(fork.at.x, middle.y + height / 2 + GAP)
    pen.line(fork.at, Point(middle.x, fork.at.y), Point(middle.x, middle.y - height / 2))
    pen.boxes.append(Box(fork.path, lines, "other", middle, width, height, fork.flow))
    pen.line(Point(middle.x, middle.y + height / 2), Point(middle.x, meeting.y), Point(meeting.x - MARK, meeting.y))
    _meet(TIMES, fork.at, meeting, pen)
    return spot.reached(Point(meeting.x, meeting.y + MARK), fork.flow)


def _side_by_side(tree: Parallel | Split, spot: _Spot, pen: Pen) -> _Spot:
    fork = _forked(spot, pen)
    seen = fork.flow if isinstance(tree, Parallel) else tree.share(fork.flow)
    spans = [_span(child, fork._replace(flow=seen)) for _, child in tree.children]
    whole = sum(right - left for left, right in spans) + BESIDE * (len(spans) - 1)
    x, ends = fork.at.x - whole / 2, []
    for (name, child), (left, right) in zip(tree.children, spans, strict=True):
        column = Point(x - left, fork.at.y)
        pen.line(fork.at, column, arrow=False)
        ends.append(_draw(child, fork.within(name).reached(column, seen), pen).at)
        x += right - left + BESIDE
    meeting = Point(fork.at.x, max(end.y for end in ends) + 2 * GAP)
    for end in ends:
        if abs(end.x - meeting.x) < MARK:
            pen.line(end, Point(end.x, meeting.y - MARK))
        else:
            side = math.copysign(MARK, end.x - meeting.x)
            pen.line(end, Point(end.x, meeting.y), Point(meeting.x + side, meeting.y))
    pen.marks.append(Mark("+" if isinstance(tree, Parallel) else "‖", meeting))
    return spot.reached(Point(meeting.x, meeting.y + MARK), tree.output(fork.flow))


def _span(tree: Layer, spot: _Spot) -> tuple[float, float]:
    """How far a tree reaches left and right of its flow."""
    scratch = Pen()
    _draw(tree, spot.reached(Point(0.0, 0.0), spot.flow), scratch)
    return scratch.left(), scratch.right()


def _forked(spot: _Spot, pen: Pen) -> _Spot:
    below = Point(spot.at.x, spot.at.y + GAP)
    pen.line(spot.at, below, arrow=False)
    return spot.reached(below, spot.flow)


def _meet(text: str, end: Point, meeting: Point, pen: Pen) -> None:
    pen.line(end, Point(meeting.x, meeting.y - MARK))
    pen.marks.append(Mark(text, meeting))
