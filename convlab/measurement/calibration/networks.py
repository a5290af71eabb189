"""Whole small networks of a calibration: what happens between layers shows in them alone. None of them is a preset."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count, product
from typing import Any

from convlab.costs import profile
from convlab.errors import ConvlabError
from convlab.language.assigning import assign
from convlab.language.design import Design
from convlab.language.validation import faults

IMAGES = (224, 192, 160, 128)
SMALL_IMAGES = (96, 64)
"""Taken last: wide networks on small images are all weights, which few networks that anybody designs are, and they would speak for all."""

PATCHES = {"stem": {"kind": "patchify", "patch_size": 4}, "downsample": {"kind": "separate"}}
STRIDED = {
    "stem": {"kind": "conv", "kernel_size": 3, "pool": "none"},
    "downsample": {"kind": "in_block"},
    "strides": 2,
    "head": {"norm": "none"},
}
POOLED = {
    "stem": {"kind": "conv", "kernel_size": 7},
    "downsample": {"kind": "in_block"},
    "head": {"norm": "none"},
}
COARSE = {"stem": {"kind": "patchify", "patch_size": 8}, "downsample": {"kind": "separate"}}
MERGED = {"stem": {"kind": "patchify", "patch_size": 4}, "downsample": {"kind": "patch_merging"}}

FORMS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("convnext", PATCHES, {"kind": "convnext"}),
    ("bottleneck", POOLED, {"kind": "bottleneck"}),
    ("mbconv", STRIDED, {"kind": "mbconv"}),
    ("swin", MERGED, {"kind": "swin", "head_width": 16}),
    ("vit", COARSE, {"kind": "vit", "head_width": 16}),
    ("regnet_y", STRIDED, {"kind": "regnet_y", "group_width": 16}),
    ("convnext_conv", PATCHES, {"kind": "convnext", "pointwise": "conv"}),
    ("basic", POOLED, {"kind": "basic"}),
    ("mixed", POOLED, {"kind": "bottleneck", "groups": "depthwise", "activation": "gelu", "expansion_ratio": 2.0}),
    ("convnext_v2", PATCHES, {"kind": "convnext_v2", "kernel_size": 5}),
    ("fused_mbconv", STRIDED, {"kind": "fused_mbconv"}),
    ("regnet_x", STRIDED, {"kind": "regnet_x", "group_width": 8}),
)
"""A name, the parts around the blocks, and the blocks."""

WIDTHS = (64, 32, 96, 48, 80)
NARROWER = (1, 2, 4)
WIDER = {"bottleneck": 4, "mixed": 2, "basic": 2, "regnet_x": 2, "regnet_y": 2}
"""Blocks whose hidden layers are narrow, or that have few layers, are wider in all networks."""
DEPTHS = ([2, 2, 4, 2], [1, 2, 6, 1], [3, 3, 3, 3], [1, 1, 2, 1])


def networks(most_macs: int, batch: int, most_of_batch: int) -> Iterator[tuple[Design, int]]:
    """Networks and their batches, for ever: each on the largest image at which one image, or a batch, stays within its multiply-adds."""
    for index in count():
        images = 1 if (index // len(FORMS) + index) % 2 else batch
        design = None
        for narrower, size in chain(product(NARROWER, IMAGES), product(NARROWER, SMALL_IMAGES)):
            found = _numbered(index, narrower, size)
            design = found or design
            if found is not None and profile(found).macs * images <= (most_of_batch if images > 1 else most_macs):
                break
        if design is not None:  # the smallest where none is small enough
            yield design, images


def _numbered(index: int, narrower: int, size: int) -> Design | None:
    """The network of a number, on images of a size; None where that cannot be."""
    name, around, block = FORMS[index % len(FORMS)]
    width = WIDTHS[index % len(WIDTHS)] * WIDER.get(name, 1) // narrower
    depths = DEPTHS[index % len(DEPTHS)]
    widths = [width * times for times in ((1, 2, 4, 8) if index % 3 else (1, 2, 3, 6))]
    table = {**around, "depths": list(depths), "widths": widths, "block": block, "image": {"size": size}}
    return _valid(table, f"{name}_{width}_wide_{size}_px")


def _valid(table: dict[str, Any], name: str) -> Design | None:
    found = assign(Design(name=name), table)
    if found.faults or faults(found.design):
        return None
    try:
        profile(found.design)
    except ConvlabError:
        return None
    return found.design
