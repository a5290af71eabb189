"""The paper's Figure 1: published models as bubbles, accuracy against multiply-adds, as large as they have parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from convlab.charts.layout import begun, note
from convlab.charts.palette import Theme, faded, label, look, outline
from convlab.views.published import FAMILIES, Bubble, bubbles

LARGEST = 52
"""The diameter in px of the largest bubble."""
NEAR = (2.0, 0.45)
"""Models whose multiply-adds differ by less than this factor and whose accuracies by fewer points have no room for two names."""
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
            figure.add_trace(_family(of_family, index, largest=largest, inks=inks))
    figure.add_trace(_best(found, inks))
    ends = [extreme(bubble.gmacs for bubble in found) for extreme in (min, max)]
    figure.update_xaxes(
        type="log",
        title={"text": "multiply-adds at the model's image size, G (log scale)"},
        tickvals=TICKS,
        range=[math.log10(ends[0] / 2.2), math.log10(1.9 * ends[1])],
        ticktext=[f"{tick:g}" for tick in TICKS],
    )
    figure.update_yaxes(title={"text": "ImageNet-1K top-1 accuracy, %"})
    _key(figure, largest, inks)
    figure.update_layout(margin={"t": 104})
    note(
        figure,
        "Papers print multiply-adds as FLOPs. Dashed: the best accuracy up to a cost. Sources: convlab/facts/models.csv.",
        inks,
    )
    return figure


def _family(found: Sequence[Bubble], index: int, *, largest: float, inks: Theme) -> go.Scatter:
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
            "line": {"color": outline(shown.color, inks), "width": 1.3},
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
        text=_names([found[place] for place in places]),
        textposition="top left",
        textfont={"size": 10, "color": inks.soft},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def _key(figure: go.Figure, largest: float, inks: Theme) -> None:
    """What sizes mean, in the upper left corner, where no model is: little cost and much accuracy."""
    place: dict[str, Any] = {
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "showarrow": False,
        "font": {"size": 11, "color": inks.soft},
    }
    corner = {"xref": "paper", "yref": "paper", "xsizemode": "pixel", "ysizemode": "pixel", "xanchor": 0, "yanchor": 1}
    figure.add_annotation(**place, text="area: parameters", xanchor="left", yanchor="top", xshift=14, yshift=-6)
    x, line = 16.0, {"color": inks.soft, "width": 1}
    for millions in (size for size in SIZES if size <= largest):
        across = _diameter(millions, largest)
        middle = x + max(across, 36) / 2
        ends = {"x0": middle - across / 2, "x1": middle + across / 2, "y0": -50 - across / 2, "y1": -50 + across / 2}
        figure.add_shape(type="circle", **corner, **ends, line=line)
        figure.add_annotation(**place, text=f"{millions} M", xshift=middle, yshift=-78, xanchor="center", yanchor="top")
        x += max(across, 36) + 10


def _diameter(millions: float, largest: float) -> float:
    return max(5.0, LARGEST * math.sqrt(millions / largest))


def _names(along: Sequence[Bubble]) -> list[str]:
    """The names of the models on the line, from the right; one too near to the last that was named goes without."""
    names: list[str] = []
    last: Bubble | None = None
    for bubble in reversed(along):
        near = last is not None and last.gmacs < NEAR[0] * bubble.gmacs and last.top1 - bubble.top1 < NEAR[1]
        names.append("" if near else label(_short(bubble.model)))
        last = last if near else bubble
    return names[::-1]


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
