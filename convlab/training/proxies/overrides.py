"""Overrides: in what a network is trained otherwise than its design or its recipe says, knob by knob, each with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

from convlab.language.addresses import get
from convlab.language.design import Design
from convlab.language.knobs import changed, knobs_of
from convlab.language.stem import Stem
from convlab.training.proxies.reductions import LARGEST_SPENT_MAP
from convlab.training.recipes.recipe import Recipe


@final
@dataclass(frozen=True, slots=True)
class Override:
    """A knob that is not as the design or the recipe has it, and why; a path that begins with "recipe." is the recipe's."""

    path: str
    before: Any
    after: Any
    why: str


WHY = {
    "image.size": "the data's images",
    "image.channels": "the data's images",
    "head.classes": "the data's classes",
    "depths": "the budget of a short training",
    "widths": "the budget of a short training",
    "strides": "small images: the first stages keep the resolution",
    "output_stride": "small images: in proportion to the stride of the stem",
    "block.group_width": "in proportion to the widths, which are too narrow for it",
    "block.head_width": "in proportion to the widths, which are too narrow for it",
    "head.convolution": "in proportion to the widths",
    "head.hidden": "in proportion to the widths",
    "stem.width": "in proportion to the widths",
}
"""Why a knob is changed, by its path; the stem's others follow its stride."""


def differences(before: Design, after: Design) -> Iterator[Override]:
    """The knobs that differ, by path; depths, widths and strides as one value a stage."""
    paths = [
        "image.size",
        "image.channels",
        *(f"stem.{name}" for name in knobs_of(Stem)),
        "depths",
        "widths",
        "strides",
    ]
    paths += [
        "output_stride",
        "block.group_width",
        "block.head_width",
        "head.convolution",
        "head.hidden",
        "head.classes",
    ]
    kept = len(after.stages)
    for path in paths:
        old, new = _value(before, path), _value(after, path)
        if old == new or (path == "strides" and old[:kept] == new):
            continue
        if path.startswith("block.") and _value(changed(before, {"stages": before.stages[:kept]}), path) == new:
            continue
        why = WHY.get(path, "small images: a stem of less stride")
        if path == "depths" and kept < len(before.stages):
            gone = " and ".join(map(str, range(kept, len(before.stages))))
            why += f"; of stage {gone} the map would be {LARGEST_SPENT_MAP} px a side or less"
        yield Override(path, old, new, why)


def _value(design: Design, path: str) -> Any:
    if path in ("depths", "widths", "strides"):
        return tuple(getattr(stage, path.removesuffix("s")) for stage in design.stages)
    return get(design, path)


def recipe_overrides(design: Design, recipe: Recipe, *, loaded: bool = False) -> tuple[Override, ...]:
    """In what the recipe lets a network start or train otherwise than its design says; weights that are ``loaded`` are as they are."""
    found = []
    if recipe.drop_path >= 0 and recipe.drop_path != design.drop_path:
        found.append(
            Override("drop_path", design.drop_path, recipe.drop_path, "the recipe's: a short training needs no more")
        )
    if loaded:
        return tuple(found)
    scales = [stage.block.layer_scale for stage in design.stages]
    if recipe.layer_scale and any(scale not in (0, recipe.layer_scale) for scale in scales):
        why = "the recipe's: branches that start at almost nothing do not wake up in a short training"
        found.append(Override("block.layer_scale", get(design, "block.layer_scale"), recipe.layer_scale, why))
    if recipe.dirac_depthwise and any(each.block.groups == "depthwise" for each in design.stages):
        why = "the recipe's: large kernels of noise need longer to learn to look at their centre"
        found.append(Override("recipe.dirac_depthwise", False, True, why))
    return tuple(found)
