"""How the receptive field grows over the depth of a network, against the side of the image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from convlab.charts.layout import begun, legend_above, note
from convlab.charts.palette import Theme, label, look
from convlab.charts.several import Subject, listed
from convlab.views.receptive_field import Growth, Step, growth

TICKS = tuple(2**power for power in range(14))


def receptive_field(designs: Subject | Sequence[Subject], *, theme: str = "light") -> go.Figure:
    """What a pixel sees after each layer that looks beyond its own pixel, over the widest path; global attention is told, not drawn."""
    several = listed(designs)
    found = [(label(each.design.name), growth(each)) for each in several]
    figure, inks = begun("Growth of the receptive field over depth", theme)
    for index, (name, grown) in enumerate(found):
        shown = look(index)
        points = _points(grown)
        figure.add_trace(
            go.Scatter(
                x=[number for number, _, _ in points],
                y=[size for _, size, _ in points],
                mode="lines+markers",
                name=name,
                line={"color": shown.color, "dash": shown.dash, "width": 2},
                marker={"symbol": shown.symbol, "size": 7},
                customdata=[details for *_, details in points],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
    last = max((step.number[1] for _, grown in found for step in grown.steps), default=1)
    for side in dict.fromkeys(grown.side for _, grown in found):
        _image(figure, side, last, inks)
    figure.update_xaxes(title={"text": "layers that see beyond their own pixel, from the image on"}, rangemode="tozero")
    figure.update_yaxes(title={"text": "receptive field, px (log scale)"}, type="log", tickvals=TICKS)
    legend_above(figure)
    note(figure, _told(found), inks)
    return figure


def _points(grown: Growth) -> list[tuple[int, int, str]]:
    """Places along the depth, sizes and what is told of them; repeated steps are their first and their last."""
    found = {}
    for step in grown.steps:
        for number, seen in zip(step.number, (step.first, step.last), strict=True):
            if seen is not None:
                found[number] = (number, seen.size, _details(step, seen.size))
    return [found[number] for number in sorted(found)]


def _details(step: Step, size: int) -> str:
    times = f", {step.count} times" if step.count > 1 else ""
    return f"<b>{label(step.path)}</b>{times}<br>{label(step.label)}<br>sees {size} px"


def _image(figure: go.Figure, side: int, last: int, inks: Theme) -> None:
    """The side of the image as a line across, named below its end."""
    line = {"color": inks.soft, "dash": "dash", "width": 1}
    figure.add_scatter(x=[0, last], y=[side, side], mode="lines", line=line, hoverinfo="skip", showlegend=False)
    figure.add_annotation(
        text=f"side of the image, {side} px",
        x=last,
        y=math.log10(side),  # an annotation on a log axis stands at the exponent
        xanchor="right",
        yanchor="top",
        showarrow=False,
        font={"size": 11, "color": inks.soft},
    )


def _told(found: Sequence[tuple[str, Growth]]) -> str:
    told = []
    for name, grown in found:
        end = "the whole image" if grown.widest is None else f"{grown.widest:,} px"
        gate = "; squeeze-excite mixes in the whole map" if grown.gate else ""
        told.append(f"{name}: {end} at the last map, {grown.narrowest:,} px over its narrowest path{gate}")
    return "<br>".join(told)
