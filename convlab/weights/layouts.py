"""Layouts: what other projects call a design's weights, and state dicts to and from our names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

from torch import Tensor

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.language.design import HEAD_NAMES, Design
from convlab.models import build
from convlab.weights import LAYOUTS
from convlab.weights.families import table_of
from convlab.weights.tables import Names
from convlab.weights.transforms import TRANSFORMS

Naming = dict[str, Names]
"""What a layout calls the weights, by our paths; no names where its files leave a weight out."""

_STAGE = re.compile(r"stages\.(\d+)\.(?:blocks\.(\d+)\.)?")


def layouts_of(design: Design) -> tuple[str, ...]:
    """The layouts that have a name for every weight of a design."""
    paths = paths_of(design)
    return tuple(layout for layout in LAYOUTS if layout_names(design, layout, paths) is not None)


def paths_of(design: Design) -> dict[str, Tensor]:
    """The weights of a design by path, without values."""
    return dict(_paths_of(design))


@lru_cache(maxsize=32)
def _paths_of(design: Design) -> dict[str, Tensor]:
    return build(design, device="meta", initialized=False).state_dict()


def classifier_of(design: Design) -> str:
    """The path of the layer that gives the class scores, the one that other classes change."""
    return HEAD_NAMES[design.names]["classifier"]


def naming(design: Design, layout: str, weights: Collection[str] | None = None) -> Naming:
    """What a layout calls a design's weights. Raises ConvlabError where it has no name for one of them."""
    if layout not in LAYOUTS:
        help = f"{did_you_mean(layout, LAYOUTS)} layouts: {', '.join(LAYOUTS)}".strip()
        raise ConvlabError(Problem("no-layout", f"there is no layout {quote(layout)}", help=help), exit_code=2)
    found = layout_names(design, layout, paths_of(design) if weights is None else weights)
    if found is None:
        name = design.name or design.key
        help = f"layouts of this design: {', '.join(layouts_of(design))}"
        raise ConvlabError(Problem("no-layout", f"convlab knows no names of {layout}'s for {name}", help=help))
    return found


def layout_names(design: Design, layout: str, weights: Collection[str]) -> Naming | None:
    """What a layout calls a design's weights, None where it has no name for one of them."""
    if layout == "convlab":
        return {path: Names((path,)) for path in weights}
    table = table_of(design)
    if table is None or layout not in table.layouts:
        return None
    found: Naming = {}
    for path in weights:
        numbers, order = _place(design, path)
        names = table.names(path, layout, numbers, order)
        if names is None:
            return None
        found[path] = names
    return found


def detect(state: Mapping[str, Tensor], design: Design, weights: Collection[str] | None = None) -> str:
    """The layout whose names fit the most tensors of a state dict."""
    weights = paths_of(design) if weights is None else weights
    fits = {}
    for layout in LAYOUTS:
        names = layout_names(design, layout, weights)
        if names is not None:
            known = {name for item in names.values() for name in item.names}
            fits[layout] = len(known & renewed(state, design, layout).keys())
    return max(fits, key=lambda layout: fits[layout])


def renewed(state: Mapping[str, Tensor], design: Design, layout: str) -> dict[str, Tensor]:
    """A state dict of a layout under the names that the layout uses today, without what its files hold beyond weights."""
    table = table_of(design)
    if table is None or layout not in table.layouts:
        return dict(state)
    found = {}
    for name, tensor in state.items():
        for old, new in table.aliases.get(layout, ()):
            name = name.replace(old, new)
        if not any(fnmatchcase(name, glob) for glob in table.drops.get(layout, ())):
            found[name] = tensor
    return found


def from_convlab(state: Mapping[str, Tensor], design: Design, layout: str) -> dict[str, Tensor]:
    """Weights by our paths as a layout names and keeps them. Raises ConvlabError where it cannot hold one of them."""
    names = naming(design, layout, state)
    found: dict[str, Tensor] = {}
    for path, tensor in state.items():
        pieces = TRANSFORMS[names[path].transform].theirs(tensor)
        found |= zip(names[path].names, (piece.contiguous() for piece in pieces), strict=False)
    return found


def _place(design: Design, path: str) -> tuple[dict[str, int], str]:
    """The numbers that names may hold, as ``names/README.md`` calls them, and the order of the path's block."""
    depths = design.depths
    numbers = {"t": len(depths), "n": sum(depths)}
    match = _STAGE.match(path)
    if match is None:
        return numbers, ""
    stage, block = int(match[1]), int(match[2] or 0)
    return {**numbers, "s": stage, "b": block, "g": sum(depths[:stage]) + block}, design.stages[stage].block.order
