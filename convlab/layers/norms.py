"""Normalisation layers over feature maps. A new norm is one class here and its name in ``NORMS``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from convlab.layers.layer import Field, Layer, layer
from convlab.layers.shape import POINT, Shape, common_divisor

if TYPE_CHECKING:
    from torch import nn


@layer
class BatchNorm(Layer):
    """Batch normalisation (Ioffe and Szegedy, 2015, arXiv:1502.03167)."""

    eps: float = 1e-5
    hands_over: ClassVar[bool] = True

    def params(self, x: Shape) -> int:
        return 2 * x.channels

    def kept_once(self, x: Shape) -> int:
        return 8 * x.channels  # the mean and the inverse deviation of every channel

    def module(self, x: Shape) -> nn.Module:
        from torch import nn

        return nn.BatchNorm2d(x.channels, eps=self.eps)


@layer
class LayerNorm(Layer):
    """Layer normalisation over the channels of each pixel (Ba et al., 2016, arXiv:1607.06450)."""

    eps: float = 1e-6
    hands_over: ClassVar[bool] = True

    def params(self, x: Shape) -> int:
        return 2 * x.channels

    def workspace(self, x: Shape) -> int:
        return 2 * x.positions  # the mean and the inverse deviation of every pixel

    def kept(self, x: Shape) -> int:
        return 8 * x.positions  # as the workspace

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import LayerNorm2d

        return LayerNorm2d(x.channels, eps=self.eps)


@layer
class GroupNorm(Layer):
    """Group normalisation over 32 channel groups, or as many as divide the channels (Wu and He, 2018, arXiv:1803.08494)."""

    eps: float = 1e-5
    groups: int = 32
    hands_over: ClassVar[bool] = True

    def params(self, x: Shape) -> int:
        return 2 * x.channels

    def field(self) -> Field:
        return Field(None, POINT)

    def workspace(self, x: Shape) -> int:
        return 2 * common_divisor(x.channels, self.groups)

    def kept(self, x: Shape) -> int:
        return 8 * common_divisor(x.channels, self.groups)

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import GroupNorm2d

        return GroupNorm2d(common_divisor(x.channels, self.groups), x.channels, eps=self.eps)


@layer
class RMSNorm(Layer):
    """Root-mean-square normalisation over the channels of each pixel (Zhang and Sennrich, 2019, arXiv:1910.07467)."""

    eps: float = 1e-6
    hands_over: ClassVar[bool] = True

    def params(self, x: Shape) -> int:
        return x.channels

    def workspace(self, x: Shape) -> int:
        return x.elements + x.positions  # the map before its weights, and the inverse root of every pixel

    def kept(self, x: Shape) -> int:
        return 4 * (x.elements + x.positions)  # as the workspace

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import RMSNorm2d

        return RMSNorm2d(x.channels, eps=self.eps)


@layer
class GlobalResponseNorm(Layer):
    """Global response normalisation (Woo et al., 2023, arXiv:2301.00808): every pixel sees the norms of the whole map."""

    eps: float = 1e-6
    hands_over: ClassVar[bool] = True

    def params(self, x: Shape) -> int:
        return 2 * x.channels

    def field(self) -> Field:
        return Field(None, POINT)

    def workspace(self, x: Shape) -> int:
        return 3 * x.channels  # the norms, those relative to their mean, and the scale that they give

    def kept(self, x: Shape) -> int:
        return 4 * (3 * x.channels + 1)

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import GlobalResponseNorm2d

        return GlobalResponseNorm2d(x.channels, eps=self.eps)


NORMS: dict[str, type[Layer]] = {
    "batch_norm": BatchNorm,
    "layer_norm": LayerNorm,
    "group_norm": GroupNorm,
    "rms_norm": RMSNorm,
}
