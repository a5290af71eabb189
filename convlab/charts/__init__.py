"""Charts: plotly figures of designs, populations, measurements and trainings, fit for a paper. They come when they are asked for.

Every builder takes nouns of convlab, has its numbers from a view, and gives a ``plotly.graph_objects.Figure``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convlab.charts.batch_curves import throughput
    from convlab.charts.block_diagrams import blocks
    from convlab.charts.bubbles import published
    from convlab.charts.changes import waterfall
    from convlab.charts.clouds import population, scatter
    from convlab.charts.coordinates import parallel
    from convlab.charts.cost_bars import costs
    from convlab.charts.curves import learning
    from convlab.charts.field_growth import receptive_field
    from convlab.charts.field_squares import receptive_image
    from convlab.charts.icicles import cost_tree
    from convlab.charts.layout import blank
    from convlab.charts.memory_steps import memory
    from convlab.charts.roadmap import walk
    from convlab.charts.saving import figure_bytes, save

_HOMES = {
    "blank": "layout",
    "blocks": "block_diagrams",
    "cost_tree": "icicles",
    "costs": "cost_bars",
    "figure_bytes": "saving",
    "learning": "curves",
    "memory": "memory_steps",
    "parallel": "coordinates",
    "population": "clouds",
    "published": "bubbles",
    "receptive_field": "field_growth",
    "receptive_image": "field_squares",
    "save": "saving",
    "scatter": "clouds",
    "throughput": "batch_curves",
    "walk": "roadmap",
    "waterfall": "changes",
}

__all__ = [
    "blank",
    "blocks",
    "cost_tree",
    "costs",
    "figure_bytes",
    "learning",
    "memory",
    "parallel",
    "population",
    "published",
    "receptive_field",
    "receptive_image",
    "save",
    "scatter",
    "throughput",
    "walk",
    "waterfall",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'convlab.charts' has no attribute {name!r}")
    value = getattr(import_module(f"convlab.charts.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
