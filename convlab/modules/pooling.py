"""Global pooling that keeps height and width 1."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn


@final
class GlobalAveragePool2d(nn.Module):
    """The mean over height and width of an NCHW map."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)


@final
class GlobalMaxPool2d(nn.Module):
    """The maximum over height and width of an NCHW map."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax((2, 3), keepdim=True)
