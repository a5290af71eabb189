"""Pooling, flattening and dropout: the leaves without parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convlab.layers.layer import Field, Layer, Live, layer
from convlab.layers.shape import POINT, Shape, convolution_window, covered

if TYPE_CHECKING:
    from torch import nn


class _Pool(Layer):
    """What max and average pooling share: a window with half a kernel of padding on both sides."""

    __slots__ = ()
    kernel_size: int
    stride: int

    @property
    def padding(self) -> int:
        """Padding on each side; none for even kernels."""
        return (self.kernel_size // 2) * (self.kernel_size % 2)

    def output(self, x: Shape) -> Shape:
        arguments = (self.kernel_size, self.stride, 2 * self.padding)
        return Shape(x.channels, covered(x.height, *arguments), covered(x.width, *arguments))

    def field(self) -> Field:
        window = convolution_window(self.kernel_size, self.stride, 1, self.padding)
        return Field(window, window)

    def dropped(self, x: Shape) -> tuple[int, int]:
        def outside(size: int) -> int:
            return max(0, (size + 2 * self.padding - self.kernel_size) % self.stride - self.padding)

        return outside(x.height), outside(x.width)

    def label(self) -> str:
        return f"{type(self).__name__} {self.kernel_size}x{self.kernel_size}, stride {self.stride}"


@layer
class MaxPool(_Pool):
    """Max pooling over a square window."""

    kernel_size: int
    stride: int

    def workspace(self, x: Shape) -> int:
        return 2 * self.output(x).elements  # the int64 indices of the maxima

    def kept(self, x: Shape) -> int:
        return 8 * self.output(x).elements

    def module(self, x: Shape) -> nn.Module:
        from torch import nn

        return nn.MaxPool2d(self.kernel_size, self.stride, self.padding)


@layer
class AveragePool(_Pool):
    """Average pooling over a square window; padding counts as zeros."""

    kernel_size: int
    stride: int

    def module(self, x: Shape) -> nn.Module:
        from torch import nn

        return nn.AvgPool2d(self.kernel_size, self.stride, self.padding)


@layer
class GlobalAveragePool(Layer):
    """The mean over the whole map; height and width 1 remain."""

    def output(self, x: Shape) -> Shape:
        return Shape(x.channels, 1, 1)

    def field(self) -> Field:
        return Field(None, POINT)

    def keeps_input(self, x: Shape) -> int:
        return 0

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import GlobalAveragePool2d

        return GlobalAveragePool2d()


@layer
class GlobalMaxPool(Layer):
    """The maximum over the whole map; height and width 1 remain."""

    def output(self, x: Shape) -> Shape:
        return Shape(x.channels, 1, 1)

    def field(self) -> Field:
        return Field(None, POINT)

    def keeps_output(self) -> int:
        return 1

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import GlobalMaxPool2d

        return GlobalMaxPool2d()


@layer
class Flatten(Layer):
    """A map of height and width 1 as a vector."""

    def live(self, x: Shape) -> Live:
        return Live(0, 0)

    def keeps_input(self, x: Shape) -> int:
        return 0

    def is_view(self) -> int:
        return 1

    def module(self, x: Shape) -> nn.Module:
        from torch import nn

        return nn.Flatten(1)


@layer
class Dropout(Layer):
    """Dropout of single elements; nothing at inference."""

    rate: float

    def live(self, x: Shape) -> Live:
        return Live(0, 0)

    def keeps_input(self, x: Shape) -> int:
        return 0

    def kept(self, x: Shape) -> int:
        return 4 * x.elements  # the mask

    def signature(self) -> list[Any]:
        return []  # a rate of training, not part of what the network is

    def module(self, x: Shape) -> nn.Module:
        from torch import nn

        return nn.Dropout(self.rate)
