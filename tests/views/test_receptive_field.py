"""The growth of the receptive field: it ends at the network's own."""

import dataclasses

import pytest
from designs import SHALLOWEST, preset

from convlab import load, profile
from convlab.layers import Window
from convlab.views.receptive_field import growth, square


def test_growth_ends_at_the_receptive_field_of_the_network():
    for name in SHALLOWEST:
        found = profile(preset(name))
        grown = growth(found)
        exact = found.receptive_field.widest
        if exact is None:
            assert grown.gate or grown.whole is not None, name
        else:
            assert grown.widest == exact.size, name
        assert all(one.number[1] >= one.number[0] for one in grown.steps)
        numbers = sorted(number for step in grown.steps for number in {step.number[0], step.number[1]})
        assert numbers == sorted(set(numbers)), name  # no two layers have one number


@pytest.mark.parametrize("name", ["convnext_t", "resnet50", "regnetx_400mf"])
def test_steps_of_repeated_blocks_are_those_of_single_ones(name):
    """The last repetition sees what the only block of a network that ends there would see."""
    for depth in range(1, 4):
        shallow = growth(profile(load(name, sets=[f"stages.1.depth={depth}"])))
        last = [step for step in shallow.steps if step.path.startswith("stages.1.")][-1]
        design = load(name, sets=[f"stages.1.depth={depth}"])
        cut = profile(dataclasses.replace(design, stages=design.stages[:2]))
        assert last.last.size == cut.receptive_field.widest.size


def test_where_it_becomes_global():
    assert growth(profile(load("convnext_t"))).covers.path == "stages.1.blocks.0.conv_dw"
    assert growth(profile(load("vit_s16"))).whole.path == "stages.0.blocks.0.attention.attn"
    squeezed = growth(profile(load("efficientnet_b0")))
    assert squeezed.gate == "stages.0.blocks.0.se"
    assert squeezed.whole is None
    assert squeezed.widest == 851


def test_square_on_the_image():
    image = profile(load("convnext_t"), image=(100, 200)).image
    assert square(Window(50, 1, 0), image) == (0.5, 0.25)
    assert square(Window(150, 1, 0), image) == (1.0, 0.75)
    assert square(None, image) == (1.0, 1.0)
