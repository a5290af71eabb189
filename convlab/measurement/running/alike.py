"""Alike: networks of all packages without dropout and with weights drawn alike, so that like work is compared with like."""

from __future__ import annotations

import torch
from torch import nn

RATES = ("p", "rate")
"""What modules whose class is named after dropout or stochastic depth may call its rate; others name it after what it does."""

DROPS = ("drop", "stochasticdepth")


def alike(network: nn.Module) -> nn.Module:
    """The network, ``steady`` and ``redrawn``."""
    return redrawn(steady(network))


def steady(network: nn.Module) -> nn.Module:
    """The network without dropout and stochastic depth, of which the packages have different amounts by default."""
    for module in network.modules():
        kind = type(module).__name__.lower()
        drops = any(word in kind for word in DROPS)
        for name, value in tuple(vars(module).items()):
            if isinstance(value, float) and ("drop" in name or (drops and name in RATES)):
                setattr(module, name, 0.0)
    return network


@torch.no_grad()
def redrawn(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with normal weights of a variance of 1 over their inputs; vectors, as those of norms and layer scale, stay.

    transformers' initial weights of EfficientNet are so small that its maps become subnormal, which CPUs take 14 times as long for.
    """
    generator = torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        if weight.dim() > 1 and weight.is_floating_point():
            weight.normal_(0.0, weight[0].numel() ** -0.5, generator=generator)
    return network
