"""Learning curves: the mean over seeds with its interval, a line a design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from convlab.charts.layout import begun, note
from convlab.charts.palette import faded, label, look
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.runs.records import Row
from convlab.views.bands import Band, bands, bands_of_trained, series_of_rows
from convlab.views.learning import FIGURES

if TYPE_CHECKING:
    from convlab.training.keeping.trained import Trained


def learning(
    trained: Sequence[Trained] | Sequence[Row], *, figure: str = "validation_accuracy", theme: str = "light"
) -> go.Figure:
    """Curves of trainings at hand, or of the rows of a stored run, over the images that were seen.

    ``figure`` is "validation_accuracy", "validation_loss" or "training_loss". Raises ConvlabError for another one.
    """
    if figure not in FIGURES:
        help = did_you_mean(figure, FIGURES) or f"there are {', '.join(FIGURES)}"
        raise ConvlabError(Problem("out-of-range", f"curves do not show {quote(figure)}", help=help), exit_code=2)
    rows = [each for each in trained if isinstance(each, Row)]
    others = [each for each in trained if not isinstance(each, Row)]
    return curves(bands(series_of_rows(rows, figure)) if rows else bands_of_trained(others, figure), theme=theme)


def curves(found: Sequence[Band], *, theme: str = "light") -> go.Figure:
    """Bands as curves."""
    title, unit = FIGURES[found[0].figure] if found else ("learning curves", "")
    drawn, inks = begun(title.capitalize(), theme)
    for index, band in enumerate(found):
        shown = look(index)
        name = label(band.name)
        if None not in band.low:
            drawn.add_trace(_interval(band, shown.color, name))
        seeds = f"{len(band.seeds)} seeds" if len(band.seeds) > 1 else "1 seed"
        drawn.add_trace(
            go.Scatter(
                x=band.samples,
                y=band.mean,
                mode="lines+markers",
                line={"color": shown.color, "dash": shown.dash, "width": 2},
                marker={"symbol": shown.symbol, "size": 7},
                name=name,
                legendgroup=name,
                customdata=[_details(band, place, seeds) for place in range(len(band.samples))],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
    drawn.update_xaxes(title={"text": "images seen in training"}, rangemode="tozero")
    drawn.update_yaxes(title={"text": f"{title}, {unit}"})
    drawn.update_layout(margin={"t": 76}, showlegend=True)
    counts = sorted({len(band.seeds) for band in found})
    over = " or ".join(map(str, counts)) or "0"
    interval = "; shaded: 95 % interval of the mean (Student's t)" if any(count > 1 for count in counts) else ""
    note(drawn, f"Lines: mean over {over} seed{'s' * (counts != [1])}{interval}.", inks)
    return drawn


def _interval(band: Band, color: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=[*band.samples, *reversed(band.samples)],
        y=[*band.high, *reversed(band.low)],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=faded(color, 0.18),
        hoverinfo="skip",
        showlegend=False,
        legendgroup=name,
        name=name,
    )


def _details(band: Band, place: int, seeds: str) -> str:
    mean, low, high = band.mean[place], band.low[place], band.high[place]
    value = "not finite" if mean is None else f"{mean:.3f} {band.unit}"
    ends = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return f"<b>{label(band.name)}</b>, {seeds}<br>{band.samples[place]:,} images: {value}{ends}"
