"""Extremes: for a group of stacked designs one that costs at least as much as each of them, to see that no cost leaves 64 bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from convlab.costs import profile
from convlab.design import Design
from convlab.knobs import changed
from convlab.stacking import with_sizes

SAFE = 2**56
"""Where the largest design costs less, no sum or product on the way to the costs of a member leaves int64."""


def is_safe(design: Design, sizes: Mapping[str, Any]) -> bool:
    """Whether int64 holds all costs of a group of valid designs that differ in their sizes."""
    found = profile(largest(design, sizes))
    return 3 * found.macs + found.params + found.total("outputs") < SAFE


def largest(design: Design, sizes: Mapping[str, Any]) -> Design:
    """A design that costs at least as much as every member of a group: its sizes are the largest, its convolutions dense."""
    design = with_sizes(design, {path: np.max(size).item() for path, size in sizes.items()})
    before = design.stem.width or design.stages[0].width
    narrowest = min(before, *design.widths)
    stages = []
    for stage in design.stages:
        block = stage.block
        # A hidden width that is rounded to its group width grows by less than one group width.
        values: dict[str, Any] = {"expansion_ratio": block.expansion_ratio + block.group_width / narrowest}
        if block.group_width or not isinstance(block.groups, str):
            values |= {"groups": 1, "group_width": 0}
        # Where widths differ there may be a projection and a downsampling: they differ here even if they do nowhere.
        width = stage.width + (stage.width == before)
        stages.append(changed(stage, {"width": width, "block": changed(block, values)}))
        before = width
    return changed(design, {"stages": tuple(stages)})
