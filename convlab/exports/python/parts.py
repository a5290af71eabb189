"""Functions and modules that torch itself lacks, as an exported file holds them: copied as text, never imported by convlab."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def sequence(**modules: nn.Module) -> nn.Sequential:
    """Modules in order, by their names."""
    return nn.Sequential(OrderedDict(modules))


def drop_path_rates(last: float, depths: Sequence[int]) -> list[list[float]]:
    """The rates of all blocks, stage by stage: from 0 in the first to ``last``."""
    steps = max(1, sum(depths) - 1)
    rates = iter([last * index / steps for index in range(sum(depths))])
    return [[next(rates) for _ in range(depth)] for depth in depths]


class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel of an NCHW map."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__(width, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class RMSNorm2d(nn.RMSNorm):
    """Root-mean-square normalisation over the channels of each pixel."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__(width, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class GroupNorm2d(nn.GroupNorm):
    """Group normalisation that takes a group of a single number, too."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class GlobalResponseNorm2d(nn.Module):
    """Global response normalisation (Woo et al., 2023, arXiv:2301.00808)."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        norm: Tensor = torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True)
        relative = norm / (norm.mean(dim=1, keepdim=True) + self.eps)
        weight, bias = self.weight.view(-1, 1, 1), self.bias.view(-1, 1, 1)
        return x + weight * (x * relative) + bias


class Linear2d(nn.Linear):
    """A linear layer over the channels of an NCHW map."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class UnevenConv2d(nn.Conv2d):
    """A convolution that keeps the map at stride 1, also with an even kernel: that
    needs one more pixel of padding after the map than before it."""

    def forward(self, x: Tensor) -> Tensor:
        margin = self.dilation[0] * (self.kernel_size[0] - 1)
        before, after = margin // 2, margin - margin // 2
        return super().forward(functional.pad(x, (before, after, before, after)))


class Sum(nn.ModuleList):
    """The sum of branches that see the same input."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__(branches)

    def forward(self, x: Tensor) -> Tensor:
        first, *others = self
        total: Tensor = first(x)
        for branch in others:
            total = total + branch(x)
        return total


class Concatenation(nn.ModuleList):
    """Branches that each see an equal share of the channels, side by side."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__(branches)

    def forward(self, x: Tensor) -> Tensor:
        shares = x.chunk(len(self), dim=1)
        pairs = zip(self, shares, strict=True)
        return torch.cat([branch(share) for branch, share in pairs], dim=1)


class DropPath(nn.Module):
    """Drops a residual branch for whole images while training, and scales up those
    that stay (stochastic depth, Huang et al., 2016, arXiv:1603.09382)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        keep = 1.0 - self.rate
        return x * x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(keep).div_(keep)
