"""One tensor made to fit the layer of the same role in another network, by what the tensor is."""

from __future__ import annotations

import torch
from torch import Tensor

from convlab.weights.inheritance.anatomy import Site
from convlab.weights.inheritance.resampling import position_grid, relative_positions
from convlab.weights.inheritance.resizing import Resized, origins, resized_vector, resized_weight


def fitted(old: Tensor, fresh: Tensor, sites: tuple[Site, Site]) -> Resized | None:
    """The tensor ``old`` in the shape of ``fresh``, which fills what is new; None where they cannot be compared.

    A classifier of another number of classes cannot: its rows mean other things.
    """
    was, now = sites
    role = now.address.role
    if role == "tokens.position_embedding":
        return _positions(old, fresh, sites)
    if is_classifier(role) and old.shape[0] != fresh.shape[0]:
        return None
    if role.endswith("relative_position_bias"):
        return _relative_positions(old, fresh)
    if role == "tokens.class_token":
        return _along_channels(old, fresh)
    if old.ndim == fresh.ndim == 0:
        return Resized(old)
    if old.ndim == fresh.ndim == 1:
        return resized_vector(old, fresh, (was.wiring, now.wiring))
    if old.ndim in (2, 4) and fresh.ndim in (2, 4):
        return resized_weight(old, fresh, (was.wiring, now.wiring))
    return None


def is_classifier(role: str) -> bool:
    """Whether a tensor of this role has a row for each class."""
    return role.split(".")[-2:-1] == ["classifier"]


def _positions(old: Tensor, fresh: Tensor, sites: tuple[Site, Site]) -> Resized:
    """A position embedding [1, class token and positions, channels]."""
    was, now = (site.grid for site in sites)
    tokens, pixels = _split(old, was)
    how: tuple[str, ...] = ()
    if was != now:
        how, pixels = ("resampled",), position_grid(pixels, was, now)
    first, others = _split(fresh, now)
    if tokens.shape[1] != first.shape[1]:
        how += ("grown" if first.shape[1] else "cropped",)
        tokens = first
    channels = _along_channels(pixels, others)
    together = torch.cat([_along_channels(tokens, first).tensor, channels.tensor], 1)
    return Resized(together, tuple(dict.fromkeys(how + channels.how)))


def _split(embedding: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The embedding of the class token, where there is one, and those of the pixels."""
    first = embedding.shape[1] - grid[0] * grid[1]
    return embedding[:, :first], embedding[:, first:]


def _relative_positions(old: Tensor, fresh: Tensor) -> Resized:
    """A relative position table [offsets, heads]."""
    how: tuple[str, ...] = ()
    if old.shape[0] != fresh.shape[0]:
        how = ("padded" if fresh.shape[0] > old.shape[0] else "cropped",)
        old = relative_positions(old, fresh.shape[0])
    heads = _along_channels(old, fresh)
    return Resized(heads.tensor, how + heads.how)


def _along_channels(old: Tensor, fresh: Tensor) -> Resized:
    """The first channels of the last axis; new ones are those of ``fresh``, whose other axes are the same."""
    was, now = old.shape[-1], fresh.shape[-1]
    if was == now:
        return Resized(old)
    origin = origins(was, now, (1, 1))
    return Resized(
        torch.where(origin >= 0, old[..., origin.clamp(min=0)], fresh), ("sliced" if was > now else "grown",)
    )
