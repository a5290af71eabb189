"""Networks that inherit: small designs of each kind, and one with a knob turned that takes over the weights of the other."""

import torch
from designs import design_of
from weights import randomized

from convlab.language.assigning import assign
from convlab.models import build
from convlab.weights.inheritance import inherit_weights

CONVNEXT = {
    "depths": [2, 3],
    "widths": [16, 32],
    "image": {"size": 32},
    "block": {"kind": "convnext", "kernel_size": 7, "layer_scale": 0.5},
    "head": {"classes": 10},
}
RESNET = {
    "depths": [2, 2],
    "widths": [32, 64],
    "strides": [1, 2],
    "image": {"size": 32},
    "stem": {"kind": "conv", "width": 16},
    "block": {"kind": "bottleneck"},
    "downsample": {"kind": "in_block"},
    "head": {"classes": 10, "norm": "none"},
}
SWIN = {
    "depths": [2, 4],
    "widths": [16, 32],
    "image": {"size": 48},
    "block": {"kind": "swin", "heads": 2, "window": 4},
    "downsample": {"kind": "patch_merging"},
    "head": {"classes": 10},
}
VIT = {
    "depths": [3],
    "widths": [24],
    "image": {"size": 32},
    "stem": {"kind": "patchify", "patch_size": 8, "norm": "none", "class_token": True, "position_embedding": True},
    "block": {"kind": "vit", "heads": 3},
    "head": {"classes": 10, "pool": "token", "norm_at": "before_pool"},
}


def changed(design, table):
    """The design with the knobs of a table turned."""
    found = assign(design, table)
    assert not found.faults, found.faults
    return found.design


def inherited(table, change, **options):
    """A network, the one of a changed design that inherited its weights, and the report."""
    design = design_of(table)
    old = randomized(build(design, seed=1))
    new = build(changed(design, change), seed=2).eval()
    return old, new, inherit_weights(new, old, **options)


def outputs(model, size=32, channels=3):
    with torch.no_grad():
        return model(torch.randn(2, channels, size, size, generator=torch.Generator().manual_seed(5)))


def hows(report, ending):
    """What was done to the tensors whose path ends so."""
    return {line.how for line in report.lines if line.path.endswith(ending)}
