"""Which preset, in which layout, a checkpoint looks like: by its names and shapes, apart from the number of classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from convlab.language.design import Design, lower
from convlab.language.files import load
from convlab.layers import walk
from convlab.presets import preset_names
from convlab.weights import LAYOUTS
from convlab.weights.layouts import classifier_of, layout_names, paths_of, renewed
from convlab.weights.transforms import TRANSFORMS

LIKE = 0.5
"""The least share of tensors that makes a likeness."""


class Likeness(NamedTuple):
    """A preset's design and the layout; ``share`` of the tensors are alike in name and shape, 1 where all are but the classifier."""

    design: Design
    layout: str
    share: float


def recognized(state: Mapping[str, Tensor]) -> Likeness | None:
    """The preset and layout that a state dict looks like most, None where none is near."""
    best: Likeness | None = None
    for design in map(load, preset_names()):
        layouts = [layout for layout in LAYOUTS if _begins_alike(state, design, layout)]
        for layout, shapes in _shapes(design, layouts):
            likeness = Likeness(design, layout, _share(renewed(state, design, layout), shapes))
            if likeness.share == 1:
                return likeness
            if best is None or likeness.share > best.share:
                best = likeness
    return best if best is not None and best.share > LIKE else None


def _begins_alike(state: Mapping[str, Tensor], design: Design, layout: str) -> bool:
    """Whether the first kernel of a design is there in its width: a question that is quickly answered, and mostly with no."""
    stem = lower(design).parts[0]
    first = walk(stem.tree, design.image.shape, stem.path)[0]
    path = f"{first.path}.weight"
    names = layout_names(design, layout, {path})
    if names is None:
        return False
    return all(name in state and state[name].shape[:1] == (first.output.channels,) for name in names[path].names)


class Shapes(NamedTuple):
    """The shapes of a layout's tensors by name, None for the classifier, which may be any; how many of them must be there."""

    by_name: dict[str, tuple[int, ...] | None]
    needed: int


def _shapes(design: Design, layouts: Sequence[str]) -> Iterator[tuple[str, Shapes]]:
    weights = paths_of(design) if layouts else {}
    classifier = f"{classifier_of(design)}."
    for layout in layouts:
        names = layout_names(design, layout, weights)
        if names is None:
            continue
        found: dict[str, tuple[int, ...] | None] = {}
        for path, tensor in weights.items():
            pieces = TRANSFORMS[names[path].transform].theirs(tensor)
            for name, piece in zip(names[path].names, pieces, strict=False):
                found[name] = None if path.startswith(classifier) else tuple(piece.shape)
        yield layout, Shapes(found, sum(len(item.needed) for item in names.values()))


def _share(state: Mapping[str, Tensor], shapes: Shapes) -> float:
    known = shapes.by_name
    alike = sum(name in known and known[name] in (None, tuple(tensor.shape)) for name, tensor in state.items())
    return alike / max(shapes.needed, len(state))
