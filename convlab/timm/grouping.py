"""Which parameters belong together, for layer-wise learning rates, and which are not decayed."""

from __future__ import annotations

from typing import Any

from torch import nn

from convlab.language.design import Design

_WITH_LAST = (99999,)
"""timm's sign for parameters that belong to the group before them."""

_ADDED = frozenset({"class_token", "position_embedding", "relative_position_bias"})


def group_matcher(design: Design, trunk: list[str], coarse: bool) -> dict[str, Any]:
    """The patterns: the stem; the blocks (``coarse``: the stages) with the downsampling before them; the rest is the head's."""
    stages = [name for name in ("stages", "blocks") if name in trunk]
    after = trunk[trunk.index(stages[0]) + 1 :] if stages else []
    if design.names == "facebookresearch":
        blocks: list[tuple[str, Any]] = [(r"^downsample\.", (0,)), (r"^blocks\.(\d+)\.", None)]
    elif coarse:
        blocks = [(r"^stages\.(\d+)\.", None)]
    else:
        blocks = [(r"^stages\.(\d+)\.downsample\.", (0,)), (r"^stages\.(\d+)\.blocks\.(\d+)\.", None)]
    if after:
        blocks.append((rf"^(?:{'|'.join(after)})\.", _WITH_LAST))
    return {"stem": r"^stem\.", "blocks": blocks}


def without_decay(model: nn.Module) -> set[str]:
    """The names of parameters that are added to maps or logits."""
    return {name for name, _ in model.named_parameters() if name.rpartition(".")[2] in _ADDED}
