"""Stochastic depth (Huang et al., 2016, arXiv:1603.09382)."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn


@final
class DropPath(nn.Module):
    """Drops a residual branch for whole images at random while training, and scales up those that stay."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        keep = 1.0 - self.rate
        mask = x.new_empty((x.shape[0], 1, 1, 1)).bernoulli_(keep)
        return x * (mask / keep)

    def extra_repr(self) -> str:
        return f"rate={self.rate:.4f}"
