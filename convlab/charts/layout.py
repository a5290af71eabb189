"""What all charts have in common: fonts, margins, axes, the legend and the note below."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from convlab.charts.palette import SERIES, Theme, theme_of
from convlab.layers import Shape
from convlab.views.block_parts import TIMES

FONT = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
SIZE = 13
NOTE = 11
LETTER = 5.7
"""Px that a letter of a note takes on average."""
KEY, LEGEND_LETTER, ROW = 46, 6.4, 30
"""Px that the key of a legend's entry, a letter of it and a row of entries take."""
WIDE = 200
"""Px of a left margin that holds more than the labels of an axis."""


def template(theme: Theme) -> go.layout.Template:
    """The template of a theme: no background but the paper's, light grid, ink for text."""
    axis: dict[str, Any] = {
        "automargin": True,
        "gridcolor": theme.grid,
        "linecolor": theme.soft,
        "tickcolor": theme.soft,
        "ticks": "outside",
        "ticklen": 5,
        "showline": True,
        "zeroline": False,
        "zerolinecolor": theme.grid,
        "title": {"standoff": 10, "font": {"size": SIZE}},
        "tickfont": {"size": 12},
    }
    layout = go.Layout(
        font={"family": FONT, "size": SIZE, "color": theme.ink},
        title={
            "font": {"size": 16},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "pad": {"l": 16},
            "y": 0.985,
            "yanchor": "top",
        },
        paper_bgcolor=theme.paper,
        plot_bgcolor=theme.paper,
        colorway=[*SERIES],
        xaxis=axis,
        yaxis=axis,
        margin={"l": 70, "r": 24, "t": 52, "b": 60},
        hoverlabel={"align": "left", "bgcolor": theme.paper, "bordercolor": theme.soft, "font": {"color": theme.ink}},
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "bgcolor": "rgba(0,0,0,0)",
            "itemsizing": "constant",
        },
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": theme.soft, "activecolor": theme.ink},
        annotationdefaults={"font": {"color": theme.ink, "size": 12}, "arrowcolor": theme.soft},
    )
    return go.layout.Template(layout=layout)


def image_words(image: Shape) -> str:
    """The size of an image."""
    return f"{image.height}{TIMES}{image.width} px"


def begun(title: str, theme: str, *, width: int = 900, height: int = 520) -> tuple[go.Figure, Theme]:
    """An empty figure of a size that fits a page's width, and its theme. Raises ConvlabError for a theme that there is not."""
    found = theme_of(theme)
    figure = go.Figure(layout={"template": template(found), "title": {"text": title}, "width": width, "height": height})
    return figure, found


def blank(title: str, *, theme: str = "light", width: int = 900, height: int = 520) -> go.Figure:
    """An empty figure in the look of all charts, for a chart of one's own. Raises ConvlabError for a theme that there is not."""
    return begun(title, theme, width=width, height=height)[0]


def legend_above(figure: go.Figure) -> None:
    """Room for the legend between title and chart; where it takes several rows the chart becomes so much higher."""
    margin = figure.layout.template.layout.margin
    width = figure.layout.width - margin.l - margin.r
    rows, reach = 1, 0.0
    for trace in figure.data:
        item = KEY + LEGEND_LETTER * len(trace.name or "") if trace.showlegend is not False else 0
        rows, reach = (rows, reach + item) if reach + item <= width else (rows + 1, item)
    more = ROW * (rows - 1)
    figure.update_layout(margin={"t": 76 + more}, height=figure.layout.height + more)


def note(figure: go.Figure, text: str, theme: Theme, *, below: int = 0) -> None:
    """Small letters below the chart: where its figures come from, and what has to be known to read them. Margins are set before.

    ``below``: px that labels of the axis take beyond a line.
    """
    margin = figure.layout.margin
    left, right = (side if side is not None else default for side, default in ((margin.l, 70), (margin.r, 24)))
    reach = left - 16 if left > WIDE else 0  # beside a wide margin of labels it begins with them
    room = int((figure.layout.width - left - right + reach) / LETTER)
    lines = [line for part in text.split("<br>") for line in wrap(part, room)]
    bottom = 64 + 15 * len(lines) + below
    figure.update_layout(margin={"b": bottom})
    figure.add_annotation(
        text="<br>".join(lines),
        xref="paper",
        yref="paper",
        x=0,
        y=0,
        xshift=-reach,
        yshift=-bottom + 8,
        xanchor="left",
        yanchor="bottom",
        align="left",
        showarrow=False,
        font={"size": NOTE, "color": theme.soft},
    )
