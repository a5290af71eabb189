"""The variants whose ranking by a sprint is held against a longer training, and what ranks networks without any training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F

from convlab import build, load
from convlab.costs import profile
from convlab.language.assigning import assign
from convlab.language.design import Design
from convlab.training.batches.batches import Batches
from convlab.training.data.datasets import Dataset
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.initializing import pass_through, turned

EVERYWHERE = ["expand", "spatial", "project"]

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "k7 LN GELU": ("convnext_t", {}),
    "k3": ("convnext_t", {"block": {"kernel_size": 3}}),
    "k5": ("convnext_t", {"block": {"kernel_size": 5}}),
    "k11": ("convnext_t", {"block": {"kernel_size": 11}}),
    "k7 BN": ("convnext_t", {"block": {"norm": "batch_norm"}}),
    "k7 ReLU": ("convnext_t", {"block": {"activation": "relu"}}),
    "k7, act and norm after every layer": (
        "convnext_t",
        {"block": {"norm_after": EVERYWHERE, "activation_after": EVERYWHERE}},
    ),
    "k7 GRN": ("convnext_v2_t", {}),
    "k7 squeeze-excite": ("convnext_t", {"block": {"squeeze_ratio": 0.25}}),
    "k7 expansion 2": ("convnext_t", {"block": {"expansion_ratio": 2}}),
    "bottleneck 3x3 BN ReLU": ("resnet50", {}),
    # Two dense 3x3 convolutions have 18 C^2 multiply-adds a pixel, an inverted bottleneck 8 C^2: at 2/3 of the width they are alike.
    "dense 3x3 LN GELU": (
        "convnext_t",
        {"block": {"kind": "basic", "norm": "layer_norm", "activation": "gelu"}, "widths": [64, 128, 256, 512]},
    ),
}
"""A preset, and what is changed of it: kernels, norms, activations, and kinds of blocks."""


def designs() -> dict[str, Design]:
    """The variants as they are published, before anything is made smaller."""
    found = {}
    for name, (preset, table) in VARIANTS.items():
        made = assign(load(preset), table)
        assert not made.faults, (name, made.faults)
        found[name] = replace(made.design, name=name)
    return found


def costs(design: Design) -> dict[str, float]:
    """What ranks networks by their size alone."""
    figures = profile(design)
    return {"params": float(figures.params), "macs": float(figures.macs)}


def grad_norm(design: Design, data: Dataset, recipe: Recipe, *, seed: int, batches: int = 4) -> float:
    """The sum of the norms of all weights' gradients at the start (Abdelfattah et al., 2021, arXiv:2101.08134), a mean over batches.

    The network starts as the recipe has it, as one that is trained does.
    """
    model = build(turned(design, recipe), seed=seed)
    if recipe.dirac_depthwise:
        pass_through(model)
    found = Batches(data, recipe, seed=seed, device=torch.device("cpu"))
    total = 0.0
    for step in range(batches):
        batch = found.at(step)
        model.zero_grad()
        F.cross_entropy(model(batch.images), batch.targets).backward()
        total += sum(float(weight.grad.norm()) for weight in model.parameters() if weight.grad is not None)
    return total / batches
