"""The live figure of long work: learning curves as they grow, or the rates of what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from convlab.charts.layout import template
from convlab.charts.palette import label, look, theme_of
from convlab.views.live_learning import FIGURES, LivePoint, Rate, live_series

HEIGHT = 320
PANELS = ("accuracy", "loss")


@final
class Curves:
    """Training loss and validation accuracy over steps, a line for each design and seed."""

    def __init__(self, *, theme: str = "light") -> None:
        titles = ["{} ({})".format(*FIGURES[name]) for name in PANELS]
        figure = make_subplots(rows=1, cols=2, subplot_titles=titles, horizontal_spacing=0.08)
        figure.update_layout(
            template=template(theme_of(theme)),
            height=HEIGHT,
            margin={"l": 46, "r": 12, "t": 64, "b": 40},
            uirevision="convlab",
            legend={"orientation": "h", "x": 0, "y": 1.14, "yanchor": "bottom"},
        )
        figure.update_annotations(font_size=13)
        figure.update_xaxes(title_text="steps", rangemode="tozero")
        self.figure = go.FigureWidget(figure)

    def show(self, curves: Mapping[tuple[str, int], Sequence[LivePoint]]) -> None:
        """The curves as far as they have come."""
        for _ in range(len(self.figure.data) // len(PANELS), len(curves)):
            self._begin(list(curves)[len(self.figure.data) // len(PANELS)])
        with self.figure.batch_update():
            for column, name in enumerate(PANELS):
                for number, series in enumerate(live_series(curves, name)):
                    trace = self.figure.data[number * len(PANELS) + column]
                    trace.x = np.array(series.samples)
                    trace.y = np.array([np.nan if value is None else value for value in series.values], dtype=float)

    def show_rates(self, rates: Sequence[Rate]) -> None:
        """Measured rates in the place of curves, each with its interval."""
        known = [rate for rate in rates if rate.median is not None]
        bars = go.Bar(
            x=[label(rate.name) for rate in known],
            y=[rate.median for rate in known],
            error_y={
                "type": "data",
                "array": [(rate.high or 0.0) - (rate.median or 0.0) for rate in known],
                "arrayminus": [(rate.median or 0.0) - (rate.low or 0.0) for rate in known],
            },
            marker_color=[look(number).color for number in range(len(known))],
            showlegend=False,
        )
        single = go.Figure(bars)
        single.update_layout(template=self.figure.layout.template, height=HEIGHT, margin=self.figure.layout.margin)
        single.update_yaxes(title_text="images/s", rangemode="tozero")
        self.figure = go.FigureWidget(single)

    def _begin(self, key: tuple[str, int]) -> None:
        """A design and seed more: its traces, still empty."""
        number = len(self.figure.data) // len(PANELS)
        seen = look(number)
        name = label(f"{key[0]}, seed {key[1]}")
        for column in range(len(PANELS)):
            trace = go.Scatter(
                x=[],
                y=[],
                name=name,
                legendgroup=str(number),
                showlegend=column == 0,
                mode="lines+markers" if column == 0 else "lines",
                line={"color": seen.color, "dash": seen.dash, "width": 2},
                marker={"symbol": seen.symbol, "size": 7},
            )
            self.figure.add_trace(trace, row=1, col=column + 1)
