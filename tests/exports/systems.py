"""The networks that exports are tried on: one preset of each system, made small, with weights under which no path is silent."""

import dataclasses
from functools import cache

import torch
from designs import design_of, small
from models.weights import randomized

from convlab import build

NAMES = (
    "convnext_t",
    "convnext_v2_t",
    "convnext_iso_s",
    "resnet18",
    "resnext50_32x4d",
    "regnety_400mf",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "mobilenet_v2",
    "repvgg_a0",
    "swin_t",
    "deit_s",
)

OTHERS = (
    "small roadmap/09_kernel_7",
    "small replknet_31b",
    "hybrid",
    "custom4-separate",
    "attention-hybrid-attention",
    "attention-custom-attention",
)
"""Designs of the sweep that mix what presets keep apart."""

FULL_SIZE = ("convnext_atto", "swin_t")
"""Depth, and maps of many windows; what layers there are, the tiny ones show."""


@cache
def tiny(name):
    """A preset's small form with one block a stage, and two in the first two: enough for every kind of block that it has."""
    design = small(name)
    stages = tuple(
        dataclasses.replace(stage, depth=min(stage.depth, 2 if index < 2 else 1))
        for index, stage in enumerate(design.stages)
    )
    return dataclasses.replace(design, stages=stages)


MIXED = {
    "depths": [2, 1, 2, 2],
    "widths": [16, 24, 32, 32],
    "image": {"size": 64},
    "head": {"classes": 10},
    "stages": {
        "0": {
            "block": {
                "kind": "custom",
                "shortcut": "none",
                "norm": "batch_norm",
                "branch": ["parallel(chain(conv(3, 1x), norm), chain(pointwise(1x), norm), norm)", "activation(relu)"],
            }
        },
        "1": {"block": {"kind": "regnet_y", "group_width": 8}, "downsample": {"kind": "in_block"}},
        "2": {"block": {"kind": "convnext_v2", "pointwise": "linear"}},
        "3": {"block": {"kind": "swin", "head_width": 8}, "downsample": {"kind": "patch_merging"}},
    },
}


@cache
def mixed():
    """Parallel branches, grouped convolutions with squeeze-and-excitation, linear layers with response norms, windows: one a stage."""
    return dataclasses.replace(design_of(MIXED), name="mixed")


@cache
def least():
    """One block, for what hangs on no network."""
    table = {"depths": [1], "widths": [16], "image": {"size": 64}, "head": {"classes": 10}, "block": {"kind": "basic"}}
    return dataclasses.replace(design_of(table), name="least")


def alive(design):
    """A state dict of a design, in which norms, layer scales and running statistics all matter."""
    return randomized(build(design, channels_last=False)).state_dict()


def outputs(design, weights, images):
    """What the model itself computes."""
    model = build(design).eval()
    model.load_state_dict(weights)
    with torch.no_grad():
        return model(images)


def assert_same_outputs(run, design, weights):
    """``run`` computes what the model computes, for batches that the export itself did not try."""
    generator = torch.Generator().manual_seed(7)
    for batch in (1, 2, 5):
        images = torch.randn(batch, *design.image.shape, generator=generator)
        expected = outputs(design, weights, images)
        assert expected.std() > 1e-3
        assert (run(images) - expected).abs().max() <= 1e-4 * expected.abs().max()
