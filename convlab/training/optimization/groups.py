"""Which parameters are stepped alike: those of one kind, one decay, and one factor of the learning rate."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

from torch import nn

from convlab.language.design import Design, lower
from convlab.training.recipes.recipe import Recipe

BESIDE_MUON = 0.15
"""Factor of the learning rate of parameters that Muon leaves to AdamW; measured on Fashion-MNIST."""

BLOCKS_A_GROUP = {"block": 1, "twelve": 3}
"""Consecutive blocks that learn alike under layer decay; three make twelve groups of depths 3, 3, 27, 3."""


def parameter_groups(model: nn.Module, recipe: Recipe, design: Design) -> list[dict[str, Any]]:
    """The groups of the parameters that are trained, as optimisers of torch take them; ``model`` carries the design's names.

    Keys: params, names, lr_scale (factor of the schedule's learning rate), weight_decay, kind ("adamw", "sgd" or "muon").
    """
    stem_or_head = tuple(f"{part.path}." for part in lower(design).parts if part.head or part.path == "stem")
    dense = _dense(model) if recipe.optimizer == "muon" else frozenset()
    found: dict[tuple[str, bool, float], dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        kind = recipe.optimizer
        if kind == "muon" and (name not in dense or name.startswith(stem_or_head)):
            kind = "adamw"
        scale = layer_rate(name, design, recipe) * (BESIDE_MUON if kind != recipe.optimizer else 1.0)
        decayed = is_decayed(name, parameter)
        decay = recipe.weight_decay if decayed else 0.0
        fresh = {"params": [], "names": [], "lr_scale": scale, "weight_decay": decay, "kind": kind}
        group = found.setdefault((kind, decayed, scale), fresh)
        group["params"].append(parameter)
        group["names"].append(name)
    return list(found.values())


def is_decayed(name: str, parameter: nn.Parameter) -> bool:
    """Whether a parameter is a matrix or a kernel: vectors, biases, layer scale, GRN, tokens and embeddings are not decayed."""
    return parameter.ndim > 1 and name.rpartition(".")[2] == "weight"


def layer_rate(name: str, design: Design, recipe: Recipe) -> float:
    """The factor of a parameter's learning rate under layer-wise decay: 1 in the head, less the nearer it is to the image.

    With depths 3, 3, 27, 3 these are the groups of ConvNeXt's fine-tuning ("twelve") and of ConvNeXt V2's ("block").
    """
    if recipe.layer_decay == 1:
        return 1.0
    size = BLOCKS_A_GROUP[recipe.layer_decay_groups]
    counts = [math.ceil(depth / size) for depth in design.depths]
    after = sum(counts) + 1
    place = layer_place(name, design)
    if place is None:
        return 1.0
    stage, block = place
    # One group a block has the stem learn with the first block, three blocks a group by itself, both as published.
    group = size == 1 if stage < 0 else 1 + [0, *accumulate(counts)][stage] + block // size
    return float(recipe.layer_decay ** (after - group))


def layer_place(name: str, design: Design) -> tuple[int, int] | None:
    """The stage and the block of a parameter by its name, a downsampling with the block after it; (-1, 0) in the stem, None in the head."""
    words = name.split(".")
    if words[0] == "stem":
        return -1, 0
    if design.names == "facebookresearch":
        words = ["stages", "0", *words]
    match words:
        case ["stages", stage, "downsample", *_]:
            return int(stage), 0
        case ["stages", stage, "blocks", block, *_]:
            return int(stage), int(block)
        case _:
            return None


def _dense(model: nn.Module) -> frozenset[str]:
    """The names of weights that mix all channels with all: of linear layers, and of convolutions without groups."""
    return frozenset(
        f"{name}.weight"
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.groups == 1)
    )
