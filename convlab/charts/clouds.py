"""Scatter of a population, or of designs and what they came to, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from convlab.charts.layout import begun, note
from convlab.charts.palette import OKABE_ITO, faded, label
from convlab.charts.placing import placed
from convlab.views.fronts import Axis, Scatter, population_scatter
from convlab.views.spaces import text_of

if TYPE_CHECKING:
    from convlab.spaces.populations import Population

MANY = 5000
"""From so many points on they are drawn by the graphics card."""
ROOM = (740.0, 360.0)
"""Px across and up, from the first point to the last."""
NAMED = 40
"""Up to so many points carry their names."""


def population(found: Population, *, x: str = "macs", y: str = "params", theme: str = "light") -> go.Figure:
    """The valid members of a population by two of its metrics; a point's ``customdata`` is the member's index and what is told of it.

    Raises ConvlabError for a metric that the population was not costed by.
    """
    points = population_scatter(found, x, y)
    figure = scatter(points, theme=theme)
    figure.update_layout(title={"text": f"{len(points.xs):,} members of {label(found.space.name)}"})
    return figure


def scatter(points: Scatter, *, theme: str = "light") -> go.Figure:
    """Points by two figures; those that no other dominates are joined."""
    figure, inks = begun(f"{points.y.title} against {points.x.title}", theme, height=560)
    kind = go.Scattergl if len(points.xs) > MANY else go.Scatter
    told = [[index, _details(points, place)] for place, index in enumerate(points.indices)]
    named = len(points.xs) <= NAMED and points.y.higher
    scales = [_scale(axis, values) for axis, values in ((points.x, points.xs), (points.y, points.ys))]
    figure.add_trace(
        kind(
            x=[value / scales[0][0] for value in points.xs],
            y=[value / scales[1][0] for value in points.ys],
            mode="markers+text" if named else "markers",
            text=[label(name) for name in points.names] if named else None,
            textposition=_places(points) if named else None,
            textfont={"size": 10, "color": inks.soft},
            marker={
                "color": faded(OKABE_ITO["sky"], 0.55 if len(points.xs) < 1000 else 0.3),
                "size": 7 if len(points.xs) < 1000 else 5,
                "line": {"color": OKABE_ITO["blue"], "width": 0.6},
            },
            customdata=told,
            hovertemplate="%{customdata[1]}<extra></extra>",
            name="designs",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[points.xs[place] / scales[0][0] for place in points.front],
            y=[points.ys[place] / scales[1][0] for place in points.front],
            mode="lines+markers",
            line={"color": OKABE_ITO["vermillion"], "width": 1.6, "dash": "dash", "shape": _shape(points)},
            marker={"symbol": "diamond", "size": 9, "color": OKABE_ITO["vermillion"]},
            customdata=[told[place] for place in points.front],
            hovertemplate="%{customdata[1]}<extra></extra>",
            name="Pareto front",
        )
    )
    figure.update_xaxes(title={"text": f"{points.x.title}, {scales[0][1]}"})
    figure.update_yaxes(title={"text": f"{points.y.title}, {scales[1][1]}"})
    figure.update_layout(margin={"t": 76})
    better = " and ".join(f"{'higher' if axis.higher else 'lower'} {axis.title}" for axis in (points.x, points.y))
    note(
        figure,
        f"{len(points.front)} of {len(points.xs):,} are on the front: none is as good in both and better in one (better: {better}).",
        inks,
    )
    return figure


def _places(points: Scatter) -> list[str]:
    """Where names stand, on a chart of about this size: it has room around the points, and the front's stair between them."""
    across, up = ([_share(value, values) for value in values] for values in (points.xs, points.ys))
    spots = [(ROOM[0] * x, ROOM[1] * y) for x, y in zip(across, up, strict=True)]
    front = [spots[place] for place in points.front]
    stair = []
    for start, end in pairwise(front):
        corner = (start[0], end[1]) if points.x.higher else (end[0], start[1])
        stair += [(start, corner), (corner, end)]
    return placed(spots, [label(name) for name in points.names], stair)


def _share(value: float, values: Sequence[float]) -> float:
    """Where a value lies between the least and the most, from 0 to 1."""
    least, most = min(values), max(values)
    return (value - least) / (most - least) if most > least else 0.5


def _shape(points: Scatter) -> str:
    """A front is a stair: up to the next point along x nothing better is known."""
    return "vh" if points.x.higher else "hv"


def _scale(axis: Axis, values: tuple[float, ...]) -> tuple[float, str]:
    """What values are divided by on an axis, and what they are then in."""
    if axis.unit == "bytes":
        return 2**20, "MiB"
    largest = max(values, default=0.0)
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if largest >= 10 * size or (largest >= size and prefix != "k"):
            return size, prefix
    return 1.0, axis.unit


def _details(points: Scatter, place: int) -> str:
    figures = (
        f"{axis.title}: {text_of(axis.name)(value) if axis.unit != '%' else f'{value:.2f} %'}"
        for axis, value in ((points.x, points.xs[place]), (points.y, points.ys[place]))
    )
    return "<br>".join((f"<b>{label(points.names[place])}</b>", *figures))
