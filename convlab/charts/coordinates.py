"""Parallel coordinates of a population: a line a member, an axis a knob or a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from convlab.charts.layout import begun, note
from convlab.charts.palette import Theme, label
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.views.axes import Coordinate, coordinates

if TYPE_CHECKING:
    from convlab.spaces.populations import Population

SCALE = ((0.0, "#440154"), (0.25, "#3b528b"), (0.5, "#21908c"), (0.75, "#5dc863"), (1.0, "#fde725"))
"""Viridis: even in lightness, so that it reads without hue."""


def parallel(found: Population, *, color: str = "", theme: str = "light") -> go.Figure:
    """The valid members of a population across the knobs that vary and its metrics; drag along an axis to select.

    ``color`` is the metric that colours the lines, its first by default. Raises ConvlabError for one that it was not costed by.
    """
    color = color or next(iter(found.costs))
    if color not in found.costs:
        help = did_you_mean(color, found.costs) or f"the population has {', '.join(found.costs)}"
        raise ConvlabError(
            Problem("out-of-range", f"the population has no figure {quote(color)}", help=help), exit_code=2
        )
    lines = coordinates(found, color)
    metrics = {axis.name: axis for axis in lines.axes if axis.metric}
    title = f"{len(lines.indices):,} members of {label(found.space.name)}"
    figure, inks = begun(title, theme, width=max(900, 100 * len(lines.axes) + 120), height=520)
    divisor, unit = _scale(metrics[color])
    figure.add_trace(
        go.Parcoords(
            dimensions=[_dimension(axis) for axis in lines.axes],
            line={
                "color": [value / divisor for value in metrics[color].values],
                "colorscale": [list(stop) for stop in SCALE],
                "showscale": True,
                "colorbar": {
                    "title": {"text": f"{metrics[color].title}{unit}", "side": "right"},
                    "thickness": 12,
                    "outlinewidth": 0,
                },
            },
            unselected={"line": {"color": inks.grid, "opacity": 0.3}},
            labelangle=-12,
            labelfont={"size": 12},
            tickfont={"size": 11, "color": inks.ink},
            rangefont={"size": 1, "color": _unseen(inks)},
        )
    )
    figure.update_layout(margin={"t": 130, "l": 70, "r": 40})
    knobs = len(lines.axes) - len(metrics)
    of = (
        f"{knobs} of {lines.knobs} knobs that vary, those that explain most of {metrics[color].title}"
        if knobs < lines.knobs
        else "knobs that vary"
    )
    note(figure, f"A line a design, an axis each of {of}, then the metrics. Drag along an axis to select.", inks)
    return figure


def _unseen(inks: Theme) -> str:
    """The ranges at the ends of an axis repeat its ticks."""
    return inks.paper


def _dimension(axis: Coordinate) -> dict[str, Any]:
    divisor, unit = _scale(axis)
    values = [value / divisor for value in axis.values]
    made: dict[str, Any] = {"label": label(_short(axis.title)) + unit, "values": values}
    if axis.choices:
        made |= {"tickvals": list(range(len(axis.choices))), "ticktext": [label(choice) for choice in axis.choices]}
    elif not axis.metric and len(set(values)) <= 12:
        made["tickvals"] = sorted(set(values))
        made["ticktext"] = [f"{value:g}" for value in made["tickvals"]]
    return made


def _scale(axis: Coordinate) -> tuple[float, str]:
    if not axis.metric:
        return 1.0, ""
    if axis.name.endswith("bytes"):
        return 2**20, ", MiB"
    largest = max(axis.values, default=0.0)
    size, prefix = next(((size, prefix) for size, prefix in ((1e9, ", G"), (1e6, ", M")) if largest >= size), (1.0, ""))
    return size, prefix


def _short(path: str) -> str:
    """A knob's path without the words that every one has."""
    return path.replace("stages.", "").replace("block.", "").replace("*.", "all ")
