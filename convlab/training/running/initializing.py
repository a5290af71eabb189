"""What a recipe changes of a network before its first step: rates and first values, never the architecture."""

from __future__ import annotations

import torch
from torch import nn

from convlab.language.design import Design
from convlab.language.turning import turn
from convlab.training.recipes.recipe import Recipe


def turned(design: Design, recipe: Recipe, *, loaded: bool = False) -> Design:
    """The design with the recipe's drop path, and with its layer scale in the stages that have one; its key stays.

    Where weights are ``loaded``, layer scales are theirs.
    """
    if recipe.drop_path >= 0:
        design = turn(design, "drop_path", recipe.drop_path)
    for index, stage in enumerate(design.stages):
        if not loaded and recipe.layer_scale and stage.block.layer_scale:
            design = turn(design, f"stages.{index}.block.layer_scale", recipe.layer_scale)
    return design


@torch.no_grad()
def pass_through(model: nn.Module) -> None:
    """Add 1 to the middle of every depthwise kernel, so that the layer passes its input on, beside what was drawn.

    Kernels of even height and width have no middle: the tap below and to the right of it is taken, which lies on the output's own pixel
    with the padding of convlab's layers.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and 1 < module.groups == module.in_channels == module.out_channels:
            height, width = module.kernel_size
            module.weight[:, :, height // 2, width // 2] += 1.0
