"""Blocks as diagrams side by side, as the paper's Figure 4: drawn from the layer tree, with kernels, widths and shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from convlab.charts.layout import begun, note
from convlab.charts.palette import OKABE_ITO, Theme, faded, label
from convlab.charts.several import Subject, listed
from convlab.errors import ConvlabError, Problem
from convlab.views.block_diagram import MARK, Diagram, block_diagram
from convlab.views.block_parts import TIMES, Box, Line, Point
from convlab.views.tables import size_text

UNIT = 46
"""Px a unit of a diagram has."""
APART = 1.4
HEAD = 0.12
"""The length of the shaft that belongs to an arrow's head; the line below it goes as far."""
TITLE = 1.15
HEADING = 44
"""Px above the diagrams that the chart's own title takes."""
COLORS = {
    "spatial": "orange",
    "depthwise": "yellow",
    "pointwise": "sky",
    "attention": "purple",
    "norm": "",
    "activation": "green",
    "other": "",
}


class _Sheet(NamedTuple):
    """Parts on the way to a figure, which takes many at once quickly and one after the other slowly."""

    shapes: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    traces: list[go.Scatter]


def blocks(designs: Subject | Sequence[Subject], *, stage: int = 0, theme: str = "light") -> go.Figure:
    """The block that each design repeats in a stage, from 0 on. Raises ConvlabError where a design has no such stage."""
    several = listed(designs)
    for each in several:
        if not 0 <= stage < len(each.design.stages):
            count = len(each.design.stages)
            problem = Problem(
                "out-of-range", f"{each.design.name} has no stage {stage}", help=f"its stages are 0 to {count - 1}"
            )
            raise ConvlabError(problem, exit_code=2)
    found = [block_diagram(each, stage) for each in several]
    width = sum(each.right - each.left for each in found) + APART * (len(found) + 1)
    height = max(each.bottom for each in found) + TITLE + 0.1
    sides = {"width": max(460, round(UNIT * width)), "height": round(UNIT * height) + 48 + HEADING}
    figure, inks = begun(f"The block of stage {stage}", theme, **sides)
    x, sheet = APART, _Sheet([], [], [])
    for diagram in found:
        _draw(sheet, diagram, x - diagram.left, inks)
        x += diagram.right - diagram.left + APART
    figure.add_traces(sheet.traces)
    figure.update_layout(shapes=sheet.shapes, annotations=sheet.texts)
    figure.update_xaxes(visible=False, range=[0, width], constrain="domain", fixedrange=False)
    figure.update_yaxes(visible=False, range=[height - TITLE, -TITLE], scaleanchor="x", constrain="domain")
    figure.update_layout(margin={"l": 8, "r": 8, "t": HEADING, "b": 8}, showlegend=False)
    note(
        figure,
        f"k{TIMES}k, width: a convolution; d: depthwise; 1{TIMES}1: pointwise. Wider boxes put out more channels (log scale).",
        inks,
    )
    figure.update_layout(margin={"b": 48})
    figure.update_annotations({"yshift": -40}, selector={"yref": "paper"})
    return figure


def _draw(sheet: _Sheet, diagram: Diagram, shift: float, inks: Theme) -> None:
    times = f", {diagram.count} in a row" if diagram.count > 1 else ""
    sheet.texts.append(
        {
            "x": shift,
            "y": -TITLE + 0.28,
            "text": f"<b>{label(diagram.title)}</b>",
            "showarrow": False,
            "font": {"size": 15},
        }
    )
    sheet.texts.append(
        {
            "x": shift,
            "y": -TITLE + 0.62,
            "text": f"{label(diagram.path)}{times}",
            "showarrow": False,
            "font": {"size": 10, "color": inks.soft},
        }
    )
    for line in diagram.lines:
        _line(sheet, line, shift, inks)
    for box in diagram.boxes:
        _box(sheet, box, shift, inks)
    for mark in diagram.marks:
        x, y = mark.at.x + shift, mark.at.y
        sheet.shapes.append(
            {
                "type": "circle",
                "x0": x - MARK,
                "x1": x + MARK,
                "y0": y - MARK,
                "y1": y + MARK,
                "line": {"color": inks.ink, "width": 1.2},
                "fillcolor": inks.paper,
            }
        )
        sheet.texts.append({"x": x, "y": y, "text": mark.text, "showarrow": False, "font": {"size": 15}})
    for word in diagram.words:
        sheet.texts.append(
            {
                "x": word.at.x + shift,
                "y": word.at.y,
                "text": word.text,
                "showarrow": False,
                "font": {"size": 11, "color": inks.soft},
                "bgcolor": inks.paper,
            }
        )
    sheet.traces.append(
        go.Scatter(
            x=[box.middle.x + shift for box in diagram.boxes],
            y=[box.middle.y for box in diagram.boxes],
            mode="markers",
            marker={"opacity": 0, "size": 24},
            customdata=[_details(box) for box in diagram.boxes],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


def _box(sheet: _Sheet, box: Box, shift: float, inks: Theme) -> None:
    color = OKABE_ITO.get(COLORS[box.kind], "")
    sheet.shapes.append(
        {
            "type": "rect",
            "x0": box.left + shift,
            "x1": box.right + shift,
            "y0": box.middle.y - box.height / 2,
            "y1": box.middle.y + box.height / 2,
            "line": {"color": color or inks.soft, "width": 1.4},
            "fillcolor": faded(color, 0.42) if color else inks.fill,
        }
    )
    sheet.texts.append(
        {
            "x": box.middle.x + shift,
            "y": box.middle.y,
            "text": "<br>".join(map(label, box.lines)),
            "showarrow": False,
            "font": {"size": 13 if box.kind in ("spatial", "depthwise", "pointwise") else 12},
        }
    )


def _line(sheet: _Sheet, line: Line, shift: float, inks: Theme) -> None:
    points = [Point(point.x + shift, point.y) for point in line.points]
    path = "M " + " L ".join(f"{point.x:.3f},{point.y:.3f}" for point in points)
    sheet.shapes.append({"type": "path", "path": path, "line": {"color": inks.ink, "width": 1.3}, "layer": "below"})
    if line.arrow:
        before, end = points[-2:]
        way = math.dist(before, end) / HEAD
        before = Point(end.x - (end.x - before.x) / way, end.y - (end.y - before.y) / way)
        sheet.texts.append(
            {
                "x": end.x,
                "y": end.y,
                "ax": before.x,
                "ay": before.y,
                "xref": "x",
                "yref": "y",
                "axref": "x",
                "ayref": "y",
                "text": "",
                "showarrow": True,
                "arrowhead": 2,
                "arrowsize": 1,
                "arrowwidth": 1.3,
                "arrowcolor": inks.ink,
            }
        )


def _details(box: Box) -> str:
    return f"<b>{label(box.path)}</b><br>{'<br>'.join(map(label, box.lines))}<br>puts out {size_text(box.output)}"
