"""The tensors that a model takes over from another network, each with its line of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final

import torch
from torch import Tensor

from convlab.weights.inheritance.anatomy import Site
from convlab.weights.inheritance.pairing import Pair
from convlab.weights.inheritance.report import MEANINGS, Inherited
from convlab.weights.inheritance.tensors import fitted, is_classifier


@final
class Taken(NamedTuple):
    """A tensor as the model gets it, its line of the report, and the source's tensors of which it was made."""

    tensor: Tensor
    line: Inherited
    used: tuple[str, ...] = ()


def taken_over(
    pair: Pair, weights: Mapping[str, Tensor], tensors: Mapping[str, Tensor], *, new_blocks: str
) -> dict[str, Taken]:
    """Every tensor of a model with ``weights``, on the CPU, inherited from ``tensors`` as far as roles go."""
    return {name: _taken(pair, name, here.cpu(), tensors, new_blocks) for name, here in weights.items()}


def _taken(pair: Pair, name: str, here: Tensor, tensors: Mapping[str, Tensor], new_blocks: str) -> Taken:
    site = pair.now.sites[name]
    own = pair.feed(site).own
    if not own and new_blocks == "fresh":
        return _without_source(name, "fresh", here, note="a new block")
    if not own and new_blocks == "identity" and pair.is_silent(name, site):
        return _without_source(name, "zeroed", torch.zeros_like(here))
    source = pair.source(site)
    if not source:
        neutral = _neutral(pair, name, site, here)
        return _without_source(name, "fresh", here) if neutral is None else _without_source(name, "neutral", neutral)
    old, scale = tensors[source].cpu(), pair.scale(source, site)
    if scale:
        old = old.double() * tensors[scale].cpu().double().view(-1, *[1] * (old.ndim - 1))
    fit = fitted(old.to(here.dtype), here, (pair.was.sites[source], site))
    if fit is None:
        return _without_source(name, "fresh", here, note=_why_not(site, tensors[source], here))
    words = {*fit.how, *["folded"] * bool(scale), *["duplicated"] * (not own)} or {"loaded"}
    how = tuple(word for word in MEANINGS if word in words)
    line = Inherited(name, how, tuple(here.shape), source, tuple(tensors[source].shape))
    return Taken(fit.tensor, line, (source, scale) if scale else (source,))


def _without_source(name: str, how: str, tensor: Tensor, *, note: str = "") -> Taken:
    return Taken(tensor, Inherited(name, (how,), tuple(tensor.shape), note=note))


def _neutral(pair: Pair, name: str, site: Site, here: Tensor) -> Tensor | None:
    """What a layer that the source lacks has to be so that it changes nothing; None where there is no such thing."""
    if pair.feed(site).block < 0:
        return None
    if ".grn." in site.address.role:
        return torch.zeros_like(here)
    branches = pair.now.branches.get((site.address.stage, site.address.block), ())
    if any(branch.scale == name and pair.takes_over(branch) for branch in branches):
        return torch.ones_like(here)
    return None


def _why_not(site: Site, old: Tensor, here: Tensor) -> str:
    if is_classifier(site.address.role):
        return f"{here.shape[0]} classes instead of {old.shape[0]}"
    return "tensors of another kind"
