"""The live charts of a design: one figure, of which a slider changes nothing but heights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from convlab.charts.layout import template
from convlab.charts.palette import Theme, faded, label, look, theme_of
from convlab.notebook.readings import POINTS, Array, Reading

PANELS = {
    "macs": "MACs by stage (G)",
    "params": "parameters by stage (M)",
    "memory": "live activations by stage (MiB)",
    "seen": "what a pixel sees over the depth of the network (px)",
    "squares": "",
}
BARS = ("macs", "params", "memory")
WIDTH, HEIGHT = 780, 460
HOVER = "%{x}: %{y:.4g}"
REACH = 0.75
"""The picture of the image shows so much of its side to each direction."""


@final
class Charts:
    """Costs by stage and the receptive field of a design, beside those of its baseline and of pinned designs."""

    def __init__(self, name: str, present: Reading, *, theme: str = "light") -> None:
        self._theme = theme_of(theme)
        self._present = present
        self._baseline: Reading | None = None
        self.figure = go.FigureWidget(_empty(self._theme))
        self.figure.add_trace(_image(self._theme), row=2, col=3)
        self.figure.add_trace(_edge(self._theme), row=2, col=1)
        self._add(_bars(name, present, _now()))
        self._own = {panel: self.figure.data[2 + place] for place, panel in enumerate(PANELS)}
        self._fixed = len(self.figure.data)
        self._settle()

    def show(self, present: Reading) -> None:
        """Show other figures of the design."""
        before, self._present = self._present, present
        with self.figure.batch_update():
            for panel in (*BARS, "seen"):
                self._own[panel].y = getattr(present, panel)
            across, up = _squares(present)
            self._own["squares"].x, self._own["squares"].y = across, up
            if present.places != before.places:
                for panel in BARS:
                    self._own[panel].x = present.places
            if present.places != before.places or present.side != before.side:
                self._settle()
            self._entitle()

    def compare(self, baseline: tuple[str, Reading] | None, pinned: Sequence[tuple[str, Reading]]) -> None:
        """Show other designs to compare with."""
        self.figure.data = self.figure.data[: self._fixed]
        self._baseline = baseline[1] if baseline else None
        if baseline:
            self._add(_bars(*baseline, _then(self._theme)))
        for number, (name, found) in enumerate(pinned, 1):
            self._add(_marks(name, found, number))
        self._settle()

    def _add(self, traces: Iterator[tuple[str, Any]]) -> None:
        for panel, trace in traces:
            place = list(PANELS).index(panel)
            row, column = divmod(place, 3)
            self.figure.add_trace(trace, row=row + 1, col=column + 1 + (panel == "squares"))

    def _settle(self) -> None:
        """What changes with the number of stages and the size of the image: the order of the bars, and the picture's edges."""
        readings = [self._present, *([self._baseline] if self._baseline else [])]
        places = max((each.places for each in readings), key=len)
        side = self._present.side
        update = {
            "categoryorder": "array",
            "categoryarray": list(places),
            "range": [-0.5, len(places) - 0.5],  # of itself plotly leaves out ends that cost next to nothing
        }
        self.figure.update_layout(xaxis=update, xaxis2=update, xaxis3=update)
        square = {"range": [-REACH * side, REACH * side]}
        self.figure.update_layout(xaxis5=square, yaxis5=square)
        self.figure.data[0].x, self.figure.data[0].y = _corners(side)
        self.figure.data[1].y = np.array([side, side])
        self._entitle()

    def _entitle(self) -> None:
        """Say above the picture of the image what it cannot show."""
        text = _beyond(self._present)
        if self.figure.layout.annotations[-1].text != text:
            self.figure.layout.annotations[-1].text = text


def _empty(theme: Theme) -> go.Figure:
    figure = make_subplots(
        rows=2,
        cols=3,
        specs=[[{}, {}, {}], [{"colspan": 2}, None, {}]],
        subplot_titles=[*filter(None, PANELS.values()), "over the image"],
        horizontal_spacing=0.07,
        vertical_spacing=0.16,
    )
    figure.update_layout(
        template=template(theme),
        width=WIDTH,
        height=HEIGHT,
        margin={"l": 46, "r": 12, "t": 60, "b": 36},
        barmode="group",
        bargap=0.25,
        uirevision="convlab",
        legend={"orientation": "h", "x": 0, "y": 1.1, "yanchor": "bottom"},
        hovermode="closest",
    )
    figure.update_annotations(font_size=13)
    figure.update_xaxes(tickfont_size=11)
    figure.update_layout({axis: {"type": "category", "tickangle": 0} for axis in ("xaxis", "xaxis2", "xaxis3")})
    figure.update_yaxes(tickfont_size=11, rangemode="tozero")
    figure.update_xaxes(ticksuffix=" %", row=2, col=1)
    figure.update_layout(
        xaxis5={"visible": False, "constrain": "domain"},
        yaxis5={"visible": False, "scaleanchor": "x5", "rangemode": "normal"},
    )
    return figure


def _now() -> dict[str, Any]:
    color = look(0).color
    return {"bar": {"color": color}, "line": {"color": color, "width": 2.5}}


def _then(theme: Theme) -> dict[str, Any]:
    bar = {"color": faded(theme.soft, 0.25), "line": {"color": theme.soft, "width": 1}, "pattern": {"shape": "/"}}
    return {"bar": bar, "line": {"color": theme.soft, "width": 1.5, "dash": "dash"}}


def _bars(name: str, found: Reading, drawn: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A design as bars and lines; the first carries the name into the legend."""
    name = label(name)
    shared = {"name": name, "legendgroup": name}
    for panel in BARS:
        heights = getattr(found, panel)
        hover = HOVER
        yield (
            panel,
            go.Bar(
                x=found.places,
                y=heights,
                marker=drawn["bar"],
                showlegend=panel == BARS[0],
                hovertemplate=hover,
                **shared,
            ),
        )
    yield "seen", _line(found, drawn["line"], shared)
    across, up = _squares(found)
    line = {**drawn["line"], "width": 1.5}
    hover = "%{text}"
    texts = [text for text in _sizes(found) for _ in range(6)]
    yield (
        "squares",
        go.Scatter(
            x=across, y=up, text=texts, line=line, mode="lines", showlegend=False, hovertemplate=hover, **shared
        ),
    )


def _marks(name: str, found: Reading, number: int) -> Iterator[tuple[str, Any]]:
    """A pinned design as symbols."""
    seen = look(number)
    name = label(name)
    shared = {"name": name, "legendgroup": name}
    marker = {"color": seen.color, "symbol": seen.symbol, "size": 9, "line": {"width": 1, "color": "white"}}
    for panel in BARS:
        yield (
            panel,
            go.Scatter(
                x=found.places,
                y=getattr(found, panel),
                mode="markers",
                marker=marker,
                showlegend=panel == BARS[0],
                hovertemplate=HOVER,
                **shared,
            ),
        )
    yield "seen", _line(found, {"color": seen.color, "width": 1.5, "dash": seen.dash}, shared)


def _line(found: Reading, line: dict[str, Any], shared: dict[str, Any]) -> go.Scatter:
    return go.Scatter(
        x=np.linspace(0, 100, POINTS),
        y=found.seen,
        line=line,
        mode="lines",
        showlegend=False,
        hovertemplate="%{x:.0f} % of the layers: %{y:.0f} px",
        **shared,
    )


def _image(theme: Theme) -> go.Scatter:
    return go.Scatter(
        fill="toself",
        fillcolor=theme.grid,
        line={"width": 0},
        mode="lines",
        showlegend=False,
        hoverinfo="skip",
        name="image",
    )


def _edge(theme: Theme) -> go.Scatter:
    """The side of the image, across the curve."""
    return go.Scatter(
        x=[0, 100],
        text=["", "the image's side "],
        textposition="bottom left",
        textfont={"size": 10, "color": theme.soft},
        line={"color": theme.soft, "width": 1, "dash": "dot"},
        mode="lines+text",
        showlegend=False,
        hoverinfo="skip",
        name="image",
    )


def _corners(side: float) -> tuple[Array, Array]:
    half = side / 2
    return np.array([-half, half, half, -half, -half]), np.array([-half, -half, half, half, -half])


def _squares(found: Reading) -> tuple[Array, Array]:
    """The outlines of the squares, one after the other with gaps between them."""
    sides = np.where(np.isnan(found.squares), found.side, found.squares)
    gap = np.full((len(sides), 1), np.nan)
    ends = [np.hstack([np.outer(sides, corners), gap]).ravel() for corners in _corners(1.0)]
    return ends[0], ends[1]


def _beyond(found: Reading) -> str:
    """The title of the picture of the image: after which stages a pixel sees more than fits into it."""
    stages = [str(stage) for stage, size in enumerate(found.squares) if np.isnan(size) or size > 2 * REACH * found.side]
    return f"over the image; beyond it after {', '.join(stages)}" if stages else "over the image, after each stage"


def _sizes(found: Reading) -> list[str]:
    return [
        f"after stage {stage}: {'the whole map' if np.isnan(size) else f'{size:.0f} px'}"
        for stage, size in enumerate(found.squares)
    ]
