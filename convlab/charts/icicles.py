"""Where a cost lies, from the network down to its layers: an icicle whose widths are shares of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import plotly.graph_objects as go

from convlab.charts.layout import begun, image_words, note
from convlab.charts.palette import faded, label, look
from convlab.charts.several import Subject, profiled
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.views.outline import Node, outline
from convlab.views.shares import MEASURES
from convlab.views.tables import size_text

TREE = ("macs", "params")
"""The measures that sum up from layers to the network."""


class _Tile(NamedTuple):
    id: str
    parent: str
    text: str
    value: int
    details: str
    color: str


def cost_tree(design: Subject, *, measure: str = "macs", theme: str = "light") -> go.Figure:
    """Multiply-adds ("macs") or "params" of the network, its stages, blocks and layers; a click goes into a part.

    Raises ConvlabError for a measure that has no tree.
    """
    if measure not in TREE:
        help = did_you_mean(measure, TREE) or f"measures: {', '.join(TREE)}"
        raise ConvlabError(Problem("out-of-range", f"there is no tree of {quote(measure)}", help=help), exit_code=2)
    profile = profiled(design)
    name = label(profile.design.name)
    figure, inks = begun(f"{MEASURES[measure].title} of {name}, from stages to layers", theme, width=1000, height=560)
    total = profile.macs if measure == "macs" else profile.params
    text = MEASURES[measure].text
    tiles = [_Tile("", "", name, total, f"<b>{name}</b><br>{text(total)}", inks.fill)]
    for index, node in enumerate(outline(profile)):
        tiles += _tiles(node, "", (measure, total, look(index).color))
    figure.add_trace(
        go.Icicle(
            ids=[tile.id or "network" for tile in tiles],
            parents=["" if tile is tiles[0] else tile.parent or "network" for tile in tiles],
            labels=[tile.text for tile in tiles],
            values=[tile.value for tile in tiles],
            branchvalues="total",
            sort=False,
            tiling={"orientation": "v"},
            marker={"colors": [tile.color for tile in tiles], "line": {"color": inks.paper, "width": 1}},
            textfont={"color": inks.ink, "size": 12},
            texttemplate="%{label}<br>%{percentRoot:.1%}",
            customdata=[tile.details for tile in tiles],
            hovertemplate="%{customdata}<extra></extra>",
            pathbar={"visible": True},
        )
    )
    figure.update_layout(margin={"l": 16, "r": 16, "t": 56}, uniformtext={"minsize": 9, "mode": "hide"})
    note(
        figure,
        f"Width: share of {text(total)}, for one image of {image_words(profile.image)}. Repeated blocks are one tile with their count.",
        inks,
    )
    return figure


def _tiles(node: Node, parent: str, look_of: tuple[str, int, str], depth: int = 0) -> Iterator[_Tile]:
    """A node and all below it; what costs nothing is left out."""
    measure, total, color = look_of
    value = node.macs if measure == "macs" else node.params
    if not value:
        return
    id = f"{parent}/{node.path}"
    what = f"{label(node.label)}<br>" if node.label else ""
    times = f", {node.count} times" if node.count > 1 else ""
    share = f"{MEASURES[measure].text(value)}, {100 * value / total:.2f} %"
    details = f"<b>{label(node.path)}</b>{times}<br>{what}puts out {size_text(node.output)}<br>{share}"
    yield _Tile(id, parent, label(node.name), value, details, faded(color, max(0.25, 0.8 - 0.17 * depth)))
    for child in node.children:
        yield from _tiles(child, id, look_of, depth + 1)
