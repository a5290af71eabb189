"""What timm wants to know of a design beside its layers: where it begins and ends, which feature maps it has, what it was made for."""

from __future__ import annotations

from typing import Any, NamedTuple

from convlab.language.design import HEAD_NAMES, Design, lower
from convlab.layers import Chain, Layer, Parallel, Residual, Shape, Tokens, walk
from convlab.models.features import FeatureMap, feature_maps, pyramid


class Ends(NamedTuple):
    """The paths of the layers that timm adapts: the convolutions that see the image, and the roles of the head."""

    first: tuple[str, ...]
    pool: str
    norm: str
    flatten: str
    hidden: str
    dropout: str
    classifier: str


def ends(design: Design) -> Ends:
    """Where the network begins and ends."""
    stem, names = lower(design).parts[0], HEAD_NAMES[design.names]
    return Ends(tuple(_first(stem.tree, stem.path)), *(names[role] for role in Ends._fields[1:]))


def _first(layer: Layer, path: str) -> list[str]:
    """The paths of the convolutions that see a layer's input before any other does."""
    match layer:
        case Chain():
            inner = (_first(child, f"{path}.{name}") for name, child in layer.children)
            return next((found for found in inner if found), [])
        case Parallel():
            return [first for name, child in layer.children for first in _first(child, f"{path}.{name}")]
        case Residual():
            shortcut = [] if layer.shortcut is None else _first(layer.shortcut, f"{path}.shortcut")
            return _first(layer.branch, path) + shortcut
        case _:
            return [path] if layer.multiplies else []


def trunk(design: Design) -> tuple[str, ...]:
    """The names of the model's children before the head, in order of execution."""
    head = ends(design).pool.split(".")[0]
    names = list(dict.fromkeys(part.path.split(".")[0] for part in lower(design).parts))
    return tuple(names[: names.index(head)])


def last_map(design: Design) -> Shape:
    """The shape that goes into the pool."""
    before = trunk(design)
    x = design.image.shape
    for part in lower(design).parts:
        if part.path.split(".")[0] in before:
            x = part.tree.output(x)
    return x


def has_fixed_size(design: Design) -> bool:
    """Whether the shape of a weight depends on the image's size."""
    stem = lower(design).parts[0]
    rows = walk(stem.tree, design.image.shape, stem.path)
    return any(isinstance(row.layer, Tokens) and row.layer.position_embedding for row in rows)


def taps(design: Design) -> tuple[FeatureMap, ...]:
    """The feature maps as timm's own families count them: the last of each resolution, those inside and after the stem among them.

    In a design of one stage they are the blocks', all of one resolution.
    """
    maps = feature_maps(design)
    if len(design.stages) == 1:
        return maps
    return (*_stem_taps(design), *(maps[index] for index in pyramid(design)))


def feature_info(design: Design) -> list[dict[str, Any]]:
    """The feature maps in timm's words."""
    return [{"num_chs": tap.channels, "reduction": tap.stride, "module": tap.path} for tap in taps(design)]


def _stem_taps(design: Design) -> list[FeatureMap]:
    """The maps of the stem whose resolution a later layer of the stem or the first stage lowers."""
    stem, x = lower(design).parts[0].tree, design.image.shape
    assert isinstance(stem, Chain)
    found, reached, before = [], 1, ""
    for name, layer in stem.children:
        stride = layer.field().narrowest.stride
        if stride > 1 and reached > 1:
            found.append(FeatureMap(f"stem.{before}", x.channels, reached))
        reached, before, x = reached * stride, name, layer.output(x)
    if design.stages[0].stride > 1:
        found.append(FeatureMap(f"stem.{before}", x.channels, reached))
    return found
