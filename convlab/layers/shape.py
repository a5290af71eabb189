"""The shape of a feature map and the window through which a layer sees its input; ints, or int64 arrays in their place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from types import ModuleType


class Shape(NamedTuple):
    """One feature map: channels, height and width (a vector has height and width 1)."""

    channels: int
    height: int
    width: int

    @property
    def positions(self) -> int:
        """Pixels of one channel."""
        return self.height * self.width

    @property
    def elements(self) -> int:
        """Numbers in the map."""
        return self.channels * self.height * self.width


class Window(NamedTuple):
    """The interval of input pixels that one output pixel sees along one axis.

    Output pixel i sees the input pixels from ``start + i * stride`` on, ``size`` of them; a negative start lies in the padding.
    """

    size: int
    stride: int
    start: int

    def then(self, outer: Window) -> Window:
        """The window of a layer with window ``outer`` that runs after this one, seen from this one's input."""
        return Window(
            self.size + (outer.size - 1) * self.stride,
            self.stride * outer.stride,
            self.start + outer.start * self.stride,
        )


POINT: Final = Window(1, 1, 0)


class Interval(NamedTuple):
    """Pixels along one axis, from the first to the last; arrays stand for as many intervals."""

    first: int
    last: int

    def moved(self, by: int) -> Interval:
        """As many pixels further on."""
        return Interval(self.first + by, self.last + by)

    def hull(self, other: Interval) -> Interval:
        """From the first pixel of both to the last."""
        return Interval(smaller(self.first, other.first), larger(self.last, other.last))


def convolution_window(kernel_size: int, stride: int, dilation: int, before: int) -> Window:
    """The window of a convolution or a pool whose padding starts ``before`` pixels before the map."""
    return Window((kernel_size - 1) * dilation + 1, stride, -before)


def united(one: Window, other: Window) -> Window:
    """The hull of two windows of equal stride."""
    start = smaller(one.start, other.start)
    end = larger(one.start + one.size, other.start + other.size)
    return Window(end - start, one.stride, start)


def narrower(one: Window, other: Window) -> Window:
    """The smaller of two windows of equal stride."""
    if type(one.size) is int and type(other.size) is int:
        return one if one.size <= other.size else other
    first: Any = one.size <= other.size
    where = _numpy().where
    return Window(where(first, one.size, other.size), one.stride, where(first, one.start, other.start))


def larger(one: int, other: int) -> int:
    """The larger of two ints, or of two arrays element by element."""
    if type(one) is int and type(other) is int:
        return one if one >= other else other
    maximum: int = _numpy().maximum(one, other)
    return maximum


def smaller(one: int, other: int) -> int:
    """The smaller of two ints, or of two arrays element by element."""
    if type(one) is int and type(other) is int:
        return one if one <= other else other
    minimum: int = _numpy().minimum(one, other)
    return minimum


def largest(values: int) -> int:
    """The largest of an array."""
    return int(_numpy().max(values))


def smallest(values: int) -> int:
    """The smallest of an array."""
    return int(_numpy().min(values))


def counted(count: int) -> int:
    """The array of the first numbers, from 0."""
    numbers: int = _numpy().arange(count)
    return numbers


def rounded(value: float) -> int:
    """The nearest whole number (halves go to even), at least 1."""
    if type(value) is float or type(value) is int:
        return max(1, round(value))
    numpy = _numpy()
    whole: int = numpy.maximum(1, numpy.rint(value)).astype(numpy.int64)
    return whole


def common_divisor(one: int, other: int) -> int:
    """The greatest common divisor."""
    if type(one) is int and type(other) is int:
        return math.gcd(one, other)
    divisor: int = _numpy().gcd(one, other)
    return divisor


def covered(size: int, span: int, stride: int, padding: int) -> int:
    """How many windows of ``span`` pixels fit a line of ``size`` pixels with ``padding`` in all."""
    return (size + padding - span) // stride + 1


def _numpy() -> ModuleType:
    """numpy, imported only where arrays come: a single design is costed without it."""
    import numpy

    return numpy
