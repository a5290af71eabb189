"""Undoing: a design with one step of the walk taken back, what later steps changed left as it is."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from convlab.language.blocks import Block
from convlab.language.design import Design
from convlab.language.downsample import Downsample
from convlab.language.head import Head
from convlab.language.knobs import changed, knobs_of
from convlab.language.stem import Stem
from convlab.training.proxies.reductions import QUANTUM


class Change(NamedTuple):
    """A step of a walk: the design that it starts from, and the one that it comes to."""

    before: Design
    after: Design


def undone(final: Design, change: Change) -> Design:
    """The final design with the knobs of a step as they were before it.

    What a later step has changed again stays as the later step has it, but for widths, which are taken back in proportion.
    All three designs have the same number of stages.
    """
    stages = []
    for stage, old, new in zip(final.stages, change.before.stages, change.after.stages, strict=True):
        parts = {
            name: _noun(getattr(stage, name), getattr(old, name), getattr(new, name))
            for name in ("block", "downsample")
        }
        depth, width = (tuple(getattr(each, name) for each in (stage, old, new)) for name in ("depth", "width"))
        stages.append(changed(stage, {**parts, "depth": _value(*depth), "width": _width(*width)}))
    nouns = {name: _noun(*(getattr(each, name) for each in (final, *change))) for name in ("stem", "head")}
    own = {name: _value(*(getattr(each, name) for each in (final, *change))) for name in ("initialization", "norm_eps")}
    return changed(final, {"stages": tuple(stages), **nouns, **own})


def _noun(final: Any, old: Any, new: Any) -> Any:
    """A section with what differs between its old and its new form taken back; a kind that changed takes all of it back."""
    assert isinstance(final, Stem | Head | Block | Downsample)
    kind = getattr(new, "kind", "")
    if getattr(old, "kind", "") != kind:
        return old if getattr(final, "kind", "") == kind else final
    names = [name for name in knobs_of(type(new)) if getattr(old, name) != getattr(new, name)]
    return changed(final, {name: _value(*(getattr(each, name) for each in (final, old, new))) for name in names})


def _width(final: int, old: int, new: int) -> int:
    """A width; one that later steps changed again falls or grows as it did in this step, to a multiple of 8."""
    if final == new:
        return old
    return final if old == new else max(QUANTUM, math.floor(final * old / new / QUANTUM + 0.5) * QUANTUM)


def _value(final: Any, old: Any, new: Any) -> Any:
    return old if final == new else final
