"""A sampled space as a scatter; a click on one of its points tells which member it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np
import plotly.graph_objects as go

from convlab.charts.layout import template
from convlab.charts.palette import OKABE_ITO, faded, label, look, theme_of
from convlab.costs import Profile
from convlab.spaces.populations import Population
from convlab.views.spaces import text_of, title_of

HEIGHT = 340
AXES = ("macs", "params")
"""The costs that it is drawn by."""


@final
class Cloud:
    """Members of a space by multiply-adds and parameters, and the present design among them. ``picked`` is called with a member's index."""

    def __init__(self, population: Population, picked: Callable[[int], None], *, theme: str = "light") -> None:
        self.population = population
        self._picked = picked
        self.across, self.up = AXES
        self.figure = go.FigureWidget(layout=_layout(self.across, self.up, theme))
        self.figure.add_trace(self._points())
        star = {"symbol": "star", "size": 16, "color": look(1).color, "line": {"width": 1, "color": "white"}}
        self.figure.add_trace(go.Scatter(x=[], y=[], mode="markers", marker=star, name="the design"))
        self.figure.data[0].on_click(self._clicked)

    def show(self, profile: Profile) -> None:
        """Put the star where the design is."""
        with self.figure.batch_update():
            self.figure.data[1].x = np.array([float(profile.total(self.across))])
            self.figure.data[1].y = np.array([float(profile.total(self.up))])

    def pick(self, place: int) -> None:
        """What a click on the point of this place does."""
        self._picked(self.population.indices[place])

    def _clicked(self, trace: Any, points: Any, state: Any) -> None:
        if points.point_inds:
            self.pick(points.point_inds[0])

    def _points(self) -> go.Scatter:
        found = self.population
        costs = [found.costs[name].astype(float) for name in (self.across, self.up)]
        texts = [
            label(f"member {index:,}: {text_of(self.across)(across)}, {text_of(self.up)(up)}")
            for index, across, up in zip(found.indices, *costs, strict=True)
        ]
        return go.Scatter(
            x=costs[0],
            y=costs[1],
            text=texts,
            hovertemplate="%{text}<extra>click to load it</extra>",
            mode="markers",
            marker={"size": 7, "color": faded(OKABE_ITO["blue"], 0.55)},
            name=f"{len(found):,} members of {label(found.space.name)}",
        )


def _layout(across: str, up: str, theme: str) -> go.Layout:
    return go.Layout(
        template=template(theme_of(theme)),
        height=HEIGHT,
        margin={"l": 60, "r": 12, "t": 40, "b": 46},
        uirevision="convlab",
        hovermode="closest",
        clickmode="event",
        xaxis={"title": {"text": title_of(across)}, "exponentformat": "SI"},
        yaxis={"title": {"text": title_of(up)}, "exponentformat": "SI"},
    )
