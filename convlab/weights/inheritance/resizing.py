"""Tensors of a layer that has other channels, other groups or another kernel than the one they come from.

Every rule keeps each connection that both layers have. A connection that only the new layer has between channels that both have is 0,
and so is the weight from a new channel to an old one; what leads to a new channel is fresh. So a grown layer computes what it did.
"""

from __future__ import annotations

from typing import Final, NamedTuple, final

import torch
from torch import Tensor
from torch.nn import functional

from convlab.weights.inheritance.resampling import image_channels, patch_kernel

UNKNOWN: Final = 0
"""Groups that nothing tells; where the shape is that of a layer whose groups are known, they are taken for the same."""


@final
class Wiring(NamedTuple):
    """What a tensor's shape does not say of its layer.

    ``before`` are the taps before the output pixel's own; ``stride`` is that of a stem or a downsampling, 1 in blocks, whose kernels do not
    depend on it. ``pieces_in`` and ``pieces_out`` are the equal pieces of which the channels are made (queries, keys and values are
    three). ``reads_image`` marks the layer whose input channels are the image's.
    """

    groups: int = 1
    before: int = 0
    stride: int = 1
    pieces_in: int = 1
    pieces_out: int = 1
    reads_image: bool = False


@final
class Resized(NamedTuple):
    """A tensor in its new shape and the words for what was done; none where it was taken as it is."""

    tensor: Tensor
    how: tuple[str, ...] = ()


def resized_vector(old: Tensor, fresh: Tensor, wirings: tuple[Wiring, Wiring]) -> Resized:
    """One number a channel (norms, biases, layer scale): the first channels of each piece; new channels are fresh."""
    was, now = wirings
    origin = origins(old.shape[0], fresh.shape[0], (was.pieces_out, now.pieces_out))
    how = _compared(old.shape[0], fresh.shape[0], "sliced", "grown")
    return Resized(torch.where(origin >= 0, old[origin.clamp(min=0)], fresh) if how else old, how)


def resized_weight(old: Tensor, fresh: Tensor, wirings: tuple[Wiring, Wiring]) -> Resized:
    """The weight of a convolution [outputs, inputs / groups, side, side] or of a linear layer [outputs, inputs]."""
    was, now = wirings = _known(old, fresh, wirings)
    form = old.ndim
    old, target = as_kernel(old), as_kernel(fresh)
    how = ("reshaped",) * (form != fresh.ndim)
    if was.reads_image and now.reads_image and old.shape[1] != target.shape[1]:
        how += ("summed" if target.shape[1] == 1 else "repeated",)
        old = image_channels(old, target.shape[1])
    old, words = _kernel(old, target.shape[2], wirings)
    how += words
    if was.groups == now.groups == 1:
        old, words = _dense(old, target, wirings)
    else:
        old, words = _grouped(old, target, wirings)
    return Resized(old.reshape(fresh.shape), how + words)


def shifted_taps(kernel: Tensor, side: int, offset: int) -> Tensor:
    """Kernels [..., k, k] of another side: tap t goes to t + ``offset``; what falls outside is cut off, new taps are 0."""
    after = side - kernel.shape[-1] - offset
    return functional.pad(kernel, (offset, after, offset, after))


def origins(old: int, new: int, pieces: tuple[int, int]) -> Tensor:
    """For each new channel the old one that it comes from, -1 where there is none: the first of each piece, in order."""
    was, now = old // pieces[0], new // pieces[1]
    channel = torch.arange(new)
    piece, place = channel // now, channel % now
    known = (place < was) & (piece < pieces[0])
    return torch.where(known, piece * was + place, -1)


def as_kernel(weight: Tensor) -> Tensor:
    """The weight of a linear layer as that of a 1x1 convolution."""
    return weight[:, :, None, None] if weight.ndim == 2 else weight


def _known(old: Tensor, fresh: Tensor, wirings: tuple[Wiring, Wiring]) -> tuple[Wiring, Wiring]:
    was, now = wirings
    if was.groups != UNKNOWN:
        return wirings
    if old.shape[1] == 1 and now.groups == fresh.shape[0]:
        return was._replace(groups=old.shape[0]), now
    return was._replace(groups=now.groups if old.shape[:2] == fresh.shape[:2] else 1), now


def _kernel(kernel: Tensor, side: int, wirings: tuple[Wiring, Wiring]) -> Resized:
    """Kernels of another side: tap for tap by where they look, or resampled where the stride is another one too."""
    was, now = wirings
    if was.stride != now.stride:
        same = kernel.shape[2] == side
        return Resized(kernel) if same else Resized(patch_kernel(kernel, side), ("resampled",))
    if kernel.shape[2] == side and was.before == now.before:
        return Resized(kernel)
    how = _compared(kernel.shape[2], side, "cropped", "padded") or ("shifted",)
    return Resized(shifted_taps(kernel, side, now.before - was.before), how)


def _dense(old: Tensor, fresh: Tensor, wirings: tuple[Wiring, Wiring]) -> Resized:
    was, now = wirings
    how = _channels_compared(old, fresh)
    if not how:
        return Resized(old)
    rows = origins(old.shape[0], fresh.shape[0], (was.pieces_out, now.pieces_out))
    columns = origins(old.shape[1], fresh.shape[1], (was.pieces_in, now.pieces_in))
    kept = old[rows.clamp(min=0)][:, columns.clamp(min=0)]
    kept = torch.where((columns >= 0).view(1, -1, 1, 1), kept, 0)
    return Resized(torch.where((rows >= 0).view(-1, 1, 1, 1), kept, fresh), how)


def _grouped(old: Tensor, fresh: Tensor, wirings: tuple[Wiring, Wiring]) -> Resized:
    """Each weight is looked up by the channels that it connects, whatever groups they are in."""
    was, now = (wiring.groups for wiring in wirings)
    how = _channels_compared(old[:, :1], fresh[:, :1])
    if old.shape[1] * was != fresh.shape[1] * now:
        how = tuple(dict.fromkeys(how + _compared(old.shape[1] * was, fresh.shape[1] * now, "sliced", "grown")))
    if was != now and old.shape[1] != fresh.shape[1]:
        how += ("regrouped",)
    if not how:
        return Resized(old)
    rows = origins(old.shape[0], fresh.shape[0], (1, 1))
    group = torch.arange(fresh.shape[0]) // (fresh.shape[0] // now)
    inputs = group.view(-1, 1) * fresh.shape[1] + torch.arange(fresh.shape[1]).view(1, -1)
    local = inputs - (rows // (old.shape[0] // was) * old.shape[1]).view(-1, 1)
    connected = (local >= 0) & (local < old.shape[1])
    kept = old[rows.clamp(min=0).view(-1, 1), local.clamp(0, old.shape[1] - 1)]
    kept = torch.where(connected[:, :, None, None], kept, 0)
    return Resized(torch.where((rows >= 0).view(-1, 1, 1, 1), kept, fresh), how)


def _channels_compared(old: Tensor, fresh: Tensor) -> tuple[str, ...]:
    outputs = _compared(old.shape[0], fresh.shape[0], "sliced", "grown")
    inputs = _compared(old.shape[1], fresh.shape[1], "sliced", "grown")
    return tuple(dict.fromkeys(outputs + inputs))


def _compared(old: int, new: int, less: str, more: str) -> tuple[str, ...]:
    if old == new:
        return ()
    return (more,) if new > old else (less,)
