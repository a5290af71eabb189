"""Convolutions that torch lacks: uneven padding at any stride, a 1x1 convolution realised as a linear layer, a strided one that trains."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn
from torch.nn import functional

FEW = 16
"""Channels below which oneDNN's strided 1x1 convolutions cannot be trained: a vector of AVX-512."""


@final
class PaddedConv2d(nn.Conv2d):
    """A convolution with one more pixel of padding after the map than before it, as even kernels need."""

    def __init__(
        self,
        channels: int,
        width: int,
        kernel_size: int,
        stride: int,
        padding: tuple[int, int],
        dilation: int,
        groups: int,
        bias: bool,
    ) -> None:
        super().__init__(channels, width, kernel_size, stride, 0, dilation, groups, bias)
        before, after = padding
        self.before = before
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (self.before, self.after, self.before, self.after))
        y: Tensor = self._conv_forward(padded, self.weight, self.bias)
        return y

    def extra_repr(self) -> str:
        shown: str = super().extra_repr()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return f"{shown}, before={self.before}, after={self.after}"


@final
class SubsampledConv2d(nn.Conv2d):
    """A 1x1 convolution that takes the pixels of its stride first; the same function.

    oneDNN, which torch runs on CPUs, writes past its memory in the backward pass of a strided 1x1 convolution over few channels in
    channels-last order (github.com/uxlfoundation/oneDNN/issues/6035); RepVGG's stem has one over the image's three.
    """

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = self.stride
        y: Tensor = functional.conv2d(x[:, :, ::rows, ::columns], self.weight, self.bias)
        return y


@final
class PointwiseLinear(nn.Linear):
    """A linear layer over the channels of an NCHW map; fastest where the map is channels-last in memory."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)


def convolution(
    channels: int,
    width: int,
    kernel_size: int,
    stride: int,
    padding: tuple[int, int],
    dilation: int,
    groups: int,
    bias: bool,
) -> nn.Conv2d:
    """Torch's convolution, or one of those above where torch's does not do."""
    before, after = padding
    if kernel_size == groups == 1 and stride > 1 and channels < FEW:
        return SubsampledConv2d(channels, width, 1, stride, bias=bias)
    if before == after:
        return nn.Conv2d(channels, width, kernel_size, stride, before, dilation, groups, bias)
    return PaddedConv2d(channels, width, kernel_size, stride, padding, dilation, groups, bias)
