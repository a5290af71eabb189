"""To which family of networks a design belongs, and so which table names its weights in other layouts."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from convlab.language.blocks import Block
from convlab.language.design import Design
from convlab.weights.tables import Table, read_table


class Family(NamedTuple):
    """Where a family's names are written, what is filled in, and the layouts that have no such networks."""

    file: str
    parts: tuple[tuple[str, str], ...] = ()
    without: tuple[str, ...] = ()


FAMILIES: Final[dict[str, Family]] = {
    "convnext": Family("convnext", (("p", "convnext"),), without=("fcmae",)),
    "convnext_v2": Family("convnext", (("p", "convnextv2"),)),
    "efficientnet": Family("efficientnet"),
    "isotropic": Family("isotropic"),
    "mobilenet": Family("mobilenet"),
    "regnet_x": Family("regnet", (("c", "2"),)),
    "regnet_y": Family("regnet", (("c", "3"),)),
    "resnet": Family("resnet"),
    "resnext": Family("resnet", without=("transformers",)),
    "swin": Family("swin"),
    "vit": Family("vit"),
}

KINDS: Final[dict[str, str]] = {
    "basic": "resnet",
    "fused_mbconv": "efficientnet",
    "regnet_x": "regnet_x",
    "regnet_y": "regnet_y",
    "swin": "swin",
    "vit": "vit",
}
"""The family of the kinds of blocks that belong to one alone."""


def table_of(design: Design) -> Table | None:
    """The table of a design's family; None where its blocks are of several families, or of none that others know."""
    family = "isotropic" if design.names == "facebookresearch" else ""
    for stage in design.stages:
        of_stage = family if family == "isotropic" else _family(stage.block)
        if family not in ("", of_stage) or not of_stage:
            return None
        family = of_stage
    return _table(FAMILIES[family])


def _family(block: Block) -> str:
    if block.order == "first" and block.kind != "custom":
        return "convnext_v2" if block.grn else "convnext"
    if block.kind == "bottleneck":
        return "resnet" if block.groups == 1 and not block.group_width else "resnext"
    if block.kind == "mbconv":
        return "efficientnet" if block.squeeze_ratio else "mobilenet"
    return KINDS.get(block.kind, "")


@cache
def _table(family: Family) -> Table:
    return read_table(family.file, dict(family.parts), family.without)
