"""The activation memory that is live at inference, over the order of execution, with its peak."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from convlab import units
from convlab.charts.layout import begun, legend_above, note
from convlab.charts.palette import faded, label, look
from convlab.charts.several import Subject, listed
from convlab.views.memory_line import FLOAT32, MemoryLine, Moment, memory_line

MIB = 2**20


def memory(designs: Subject | Sequence[Subject], *, batch: int = 1, theme: str = "light") -> go.Figure:
    """Live activations in MiB, layer after layer, eager, in float32, of a batch; weights come on top."""
    several = listed(designs)
    figure, inks = begun("Activation memory over the order of execution", theme)
    told = []
    for index, each in enumerate(several):
        shown, line = look(index), memory_line(each)
        name, order = label(each.design.name), _in_order(line)
        figure.add_trace(
            go.Scatter(
                x=[place / max(1, line.length - 1) * 100 for place, _ in order]
                if len(several) > 1
                else [place for place, _ in order],
                y=[_mib(moment, batch) for _, moment in order],
                mode="lines",
                line={"color": shown.color, "dash": shown.dash, "width": 1.8, "shape": "hv"},
                fill="tozeroy" if len(several) == 1 else None,
                fillcolor=faded(shown.color, 0.18),
                name=name,
                customdata=[_details(moment, batch) for _, moment in order],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
        peak = line.peak
        at = peak.start / max(1, line.length - 1) * 100 if len(several) > 1 else peak.start
        figure.add_trace(
            go.Scatter(
                x=[at],
                y=[_mib(peak, batch)],
                mode="markers" if len(several) > 1 else "markers+text",
                marker={
                    "symbol": shown.symbol,
                    "size": 10,
                    "color": shown.color,
                    "line": {"color": inks.ink, "width": 1},
                },
                text=[f"  {label(peak.path)}, {units.size(peak.elements * FLOAT32 * batch)}"],
                textposition="top right",
                textfont={"size": 11, "color": inks.ink},
                hoverinfo="skip",
                showlegend=False,
                cliponaxis=False,
            )
        )
        told.append(
            f"{name}: peak {units.size(peak.elements * FLOAT32 * batch)} at {label(peak.path)} ({label(peak.what)})"
        )
    along = "order of execution, % of the layers" if len(several) > 1 else "layers and sums in order of execution"
    figure.update_xaxes(title={"text": along}, showgrid=False)
    figure.update_yaxes(title={"text": f"live activations, MiB (float32, batch {batch})"}, rangemode="tozero")
    figure.update_layout(showlegend=len(several) > 1)
    legend_above(figure)
    note(figure, "<br>".join(told), inks)
    return figure


def _in_order(line: MemoryLine) -> list[tuple[int, Moment]]:
    """Every moment with all its repetitions, in order."""
    found = [(moment.start + index * moment.stride, moment) for moment in line.moments for index in range(moment.count)]
    return sorted(found, key=lambda each: each[0])


def _mib(moment: Moment, batch: int) -> float:
    return moment.elements * FLOAT32 * batch / MIB


def _details(moment: Moment, batch: int) -> str:
    held = sorted(moment.held, key=lambda each: -each.elements)[:5]
    parts = [f"{label(each.what)}: {units.size(each.elements * FLOAT32 * batch)}" for each in held]
    times = f", {moment.count} times" if moment.count > 1 else ""
    total = units.size(moment.elements * FLOAT32 * batch)
    return f"<b>{label(moment.path)}</b>{times}<br>{label(moment.what)}: {total} live<br>" + "<br>".join(parts)
