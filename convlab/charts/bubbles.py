"""The paper's Figure 1: published models as bubbles, accuracy against multiply-adds, as large as they have parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from convlab.charts.layout import begun, note
from convlab.charts.palette import Theme, faded, label, look
from convlab.views.published import FAMILIES, Bubble, bubbles

LARGEST = 52
"""The diameter in px of the largest bubble."""
SIZES = (10, 100, 500)
"""Millions of parameters that the key to sizes shows."""
TICKS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


def published(data: str = "ImageNet-1K", *, theme: str = "light") -> go.Figure:
    """Published models that were trained with "ImageNet-1K" alone or with "ImageNet-22K" before it; the area is the parameters.

    Raises ConvlabError for data that there are not.
    """
    found = bubbles(data)
    figure, inks = begun(f"Published models, trained on {label(data)}", theme, width=960, height=600)
    largest = max(bubble.params_millions for bubble in found)
    for index, family in enumerate(dict.fromkeys(FAMILIES.values())):
        of_family = [bubble for bubble in found if bubble.family == family]
        if of_family:
            figure.add_trace(_family(of_family, index, largest))
    figure.add_trace(_best(found, inks))
    figure.update_xaxes(
        type="log", title={"text": "multiply-adds at the model's image size, G (log scale)"}, tickvals=TICKS, ticktext=[f"{tick:g}" for tick in TICKS]
    )
    figure.update_yaxes(title={"text": "ImageNet-1K top-1 accuracy, %"})
    _key(figure, largest, inks)
    figure.update_layout(margin={"t": 100})
    note(figure, "Papers print multiply-adds as FLOPs. Dashed: the best accuracy up to a cost. Sources: convlab/facts/models.csv.", inks)
    return figure


def _family(found: Sequence[Bubble], index: int, largest: float) -> go.Scatter:
    shown = look(index)
    return go.Scatter(
        x=[bubble.gmacs for bubble in found],
        y=[bubble.top1 for bubble in found],
        mode="markers",
        name=label(found[0].family),
        marker={
            "size": [_diameter(bubble.params_millions, largest) for bubble in found],
            "symbol": shown.symbol,
            "color": faded(shown.color, 0.55),
            "line": {"color": shown.color, "width": 1.5},
        },
        customdata=[_details(bubble) for bubble in found],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _best(found: Sequence[Bubble], inks: Theme) -> go.Scatter:
    """The models that no cheaper one matches."""
    from convlab.views.fronts import front

    xs, ys = [bubble.gmacs for bubble in found], [bubble.top1 for bubble in found]
    places = front(xs, ys, higher=(False, True))
    return go.Scatter(
        x=[xs[place] for place in places],
        y=[ys[place] for place in places],
        mode="lines+text",
        line={"color": inks.soft, "dash": "dash", "width": 1, "shape": "hv"},
        text=[label(_short(found[place].model)) for place in places],
        textposition="top left",
        textfont={"size": 10, "color": inks.soft},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def _key(figure: go.Figure, largest: float, inks: Theme) -> None:
    """What sizes mean, in the lower right corner."""
    x = -8.0
    for millions in reversed([size for size in SIZES if size <= largest]):
        across = _diameter(millions, largest)
        figure.add_shape(
            type="circle",
            xref="paper",
            yref="paper",
            xsizemode="pixel",
            ysizemode="pixel",
            xanchor=1,
            yanchor=0,
            x0=x - across,
            x1=x,
            y0=26,
            y1=26 + across,
            line={"color": inks.soft, "width": 1},
        )
        figure.add_annotation(
            xref="paper", yref="paper", x=1, y=0, xshift=x - across / 2, yshift=16, text=f"{millions} M", showarrow=False,
            font={"size": 10, "color": inks.soft},
        )
        x -= max(across, 30) + 12
    figure.add_annotation(
        xref="paper", yref="paper", x=1, y=0, xshift=x + 4, yshift=34, xanchor="right", text="parameters", showarrow=False,
        font={"size": 11, "color": inks.soft},
    )


def _diameter(millions: float, largest: float) -> float:
    return max(5.0, LARGEST * math.sqrt(millions / largest))


def _short(model: str) -> str:
    return model.removeprefix("ConvNeXt ").removeprefix("torchvision ")


def _details(bubble: Bubble) -> str:
    return "<br>".join(
        (
            f"<b>{label(bubble.model)}</b>, {bubble.image_size} px",
            f"{bubble.top1:.1f} % top-1, {bubble.gmacs:.3g} G multiply-adds, {bubble.params_millions:.3g} M parameters",
            f"{label(bubble.pretraining)}; {label(bubble.source)}",
        )
    )
