"""Where a cost lies: bars by stage, block or layer, of one design or of several side by side."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from convlab.charts.layout import begun, image_words, legend_above, note
from convlab.charts.palette import label, look
from convlab.charts.several import Subject, listed
from convlab.costs import Profile
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.views.block_parts import TIMES
from convlab.views.costs import GROUPINGS
from convlab.views.shares import MEASURES, Share, shares

SCALES = {"macs": (1e9, "G"), "params": (1e6, "M"), "activations": (1e6, "M"), "saved_bytes": (2**20, "MiB")}
"""What a measure is divided by on an axis, and what it is then in."""
MANY = 24
"""From so many bars on there is no room for a figure beside each."""


def costs(
    designs: Subject | Sequence[Subject], *, measure: str = "macs", by: str = "stage", theme: str = "light"
) -> go.Figure:
    """Multiply-adds ("macs"), "params", "activations" or "saved_bytes" by "stage", "block" or "layer", in order of execution.

    Raises ConvlabError for a measure or a grouping that there is not.
    """
    divisor, unit = scale_of(measure)
    if by not in GROUPINGS:
        help = f"there are {', '.join(GROUPINGS)}"
        raise ConvlabError(Problem("out-of-range", f"costs are not grouped by {quote(by)}", help=help), exit_code=2)
    several = listed(designs)
    found = [_shown(shares(each, measure, by=by), by) for each in several]
    names = list(dict.fromkeys(_name(share, by) for each in found for share in each))
    figure, inks = begun(
        _title(several, measure, by), theme, height=max(360, 130 + len(names) * (10 + 14 * len(several)))
    )
    for index, (each, of_design) in enumerate(zip(several, found, strict=True)):
        shown = look(index)
        figure.add_trace(
            go.Bar(
                orientation="h",
                y=[_name(share, by) for share in of_design],
                x=[share.value / divisor for share in of_design],
                name=label(each.design.name),
                marker={
                    "color": shown.color,
                    "pattern": {
                        "shape": shown.pattern if len(several) > 1 else "",
                        "fillmode": "overlay",
                        "fgcolor": inks.paper,
                        "size": 6,
                    },
                },
                text=[f"{100 * share.share:.1f} %" for share in of_design] if len(names) <= MANY else None,
                textposition="outside",
                textfont={"size": 11},
                cliponaxis=False,
                customdata=[_details(share) for share in of_design],
                hovertemplate="%{customdata}<extra></extra>",
                showlegend=len(several) > 1,
            )
        )
    figure.update_yaxes(
        categoryorder="array", categoryarray=names, autorange="reversed", showgrid=False, tickcolor="rgba(0,0,0,0)"
    )
    most = max(share.value for each in found for share in each) / divisor
    figure.update_xaxes(title={"text": f"{MEASURES[measure].title}, {unit}"}, range=[0, 1.12 * most])
    figure.update_layout(bargap=0.25)
    if len(several) > 1:
        legend_above(figure)
    totals = "; ".join(
        f"{label(each.design.name)}: {MEASURES[measure].text(sum(share.value for share in of_design))}"
        for each, of_design in zip(several, found, strict=True)
    )
    note(
        figure,
        f"In all {totals}, for one image of {image_words(several[0].image)}. Percent: of the design's own total.",
        inks,
    )
    return figure


def _shown(found: Sequence[Share], by: str) -> list[Share]:
    """The shares that have a bar: among layers those that cost something."""
    return [share for share in found if share.value or by != "layer"]


def scale_of(measure: str) -> tuple[float, str]:
    """What a measure is divided by on an axis, and what it is then in. Raises ConvlabError for a measure that there is not."""
    if measure in SCALES:
        return SCALES[measure]
    help = did_you_mean(measure, SCALES) or f"measures: {', '.join(SCALES)}"
    raise ConvlabError(Problem("out-of-range", f"there is no measure {quote(measure)} to draw", help=help), exit_code=2)


def _name(share: Share, by: str) -> str:
    """What stands beside a bar: a layer says how often it is there, as the name of a block does."""
    return label(share.name) + (f"  {TIMES}{share.count}" if by == "layer" and share.count > 1 else "")


def _title(profiles: Sequence[Profile], measure: str, by: str) -> str:
    of = f" of {label(profiles[0].design.name)}" if len(profiles) == 1 else ""
    return f"{MEASURES[measure].title}{of} by {by}"


def _details(share: Share) -> str:
    repeated = f", {share.count} times" if share.count > 1 else ""
    what = f"{label(share.label)}{repeated}<br>" if share.label else ""
    return f"<b>{label(share.name)}</b><br>{what}{share.text}, {100 * share.share:.2f} %"
