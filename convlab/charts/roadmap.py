"""The paper's Figure 2: the walk from ResNet-50 to ConvNeXt-T, accuracy as bars beside multiply-adds, own proxies beside both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from convlab.charts.layout import begun, note
from convlab.charts.palette import OKABE_ITO, Theme, label
from convlab.views.walk_figure import Proxy, WalkBar, proxies_of_rows, proxies_of_walk, walk_bars

if TYPE_CHECKING:
    from convlab.runs.records import Row
    from convlab.training.walks import Walk

GROUPS = {
    "baseline (training recipe)": ("training recipe", "soft"),
    "macro design": ("macro design", "sky"),
    "ResNeXt-ify": ("ResNeXt-ify", "purple"),
    "inverted bottleneck": ("inverted<br>bottleneck", "green"),
    "large kernel": ("large kernel", "orange"),
    "micro design": ("micro design", "blue"),
    "reference": ("reference", "soft"),
}
"""What a group is called beside its bars, and its colour."""

START = 77.5
"""Where the bars begin, in percent: the published accuracies lie within five points."""


def walk(trained: Walk | Sequence[Row] | None = None, *, theme: str = "light") -> go.Figure:
    """The walk as published; with a walk that was trained, or the rows of a stored one, its proxies with their intervals as well.

    Bars begin at 77.5 %, as the axis says; those of steps that later ones do not build on are hatched.
    """
    bars = [bar for bar in walk_bars(_proxies(trained)) if bar.in_figure]
    own = any(bar.proxy is not None for bar in bars)
    figure, inks = begun("From ResNet-50 to ConvNeXt-T", theme, width=1120 if own else 900, height=680)
    figure.add_trace(_accuracies(bars, inks))
    figure.add_trace(_macs(bars))
    figure.add_trace(_printed(bars, inks))
    if own:
        figure.add_trace(_own(bars, inks))
    domains = ((0.0, 0.44), (0.49, 0.71), (0.77, 1.0)) if own else ((0.0, 0.6), (0.68, 1.0))
    _axes(figure, bars, domains)
    _groups(figure, bars, inks)
    figure.update_layout(
        margin={"l": 300, "t": 72, "r": 36}, bargap=0.28, legend={"y": 1.01, "x": 1, "xanchor": "right"}
    )
    note(figure, _told(bars, own=own), inks)
    return figure


def _proxies(trained: Walk | Sequence[Row] | None) -> dict[str, Proxy] | None:
    if trained is None:
        return None
    return proxies_of_rows(trained) if isinstance(trained, Sequence) else proxies_of_walk(trained)


def _accuracies(bars: Sequence[WalkBar], inks: Theme) -> go.Bar:
    colors = [_color(bar, inks) for bar in bars]
    return go.Bar(
        orientation="h",
        y=[bar.order for bar in bars],
        x=[bar.top1 - START for bar in bars],
        base=START,
        marker={
            "color": [inks.paper if not bar.adopted else color for bar, color in zip(bars, colors, strict=True)],
            "line": {"color": colors, "width": 1.2},
            "pattern": {
                "shape": ["/" if not bar.adopted else "" for bar in bars],
                "fgcolor": colors,
                "fillmode": "overlay",
                "size": 7,
            },
        },
        error_x={"array": [bar.top1_std or 0 for bar in bars], "color": inks.ink, "thickness": 1.2, "width": 3},
        customdata=[_details(bar) for bar in bars],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
        name="top-1",
    )


def _macs(bars: Sequence[WalkBar]) -> go.Scatter:
    return go.Scatter(
        y=[bar.order for bar in bars],
        x=[bar.gmacs for bar in bars],
        xaxis="x2",
        mode="lines+markers",
        line={"color": OKABE_ITO["vermillion"], "width": 1.2, "dash": "dot"},
        marker={"symbol": "diamond", "size": 9, "color": OKABE_ITO["vermillion"]},
        customdata=[_details(bar) for bar in bars],
        hovertemplate="%{customdata}<extra></extra>",
        name="multiply-adds, as counted",
    )


def _printed(bars: Sequence[WalkBar], inks: Theme) -> go.Scatter:
    """What the paper prints where the network has another figure."""
    shown = [bar for bar in bars if not bar.agrees]
    return go.Scatter(
        y=[bar.order for bar in shown],
        x=[bar.printed_gmacs for bar in shown],
        xaxis="x2",
        mode="markers",
        marker={"symbol": "diamond-open", "size": 10, "color": inks.ink},
        customdata=[_details(bar) for bar in shown],
        hovertemplate="%{customdata}<extra></extra>",
        name="as printed, where that differs",
    )


def _own(bars: Sequence[WalkBar], inks: Theme) -> go.Scatter:
    found = [(bar, bar.proxy) for bar in bars if bar.proxy is not None]
    halves = [0.0 if own.high is None else own.high - own.accuracy for _, own in found]
    judged = ["circle-open" if own.judged is False else "circle" for _, own in found]
    return go.Scatter(
        y=[bar.order for bar, _ in found],
        x=[own.accuracy for _, own in found],
        xaxis="x3",
        mode="markers",
        marker={
            "symbol": judged,
            "size": 9,
            "color": OKABE_ITO["green"],
            "line": {"width": 1.4, "color": OKABE_ITO["green"]},
        },
        error_x={"array": halves, "color": inks.ink, "thickness": 1.2, "width": 3},
        customdata=[_details(bar) for bar, _ in found],
        hovertemplate="%{customdata}<extra></extra>",
        name="own proxy",
        showlegend=False,
    )


def _axes(figure: go.Figure, bars: Sequence[WalkBar], domains: Sequence[tuple[float, float]]) -> None:
    macs = [figure_of for bar in bars for figure_of in (bar.gmacs, bar.printed_gmacs)]
    room = 0.12 * (max(macs) - min(macs))
    figure.update_yaxes(
        autorange="reversed",
        tickvals=[bar.order for bar in bars],
        ticktext=[_step(bar) for bar in bars],
        showgrid=False,
        ticks="outside",
        ticklen=6,
        tickcolor="rgba(0,0,0,0)",
        showline=False,
    )
    top = max(bar.top1 for bar in bars)
    figure.update_layout(
        xaxis={
            "domain": domains[0],
            "range": [START, top + 0.6],
            "title": {"text": "ImageNet-1K top-1 accuracy, % (axis from 77.5)"},
        },
        xaxis2={
            "domain": domains[1],
            "range": [min(macs) - room, max(macs) + 3.6 * room],
            "anchor": "y",
            "title": {"text": "multiply-adds, G"},
        },
    )
    if len(domains) > 2:
        figure.update_layout(
            xaxis3={"domain": domains[2], "anchor": "y", "title": {"text": "own proxy: validation accuracy, %"}}
        )
    for bar in bars:
        figure.add_annotation(
            x=bar.top1 + (bar.top1_std or 0),
            y=bar.order,
            text=f"{bar.top1:.1f}" if bar.order == bars[-1].order else f"{bar.top1:.2f}",
            xanchor="left",
            xshift=4,
            showarrow=False,
            font={"size": 11},
        )
        figure.add_annotation(
            x=1,
            xref="x2 domain",
            y=bar.order,
            text=f"{bar.gmacs:.2f}",
            xanchor="right",
            showarrow=False,
            font={"size": 11},
        )


def _groups(figure: go.Figure, bars: Sequence[WalkBar], inks: Theme) -> None:
    """A bracket and a name left of each group's bars, and a line between groups."""
    for group in dict.fromkeys(bar.group for bar in bars):
        orders = [bar.order for bar in bars if bar.group == group]
        color = _color(next(bar for bar in bars if bar.group == group), inks)
        figure.add_shape(
            type="line",
            xref="paper",
            x0=-180,
            x1=-180,
            y0=orders[0] - 0.42,
            y1=orders[-1] + 0.42,
            xsizemode="pixel",
            xanchor=0,
            line={"color": color, "width": 4},
        )
        figure.add_annotation(
            xref="paper",
            x=0,
            xshift=-190,
            y=(orders[0] + orders[-1]) / 2,
            text=GROUPS.get(group, (label(group), ""))[0],
            xanchor="right",
            showarrow=False,
            font={"size": 12},
        )
        if orders[0] != bars[0].order:
            figure.add_hline(y=orders[0] - 0.5, line={"color": inks.grid, "width": 1})


def _color(bar: WalkBar, inks: Theme) -> str:
    name = GROUPS.get(bar.group, ("", "soft"))[1]
    return OKABE_ITO.get(name, inks.soft)


def _step(bar: WalkBar) -> str:
    told = "ResNet-50" if bar.order == 1 else bar.step
    return label(told)


def _details(bar: WalkBar) -> str:
    parts = [f"<b>{label(bar.step)}</b>" + (f"  ({label(bar.preset)})" if bar.preset else "")]
    spread = f" ± {bar.top1_std:.2f} (std of 3 seeds)" if bar.top1_std is not None else ""
    parts.append(f"top-1 {bar.top1:.2f} %{spread}")
    parts.append(
        f"{bar.gmacs:.3f} G multiply-adds" + ("" if bar.agrees else f"; the paper prints {bar.printed_gmacs:g}")
    )
    if not bar.adopted:
        parts.append("tried, not adopted")
    if bar.proxy is not None:
        parts.append(_proxy_text(bar.proxy))
    return "<br>".join(parts)


def _proxy_text(own: Proxy) -> str:
    ends = "" if own.low is None else f" ({own.low:.2f} to {own.high:.2f}, {own.seeds} seeds)"
    doubt = "; this proxy cannot judge the step" if own.judged is False else ""
    return f"own proxy {own.accuracy:.2f} %{ends}{doubt}"


def _told(bars: Sequence[WalkBar], *, own: bool) -> str:
    told = (
        "Published: Liu et al., 2022, Table 10; whiskers: standard deviation over seeds. Hatched: tried, not adopted."
    )
    if not own:
        return told
    proxies = [bar.proxy for bar in bars if bar.proxy]
    whiskers = "whiskers: 95 % interval" if any(each.low is not None for each in proxies) else "one seed: no interval"
    hollow = " Hollow: steps it cannot judge." if any(each.judged is False for each in proxies) else ""
    return f"{told} Own proxy: short trainings of small versions; {whiskers}.{hollow}"
