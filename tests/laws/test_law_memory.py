"""Law: the peak of activation memory at inference is, to the element, the most that lives at once in torch's storages."""

import dataclasses

import pytest
import torch
from designs import SWEEP, designs, preset, swept
from hypothesis import given, settings
from oracles import image_of, on_cpu, peak_elements

from convlab import build, profile
from convlab.layers import (
    ACTIVATIONS,
    Activation,
    AveragePool,
    BatchNorm,
    Convolution,
    Depthwise,
    GlobalAveragePool,
    GlobalMaxPool,
    GlobalResponseNorm,
    GroupNorm,
    LayerNorm,
    MaxPool,
    Pointwise,
    RMSNorm,
    Shape,
)


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name):
    design = swept(name)
    watched = peak_elements(on_cpu(name), image_of(design))
    assert profile(design).peak_elements == watched.peak, watched.at


@settings(max_examples=60)
@given(designs())
def test_random_designs(design):
    watched = peak_elements(build(design).eval(), image_of(design))
    assert profile(design).peak_elements == watched.peak, watched.at


@pytest.mark.parametrize("name", ["convnext_atto", "resnet50", "convnext_v2_atto", "convnext_iso_s"])
def test_presets_in_full(name):
    design = preset(name)
    watched = peak_elements(build(design, initialized=False).eval(), image_of(design))
    assert profile(design).peak_elements == watched.peak, watched.at


LEAVES = [
    *(
        norm()
        for norm in (BatchNorm, LayerNorm, GroupNorm, RMSNorm, GlobalResponseNorm, GlobalAveragePool, GlobalMaxPool)
    ),
    *(Activation(kind) for kind in ACTIVATIONS),
    *(Pointwise(48, bias, form) for bias in (False, True) for form in ("conv", "linear")),
    *(
        Convolution(48, size, stride, dilation, bias=size % 2 == 0)
        for size in (1, 3, 4)
        for stride in (1, 2)
        for dilation in (1, 2)
    ),
    *(Depthwise(size, stride, dilation) for size in (1, 2, 5) for stride in (1, 3) for dilation in (1, 2)),
    *(pool(size, stride) for pool in (MaxPool, AveragePool) for size in (2, 3) for stride in (1, 2)),
    Convolution(16, 4, 4, same=False),
]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: f"{leaf.label()} {getattr(leaf, 'form', '')}")
def test_every_layer_alone(leaf):
    x = Shape(32, 10, 9)
    module = leaf.module(x).eval().to(memory_format=torch.channels_last)
    image = torch.randn(1, *x).to(memory_format=torch.channels_last)
    assert leaf.live(x).extra == peak_elements(module, image).peak - x.elements
    assert leaf.live(x).output == leaf.output(x).elements


def test_the_peak_is_linear_in_the_batch_but_for_what_a_batch_shares():
    """Bytes are elements times the batch times the size of one element; only one number of GRN's is not the batch's own."""
    for name in ("small convnext_t", "small resnet50", "custom5-separate"):
        design = swept(name)
        costs = profile(design)
        watched = peak_elements(on_cpu(name), image_of(design, 3))
        assert (
            costs.peak_bytes(3) == 4 * watched.peak == 3 * costs.peak_bytes() == 6 * costs.peak_bytes(element_bytes=2)
        )


def test_the_oracle_sees_what_is_allocated():
    """A layer that holds one map more than its twin is seen to do so."""

    class Twice(torch.nn.Module):
        def forward(self, x):
            kept = x + 1
            return kept * 2 + kept

    image = torch.randn(1, 4, 5, 5)
    assert peak_elements(Twice(), image).peak == 400
    assert peak_elements(torch.nn.ReLU(), image).peak == 200
    assert peak_elements(torch.nn.ReLU(inplace=True), image).peak == 100


def test_a_larger_image_needs_more():
    design = preset("convnext_t")
    peaks = [profile(design, image=size).peak_elements for size in (64, 96, 160, 224, 384)]
    assert peaks == sorted(set(peaks))
    wider = dataclasses.replace(design, image=dataclasses.replace(design.image, size=(224, 448)))
    assert profile(wider).peak_elements == 2 * profile(design).peak_elements
