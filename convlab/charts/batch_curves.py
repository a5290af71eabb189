"""Throughput against the batch, with intervals and the knee, from which on more images hardly help."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from convlab.charts.layout import begun, legend_above, note
from convlab.charts.palette import Look, Theme, label, look
from convlab.views.batch_lines import BatchLine, Speed, lines_of_measurements, lines_of_rows

if TYPE_CHECKING:
    from convlab.measurement.rows import Measurement
    from convlab.runs.records import Row

ROOM = 1.25
"""By how much the axis goes beyond what is drawn."""
UNBOUNDED = 1e6
"""Times the median: where an interval has no upper end its whisker leaves the chart."""
TICKS = tuple(digit * 10**power for power in range(7) for digit in (1, 2, 5))


def throughput(measured: Mapping[str, Sequence[Measurement]] | Sequence[Row], *, theme: str = "light") -> go.Figure:
    """Images a second against the batch: of measured rows by the network's name, or of the rows of a stored run."""
    found = lines_of_measurements(measured) if isinstance(measured, Mapping) else lines_of_rows(measured)
    return batch_curves(found, theme=theme)


def batch_curves(found: Sequence[BatchLine], *, theme: str = "light") -> go.Figure:
    """Lines of throughputs as curves."""
    figure, inks = begun("Throughput against the batch", theme)
    for index, line in enumerate(found):
        _curve(figure, line, look(index), several=_several(found))
    for index, line in enumerate(found):
        _knee(figure, line, look(index), inks)
    batches = sorted({speed.batch for line in found for speed in line.speeds})
    figure.update_xaxes(
        type="log",
        title={"text": "batch, images (log scale)"},
        tickvals=batches,
        ticktext=[str(batch) for batch in batches],
    )
    low, high = _range(found)
    figure.update_yaxes(
        title={"text": "throughput, images/s (log scale)"},
        type="log",
        tickvals=TICKS,
        range=[*map(math.log10, (low, high))],
    )
    figure.update_layout(showlegend=True)
    legend_above(figure)
    conditions = "<br>".join(dict.fromkeys(label(line.conditions) for line in found if line.conditions))
    note(
        figure,
        f"Medians with 95 % intervals. Ringed: the knee, the smallest batch with 95 % of the best throughput.<br>{conditions}",
        inks,
    )
    return figure


def _range(found: Sequence[BatchLine]) -> tuple[float, float]:
    """From below the lowest end of an interval to above the highest that has one."""
    ends = [end for line in found for speed in line.speeds for end in speed[1:] if 0 < end < math.inf] or [1.0, 10.0]
    return min(ends) / ROOM, max(ends) * ROOM


def _several(found: Sequence[BatchLine]) -> bool:
    return len({line.name for line in found}) < len(found)


def _curve(figure: go.Figure, line: BatchLine, shown: Look, *, several: bool) -> None:
    name = label(f"{line.name} ({line.conditions})" if several else line.name)
    figure.add_trace(
        go.Scatter(
            x=[speed.batch for speed in line.speeds],
            y=[speed.median for speed in line.speeds],
            mode="lines+markers",
            line={"color": shown.color, "dash": shown.dash, "width": 2},
            marker={"symbol": shown.symbol, "size": 8},
            error_y={
                "symmetric": False,
                "array": [min(speed.high, UNBOUNDED * speed.median) - speed.median for speed in line.speeds],
                "arrayminus": [speed.median - speed.low for speed in line.speeds],
                "color": shown.color,
                "thickness": 1.2,
                "width": 4,
            },
            name=name,
            customdata=[
                f"<b>{label(line.name)}</b>, batch {speed.batch}<br>{speed.median:,.4g} images/s ({_ends(speed)})"
                f"<br>{label(line.conditions)}"
                for speed in line.speeds
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


def _ends(speed: Speed) -> str:
    above = f"to {speed.high:,.4g}" if speed.high < math.inf else "up, without an upper end"
    return f"{speed.low:,.4g} {above}"


def _knee(figure: go.Figure, line: BatchLine, shown: Look, inks: Theme) -> None:
    at = next((speed for speed in line.speeds if speed.batch == line.knee), None)
    if at is None:
        return
    last = at == line.speeds[-1]
    figure.add_trace(
        go.Scatter(
            x=[at.batch],
            y=[at.median],
            mode="markers+text",
            marker={"symbol": "circle-open", "size": 20, "color": shown.color, "line": {"width": 2.2}},
            text=[f"knee: {at.batch}" + " or more" * last],
            textposition="top left" if last else "top right",  # beside the whisker
            cliponaxis=False,
            textfont={"size": 11, "color": inks.ink},
            hoverinfo="skip",
            showlegend=False,
        )
    )
