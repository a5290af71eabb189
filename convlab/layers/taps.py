"""The sum of two convolutions of one input as one convolution: where each of them reads, and where the sum does."""

from __future__ import annotations

import math
from typing import NamedTuple

from convlab.layers.convolutions import Convolution, Depthwise, Pointwise
from convlab.layers.layer import Layer
from convlab.layers.norms import BatchNorm
from convlab.layers.shape import Shape


class Taps(NamedTuple):
    """Where a convolution reads: pixels of its input beside the one that its output pixel stands on, and which channels."""

    width: int
    kernel_size: int
    stride: int
    dilation: int
    groups: int

    @property
    def span(self) -> int:
        """Input pixels from the first tap to the last."""
        return (self.kernel_size - 1) * self.dilation + 1

    @property
    def before(self) -> int:
        """Input pixels before the output pixel's own."""
        return (self.span - 1) // 2


def taps(layer: Layer | None, x: Shape) -> Taps:
    """The taps of a convolution, of a batch norm, or of an identity (None), all as a convolution has them."""
    match layer:
        case Convolution():
            return Taps(layer.width, layer.kernel_size, layer.stride, layer.dilation, layer.groups)
        case Depthwise():
            return Taps(x.channels, layer.kernel_size, layer.stride, layer.dilation, x.channels)
        case Pointwise():
            return Taps(layer.width, 1, 1, 1, 1)
        case _:
            return Taps(x.channels, 1, 1, 1, x.channels)


def summed(one: Layer | None, other: Layer | None, x: Shape) -> Layer | None:
    """One convolution for the sum of two; None where there is none, or where it would multiply more than the two."""
    first, second = taps(one, x), taps(other, x)
    if first.stride != second.stride or first.width != second.width:
        return None
    groups = math.gcd(first.groups, second.groups)
    span = max(first.span, second.span)
    spacing = [each.dilation for each in (first, second) if each.kernel_size > 1]
    dilation = math.gcd(*spacing, abs(first.before - second.before)) or 1
    found = _convolution(Taps(first.width, (span - 1) // dilation + 1, first.stride, dilation, groups), (one, other), x)
    together = sum(0 if layer is None else layer.macs(x) for layer in (one, other))
    return found if found.macs(x) <= together else None


def _convolution(taps: Taps, of: tuple[Layer | None, ...], x: Shape) -> Layer:
    """The convolution with these taps, of the class that says it best."""
    width, kernel_size, stride, dilation, groups = taps
    bias = any(isinstance(layer, BatchNorm) or getattr(layer, "bias", False) for layer in of)
    if groups == x.channels == width:
        return Depthwise(kernel_size, stride, dilation, bias)
    forms = [layer.form for layer in of if isinstance(layer, Pointwise)]
    if forms and kernel_size == 1:
        return Pointwise(width, bias, forms[0])
    return Convolution(width, kernel_size, stride, dilation, groups, bias)
