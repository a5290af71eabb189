"""The designs over which timm's contract is swept, small enough to be run, and their models."""

import pytest
import timm
import torch
from designs import small, swept

import convlab.timm  # noqa: F401  # registers the models

FAMILIES = (
    "convnext_t",
    "convnext_v2_t",
    "convnext_iso_s",
    "convnext_rep_t",
    "resnet18",
    "resnext50_32x4d",
    "regnety_400mf",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "mobilenet_v2",
    "swin_t",
    "deit_s",
    "repvgg_a0",
    "replknet_31b",
    "roadmap/04_depthwise",
)
"""One preset of each family, run in small form."""

OTHERS = (
    "hybrid",
    "custom1-in_block",
    "custom15-average_pool",
    "attention-hybrid-attention",
    "attention-swin-pooled",
    "attention-vit-map",
    "attention-vit-stages",
)
"""Designs of the sweep that are unlike any preset: hybrids, no classifier, hidden layers, images that are not square."""

NETWORKS = (*FAMILIES, *OTHERS)

_QUICK = {"convnext_t", "convnext_iso_s", "resnet18", "deit_s", "repvgg_a0", "hybrid", "attention-hybrid-attention"}

REST_SLOW = [name if name in _QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]
"""All of them for checks that take a second each: those unlike each other, and the rest with the slow tests."""


def design_named(name):
    """The design of one of the names above."""
    return small(name) if name in FAMILIES else swept(name)


def model_of(name, **arguments):
    """The model that timm makes of it, its weights drawn from one seed."""
    torch.manual_seed(0)
    return timm.create_model("convlab", design=design_named(name), **arguments)


def images_of(model, count=2):
    """Random images of the size that the model's configuration names."""
    size = model.default_cfg["input_size"]
    return torch.randn(count, *size, generator=torch.Generator().manual_seed(1))
