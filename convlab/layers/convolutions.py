"""Convolutions and linear layers: the leaves that multiply."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from convlab.layers.layer import Field, Layer, layer
from convlab.layers.shape import Shape, convolution_window, covered

if TYPE_CHECKING:
    from torch import nn


def _outside(size: int, span: int, stride: int, before: int, after: int) -> int:
    """Pixels at the end of a line that no window covers, padding not counted."""
    return max(0, (size + before + after - span) % stride - after)


@layer
class Convolution(Layer):
    """A 2-d convolution of a square kernel, with as much padding before as after or, for even kernels, one more after.

    ``same`` pads so that the output is ceil(size / stride); otherwise there is no padding and what does not fill a kernel is dropped.
    """

    width: int
    kernel_size: int
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    bias: bool = False
    same: bool = True
    multiplies: ClassVar[bool] = True
    hands_over: ClassVar[bool] = True

    @property
    def span(self) -> int:
        """Input pixels from the first to the last tap."""
        return (self.kernel_size - 1) * self.dilation + 1

    @property
    def before(self) -> int:
        """Padding before the map."""
        return (self.span - 1) // 2 if self.same else 0

    @property
    def after(self) -> int:
        """Padding after the map."""
        return self.span - 1 - self.before if self.same else 0

    def output(self, x: Shape) -> Shape:
        span, stride = self.span, self.stride
        padding = span - 1 if self.same else 0
        return Shape(self.width, covered(x.height, span, stride, padding), covered(x.width, span, stride, padding))

    def params(self, x: Shape) -> int:
        weights = self.width * (x.channels // self.groups) * self.kernel_size * self.kernel_size
        return weights + self.width if self.bias else weights

    def macs(self, x: Shape) -> int:
        y = self.output(x)
        return y.height * y.width * self.width * (x.channels // self.groups) * self.kernel_size * self.kernel_size

    def field(self) -> Field:
        window = convolution_window(self.kernel_size, self.stride, self.dilation, self.before)
        return Field(window, window)

    def workspace(self, x: Shape) -> int:
        return _padded_copy(x, self.before, self.after) if self.same else 0

    def keeps_input(self, x: Shape) -> int:
        return 1 - (self.after - self.before)

    def kept(self, x: Shape) -> int:
        return 4 * self.workspace(x)

    def dropped(self, x: Shape) -> tuple[int, int]:
        arguments = (self.span, self.stride, self.before, self.after)
        return _outside(x.height, *arguments), _outside(x.width, *arguments)

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import convolution

        return convolution(
            x.channels,
            self.width,
            self.kernel_size,
            self.stride,
            (self.before, self.after),
            self.dilation,
            self.groups,
            self.bias,
        )

    def label(self) -> str:
        return f"Convolution {self.kernel_size}x{self.kernel_size}{_marks(self.stride, self.dilation, self.groups)}"


@layer
class Depthwise(Layer):
    """A depthwise convolution: one filter a channel, padded as ``Convolution`` does it."""

    kernel_size: int
    stride: int = 1
    dilation: int = 1
    bias: bool = False
    multiplies: ClassVar[bool] = True
    hands_over: ClassVar[bool] = True

    @property
    def span(self) -> int:
        """Input pixels from the first to the last tap."""
        return (self.kernel_size - 1) * self.dilation + 1

    def output(self, x: Shape) -> Shape:
        return Shape(x.channels, (x.height - 1) // self.stride + 1, (x.width - 1) // self.stride + 1)

    def params(self, x: Shape) -> int:
        weights = x.channels * self.kernel_size * self.kernel_size
        return weights + x.channels if self.bias else weights

    def macs(self, x: Shape) -> int:
        return self.output(x).elements * self.kernel_size * self.kernel_size

    def field(self) -> Field:
        window = convolution_window(self.kernel_size, self.stride, self.dilation, (self.span - 1) // 2)
        return Field(window, window)

    def workspace(self, x: Shape) -> int:
        return _padded_copy(x, (self.span - 1) // 2, self.span // 2)

    def keeps_input(self, x: Shape) -> int:
        return self.span % 2

    def kept(self, x: Shape) -> int:
        return 4 * self.workspace(x)

    def dropped(self, x: Shape) -> tuple[int, int]:
        arguments = (self.span, self.stride, (self.span - 1) // 2, self.span // 2)
        return _outside(x.height, *arguments), _outside(x.width, *arguments)

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import convolution

        padding = ((self.span - 1) // 2, self.span // 2)
        return convolution(
            x.channels, x.channels, self.kernel_size, self.stride, padding, self.dilation, x.channels, self.bias
        )

    def label(self) -> str:
        return f"Depthwise {self.kernel_size}x{self.kernel_size}{_marks(self.stride, self.dilation, 1)}"


@layer
class Pointwise(Layer):
    """A 1x1 convolution; ``form`` says whether it is realised as a linear layer over the channels or as a convolution."""

    width: int
    bias: bool = False
    form: str = "conv"
    multiplies: ClassVar[bool] = True
    hands_over: ClassVar[bool] = True
    appearance: ClassVar[frozenset[str]] = frozenset({"form"})

    def output(self, x: Shape) -> Shape:
        return Shape(self.width, x.height, x.width)

    def params(self, x: Shape) -> int:
        weights = self.width * x.channels
        return weights + self.width if self.bias else weights

    def macs(self, x: Shape) -> int:
        return x.height * x.width * self.width * x.channels

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import PointwiseLinear, convolution

        if self.form == "linear":
            return PointwiseLinear(x.channels, self.width, bias=self.bias)
        return convolution(x.channels, self.width, 1, 1, (0, 0), 1, 1, self.bias)

    def label(self) -> str:
        return "Pointwise"


@layer
class Linear(Layer):
    """A linear layer on a vector."""

    width: int
    bias: bool = True
    multiplies: ClassVar[bool] = True
    hands_over: ClassVar[bool] = True

    def output(self, x: Shape) -> Shape:
        return Shape(self.width, 1, 1)

    def params(self, x: Shape) -> int:
        weights = self.width * x.channels
        return weights + self.width if self.bias else weights

    def macs(self, x: Shape) -> int:
        return self.width * x.channels

    def module(self, x: Shape) -> nn.Module:
        from torch import nn

        return nn.Linear(x.channels, self.width, bias=self.bias)


def _padded_copy(x: Shape, before: int, after: int) -> int:
    """Elements of the padded copy that uneven padding needs, 0 where the padding is even."""
    uneven = after - before  # 0 or 1: the span is odd or even
    return uneven * x.channels * (x.height + before + after) * (x.width + before + after)


def _marks(stride: int, dilation: int, groups: int) -> str:
    marks = (
        [f"stride {stride}"] * (stride > 1)
        + [f"dilation {dilation}"] * (dilation > 1)
        + [f"groups {groups}"] * (groups > 1)
    )
    return ", " + ", ".join(marks) if marks else ""
