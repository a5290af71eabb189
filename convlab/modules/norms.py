"""Normalisation of NCHW maps over their channels, and global response normalisation."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional


@final
class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel of an NCHW map; the result is channels-last in memory."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


@final
class GroupNorm2d(nn.GroupNorm):
    """Group normalisation that also takes a single number a group, which torch's own refuses at batch 1."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps, torch.backends.cudnn.enabled)


@final
class RMSNorm2d(nn.Module):
    """Root-mean-square normalisation over the channels of each pixel of an NCHW map."""

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        channels = self.weight.shape
        return functional.rms_norm(x.permute(0, 2, 3, 1), channels, self.weight.to(x.dtype), self.eps).permute(
            0, 3, 1, 2
        )

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, eps={self.eps}"


@final
class GlobalResponseNorm2d(nn.Module):
    """Global response normalisation (Woo et al., 2023, arXiv:2301.00808) with one map of extra memory.

    x + weight * (x * n) + bias, n the channel's norm over its mean over channels, is computed as bias + x * (1 + weight * n).
    """

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        norm = x.norm(p=2, dim=(2, 3), keepdim=True)
        relative = norm / (norm.mean(dim=1, keepdim=True) + self.eps)
        scale = torch.addcmul(torch.ones_like(relative), self.weight.view(1, -1, 1, 1), relative)
        return torch.addcmul(self.bias.view(1, -1, 1, 1), x, scale)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, eps={self.eps}"
