"""Waterfalls: how accuracy or a cost goes from one design to another, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from convlab.charts.cost_bars import scale_of
from convlab.charts.layout import begun, image_words, note
from convlab.charts.palette import OKABE_ITO, Theme, faded, label
from convlab.costs import Profile
from convlab.views.waterfalls import Waterfall, design_waterfall, stage_waterfall, walk_waterfall

MINUS = "\N{MINUS SIGN}"


def waterfall(profiles: Sequence[Profile] = (), *, measure: str = "macs", theme: str = "light") -> go.Figure:
    """Without designs the published accuracy along the walk; of two a cost stage by stage; of more from each to the next.

    ``measure`` is "macs", "params", "activations" or "saved_bytes". Raises ConvlabError for another one.
    """
    if not profiles:
        figure, inks = _falls(walk_waterfall(), 1.0, "%", theme=theme)
        note(
            figure,
            "Published: Liu et al., 2022, Table 10. Steps that were tried and not adopted are left out.",
            inks,
            below=28,
        )
        return figure
    divisor, unit = scale_of(measure)
    found = (
        stage_waterfall(profiles[0], profiles[1], measure)
        if len(profiles) == 2
        else design_waterfall(profiles, measure)
    )
    figure, inks = _falls(found, divisor, unit, theme=theme, before="to " * (len(profiles) > 2))
    by = "stage by stage" if len(profiles) == 2 else "each design against the one before"
    note(figure, f"For one image of {image_words(profiles[0].image)}; {by}.", inks)
    return figure


def _falls(found: Waterfall, divisor: float, unit: str, *, theme: str, before: str = "") -> tuple[go.Figure, Theme]:
    """The chart, and its theme; ``before`` stands before the name of a change."""
    title = f"{found.title}: from {label(found.first)} to {label(found.last)}"
    figure, inks = begun(title, theme, width=1080, height=560)
    names = [label(name) for name in (found.first, *(before + change.name for change in found.changes), found.last)]
    differences = [change.difference / divisor for change in found.changes]
    reached = [change.reached / divisor for change in found.changes]
    start, end = found.start / divisor, found.end / divisor
    low, high = _range([start, *reached, end])
    bases = [
        low,
        *(max(low, after - max(change, 0.0)) for after, change in zip(reached, differences, strict=True)),
        low,
    ]
    heights = [start - low, *map(abs, differences), end - low]
    changed = [OKABE_ITO["blue"] if change >= 0 else OKABE_ITO["orange"] for change in differences]
    colors = [inks.soft, *changed, inks.soft]
    fills = [faded(color, 0.75) for color in colors]
    signed = [f"{start:.4g}", *(f"{change:+.3g}".replace("-", MINUS) for change in differences), f"{end:.4g}"]
    figure.add_trace(
        go.Bar(
            x=list(range(len(names))),
            y=heights,
            base=bases,
            marker={
                "color": fills,
                "line": {"color": colors, "width": 1.2},
                "pattern": {
                    "shape": ["", *("/" if change < 0 else "" for change in differences), ""],
                    "size": 6,
                    "fgcolor": faded(inks.paper, 0.5),
                    "bgcolor": fills,  # without "overlay", for which plotly.js takes all colours as one and warns of it
                },
            },
            text=signed,
            textposition="outside",
            textfont={"size": 12},
            cliponaxis=False,
            customdata=[
                f"<b>{name}</b><br>{sign} {unit}<br>then {after:.4g} {unit}"
                for name, sign, after in zip(names, signed, [start, *reached, end], strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
    )
    for place, level in enumerate([start, *reached]):
        figure.add_shape(
            type="line", x0=place + 0.4, x1=place + 0.6, y0=level, y1=level, line={"color": inks.soft, "width": 1}
        )
    figure.update_xaxes(
        tickvals=list(range(len(names))),
        ticktext=[name.replace(" ", "<br>") for name in names],
        tickangle=0,
        tickfont={"size": 11},
        showgrid=False,
    )
    cut = f" (axis from {low:g})" if low else ""
    figure.update_yaxes(title={"text": f"{found.title}, {unit}{cut}"}, range=[low, high])
    figure.update_layout(bargap=0.2)
    return figure, inks


def _range(levels: Sequence[float]) -> tuple[float, float]:
    """From 0, or from near the lowest level where all lie far from 0, as accuracies do."""
    lowest, highest = min(levels), max(levels)
    room = (highest - lowest) or abs(highest) or 1.0
    if lowest > 3 * room:
        step = 10.0 ** len(str(int(room))) / 20
        return (lowest - 0.3 * room) // step * step, highest + 0.15 * room
    return min(0.0, lowest), highest + 0.12 * max(highest, room)
