"""Optimisers: torch's AdamW and SGD, fused where the device takes it, and Muon."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import nn

from convlab.language.design import Design
from convlab.training.optimization.groups import parameter_groups
from convlab.training.recipes.recipe import Recipe


def optimizer(model: nn.Module, recipe: Recipe, design: Design) -> torch.optim.Optimizer:
    """The recipe's optimiser over the parameter groups of a model that is already on its device, at the peak learning rate.

    ``set_learning_rate`` of the schedule is due before every step.
    """
    rate = recipe.peak_learning_rate
    groups = [{**group, "lr": rate * group["lr_scale"]} for group in parameter_groups(model, recipe, design)]
    match recipe.optimizer:
        case "adamw":
            betas = (recipe.momentum, recipe.beta2)
            return torch.optim.AdamW(groups, rate, betas, recipe.epsilon, fused=_fused(model, torch.optim.AdamW))
        case "sgd":
            return torch.optim.SGD(
                groups, rate, recipe.momentum, nesterov=recipe.momentum > 0, fused=_fused(model, torch.optim.SGD)
            )
        case _:
            from convlab.training.optimization.muon import Muon  # timm takes seconds to import

            fused = _fused(model, torch.optim.AdamW)
            return Muon(groups, momentum=recipe.momentum, beta2=recipe.beta2, epsilon=recipe.epsilon, fused=fused)


def _fused(model: nn.Module, kind: Any) -> bool | None:
    """True where the fused step takes every parameter, None (torch's choice, foreach where it pays) elsewhere."""
    kinds = {(parameter.device.type, parameter.dtype) for parameter in model.parameters() if parameter.requires_grad}
    return all(_takes_fused(kind, *one) for one in kinds) or None


@cache
def _takes_fused(kind: Any, device: str, dtype: torch.dtype) -> bool:
    """Whether a fused step works on a device, found by taking one: torch has no public list."""
    scratch = torch.zeros(1, device=device, dtype=dtype, requires_grad=True)
    scratch.grad = torch.zeros_like(scratch)
    try:
        kind([scratch], lr=1e-3, fused=True).step()
    except (RuntimeError, NotImplementedError):
        return False
    return True
