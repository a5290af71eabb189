"""The weights of a folded layer: convolutions, norms, layer scales and sums of branches as the kernel and the bias of one convolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from convlab.layers import BatchNorm, Layer, LayerScale, Named, Parallel, Pointwise, Row, Shape
from convlab.layers.folding import Source, steps
from convlab.layers.taps import Taps, taps

Weights = Mapping[str, Tensor]


def merged(row: Row, source: Source, weights: Weights) -> dict[str, Tensor]:
    """The weights of a folded layer by their keys, for each of its instances, in float64; ``weights`` are those before."""
    target = _Target(taps(row.layer, row.input), row.input)
    flat = isinstance(row.layer, Pointwise) and row.layer.form == "linear"
    found = {}
    for path in row.paths:
        kernel = _in_order(source.steps, source.folder(path), weights, target)
        found[f"{path}.weight"] = kernel.weight[:, :, 0, 0] if flat else kernel.weight
        if getattr(row.layer, "bias", False):
            found[f"{path}.bias"] = kernel.bias
    return found


class _Target(NamedTuple):
    """The convolution that is made: where it reads, and the shape that comes in."""

    taps: Taps
    x: Shape


class _Kernel(NamedTuple):
    """A convolution: weights of output channel, input channel of its group, row and column; one bias an output channel."""

    weight: Tensor
    bias: Tensor

    def then(self, affine: _Affine) -> _Kernel:
        """With a factor and a summand an output channel after it."""
        return _Kernel(self.weight * affine.scale.view(-1, 1, 1, 1), self.bias * affine.scale + affine.shift)

    def after(self, affine: _Affine, groups: int) -> _Kernel:
        """With a factor and a summand an input channel before it."""
        width, channels, *_ = self.weight.shape

        def seen(vector: Tensor) -> Tensor:  # by every output channel: the channels of its group
            return vector.view(groups, 1, channels).expand(-1, width // groups, -1).reshape(width, channels, 1, 1)

        shift = (self.weight * seen(affine.shift)).sum((1, 2, 3))
        return _Kernel(self.weight * seen(affine.scale), self.bias + shift)

    def plus(self, other: _Kernel) -> _Kernel:
        """The sum with another one."""
        return _Kernel(self.weight + other.weight, self.bias + other.bias)


class _Affine(NamedTuple):
    """A factor and a summand a channel."""

    scale: Tensor
    shift: Tensor

    def then(self, other: _Affine) -> _Affine:
        """With another one after it."""
        return _Affine(self.scale * other.scale, self.shift * other.scale + other.shift)


def _in_order(named: tuple[Named, ...], folder: str, weights: Weights, target: _Target) -> _Kernel:
    """Layers in order as one convolution: at most one of them is more than a factor and a summand a channel."""
    kernel: _Kernel | None = None
    some = next(iter(weights.values()))
    ones = torch.ones(target.x.channels, dtype=torch.float64, device=some.device)
    before = _Affine(ones, torch.zeros_like(ones))
    for name, layer in named:
        path = f"{folder}.{name}".strip(".")
        if not isinstance(layer, BatchNorm | LayerScale):
            assert kernel is None
            make = _sum if isinstance(layer, Parallel) else _own
            kernel = make(layer, path, weights, target).after(before, target.taps.groups)
        elif kernel is None:
            before = before.then(_affine(layer, path, weights))
        else:
            kernel = kernel.then(_affine(layer, path, weights))
    if kernel is not None:
        return kernel
    return _Kernel(_placed(before.scale.view(-1, 1, 1, 1), taps(None, target.x), target), before.shift)


def _affine(layer: BatchNorm | LayerScale, path: str, weights: Weights) -> _Affine:
    """What a norm by its running statistics, or a layer scale, multiplies and adds."""
    if isinstance(layer, LayerScale):
        gamma = weights[path].double()
        return _Affine(gamma, torch.zeros_like(gamma))
    names = ("weight", "bias", "running_mean", "running_var")
    weight, bias, mean, variance = (weights[f"{path}.{name}"].double() for name in names)
    scale = weight / torch.sqrt(variance + layer.eps)
    return _Affine(scale, bias - mean * scale)


def _sum(layer: Layer, path: str, weights: Weights, target: _Target) -> _Kernel:
    """Branches that see the same input."""
    assert isinstance(layer, Parallel)
    first, *others = (
        _in_order(tuple(steps(child)), f"{path}.{name}", weights, target) for name, child in layer.children
    )
    for other in others:
        first = first.plus(other)
    return first


def _own(layer: Layer, path: str, weights: Weights, target: _Target) -> _Kernel:
    """A convolution as it stands in the weights."""
    own = taps(layer, target.x)
    weight = weights[f"{path}.weight"].double()
    bias = weights.get(f"{path}.bias")
    placed = _placed(weight.view(own.width, -1, own.kernel_size, own.kernel_size), own, target)
    return _Kernel(placed, weight.new_zeros(own.width) if bias is None else bias.double())


def _placed(weight: Tensor, own: Taps, target: _Target) -> Tensor:
    """A convolution's weights among the taps of the one that is made; the others are 0."""
    goal = target.taps
    seen = target.x.channels // goal.groups
    rows, channels, places = (torch.arange(size, device=weight.device) for size in weight.shape[:3])
    columns = rows.view(-1, 1) // (own.width // own.groups) * len(channels) % seen + channels
    step = own.dilation // goal.dilation if own.kernel_size > 1 else 1
    where = places * step + (goal.before - own.before) // goal.dilation
    placed = weight.new_zeros(goal.width, seen, goal.kernel_size, goal.kernel_size)
    placed[rows.view(-1, 1, 1, 1), columns.view(len(rows), -1, 1, 1), where.view(-1, 1), where] = weight
    return placed
