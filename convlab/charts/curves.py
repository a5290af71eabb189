"""Learning curves: the mean over seeds with its interval, a line a design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from convlab.charts.layout import begun, legend_above, note
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
        whisker = None
        if None not in band.low and len(band.samples) > 1:
            drawn.add_trace(_interval(band, shown.color, name))
        elif None not in band.low:
            whisker = _whisker(band, shown.color, 4 + 3 * index)
        seeds = f"{len(band.seeds)} seeds" if len(band.seeds) > 1 else "1 seed"
        drawn.add_trace(
            go.Scatter(
                x=band.samples,
                y=band.mean,
                mode="lines+markers",
                line={"color": shown.color, "dash": shown.dash, "width": 2},
                marker={"symbol": shown.symbol, "size": 7},
                error_y=whisker,
                name=name,
                legendgroup=name,
                customdata=[_details(band, place, seeds) for place in range(len(band.samples))],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
    drawn.update_xaxes(title={"text": "images seen in training"}, rangemode="tozero")
    drawn.update_yaxes(title={"text": f"{title}, {unit}"})
    drawn.update_layout(showlegend=True)
    legend_above(drawn)
    note(drawn, _told(found), inks)
    return drawn


def _told(found: Sequence[Band]) -> str:
    """What lines and intervals are; of trainings that were looked at once, what points are."""
    counts = sorted({len(band.seeds) for band in found})
    over = " or ".join(map(str, counts)) or "0"
    once = bool(found) and all(len(band.samples) == 1 for band in found)
    drawn = "whiskers" if once else "shaded"
    interval = f"; {drawn}: 95 % interval of the mean (Student's t)" if any(count > 1 for count in counts) else ""
    why = " Each was evaluated once, at its end." if once else ""
    return f"{'Points' if once else 'Lines'}: mean over {over} seed{'s' * (counts != [1])}{interval}.{why}"


def _whisker(band: Band, color: str, width: int) -> dict[str, Any]:
    """The interval of a single place, which has no area; widths differ, since designs share the place."""
    (mean,), (low,), (high,) = band.mean, band.low, band.high
    ends = [0.0 if end is None or mean is None else abs(end - mean) for end in (high, low)]
    return {
        "symmetric": False,
        "array": ends[:1],
        "arrayminus": ends[1:],
        "color": color,
        "thickness": 1.2,
        "width": width,
    }


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
