"""What is trained in the place of designs, in a sentence: the data, the images, and what was made smaller of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convlab.training.proxies.brevity import for_its_budget
from convlab.training.recording import budget
from convlab.views.live_learning import SIZES
from convlab.views.tables import value_text

if TYPE_CHECKING:
    from convlab.training.data.datasets import Dataset
    from convlab.training.proxies.overrides import Override
    from convlab.training.recipes.recipe import Recipe


def proxies_text(overrides: Mapping[str, Sequence[Override]], recipe: Recipe, data: Dataset) -> str:
    """The data, the side of the images, the budget, and the depths and widths, which several designs have each of its own.

    Of other knobs it says only how many were changed. A network that has its own depths and widths is called no proxy.
    """
    fitted, _ = for_its_budget(recipe, len(data.train))
    told = {name: _changes(each) for name, each in overrides.items()}
    designs = [f"{name}: {text}" for name, text in told.items()] if len(told) > 1 else list(told.values())
    place = f"{data.name}, {data.height}x{data.width} px, {budget(fitted, data):,} images"
    smaller = any(each.path in SIZES for changes in overrides.values() for each in changes)
    return "; ".join((f"{'proxy ' * smaller}on {place}", *designs))


def _changes(overrides: Sequence[Override]) -> str:
    sizes = [f"{each.path} {_list(each.before)} → {_list(each.after)}" for each in overrides if each.path in SIZES]
    others = len(overrides) - len(sizes)
    more = f"{others} {'other knob' if sizes else 'knob'}{'s' * (others != 1)} changed"
    return ", ".join([*(sizes or ["depths and widths as they are"]), *[more] * bool(others)])


def _list(value: Any) -> str:
    return "-".join(map(value_text, value)) if isinstance(value, list | tuple) else value_text(value)
