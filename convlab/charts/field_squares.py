"""What the middle pixel of each stage's map sees, drawn over the image."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from convlab.charts.layout import begun, note
from convlab.charts.palette import label, look
from convlab.charts.several import Subject, profiled
from convlab.views.receptive_squares import Square, squares

BEYOND = 0.6
"""How far into the padding is shown at most, in sides of the image."""


def receptive_image(design: Subject, *, picture: Any = None, theme: str = "light") -> go.Figure:
    """A square for the stem and every stage, over the image; beyond its edge they lie in the padding.

    ``picture`` is drawn below them: a PIL image or the address of one, stretched to the design's image size.
    """
    profile = profiled(design)
    found = squares(profile)
    height, width = profile.image.height, profile.image.width
    title = f"Receptive fields of {label(profile.design.name)} over the image"
    figure, inks = begun(title, theme, width=780, height=680)
    if picture is not None:
        figure.add_layout_image(
            source=picture,
            xref="x",
            yref="y",
            x=-0.5,
            y=-0.5,
            sizex=width,
            sizey=height,
            sizing="stretch",
            layer="below",
            opacity=0.85,
        )
    figure.add_shape(
        type="rect",
        x0=-0.5,
        y0=-0.5,
        x1=width - 0.5,
        y1=height - 0.5,
        line={"color": inks.ink, "width": 1.5},
        fillcolor=inks.fill if picture is None else "rgba(0,0,0,0)",
        layer="below",
    )
    reach = max([0.08 * max(height, width), *(_beyond(square, height, width) for square in found)])
    room = min(reach * 1.08, BEYOND * max(height, width))
    for index, square in reversed(list(enumerate(found))):
        figure.add_trace(_square(square, index, room=room, height=height, width=width))
    figure.update_xaxes(range=[-room, width + room], title={"text": "column, px"}, showgrid=False, constrain="domain")
    figure.update_yaxes(
        range=[height + room, -room], title={"text": "row, px"}, showgrid=False, scaleanchor="x", constrain="domain"
    )
    figure.update_layout(
        legend={"orientation": "v", "x": 1.02, "y": 1, "yanchor": "top", "traceorder": "reversed"}, margin={"r": 250}
    )
    note(
        figure,
        "The widest path to the pixel in the middle of each map. Outside the frame lies padding; what is cut off goes on there.",
        inks,
    )
    return figure


def _beyond(square: Square, height: int, width: int) -> float:
    return max(-square.top, -square.left, square.bottom - height, square.right - width)


def _square(square: Square, index: int, *, room: float, height: int, width: int) -> go.Scatter:
    shown = look(index)
    left, right = max(square.left - 0.5, -2 * room), min(square.right + 0.5, width + 2 * room)
    top, bottom = max(square.top - 0.5, -2 * room), min(square.bottom + 0.5, height + 2 * room)
    size = "the whole image" if square.size is None else f"{square.size:,} px"
    details = f"<b>{label(square.path)}</b>: sees {size}<br>{100 * square.share:.1f} % of the image lies in it"
    return go.Scatter(
        x=[left, right, right, left, left],
        y=[top, top, bottom, bottom, top],
        mode="lines",
        fill="toself",
        fillcolor="rgba(0,0,0,0)",
        line={"color": shown.color, "dash": shown.dash, "width": 2.5},
        name=f"{label(square.path)}: {size}" + (", covers it" if square.share == 1 and square.size else ""),
        text=details,
        hoverinfo="text",
        hoveron="points+fills",
    )
