"""Recognition: every family's presets are known again by their names and shapes, whatever the number of classes."""

import dataclasses

import pytest
from designs import preset, small

from convlab import load
from convlab.weights.layouts import from_convlab, layouts_of, paths_of
from convlab.weights.recognition import recognized

ONE_OF_EACH = (
    "convnext_t",
    "convnext_v2_atto",
    "convnext_iso_s",
    "resnet50",
    "regnety_200mf",
    "efficientnet_b2",
    "efficientnet_v2_s",
    "mobilenet_v2",
    "swin_s",
    "vit_b16",
)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_presets_are_known_again(name):
    design = preset(name)
    other = dataclasses.replace(design, head=dataclasses.replace(design.head, classes=21841))
    for layout in layouts_of(design):
        found = recognized(from_convlab(paths_of(other), other, layout))
        assert found.design.key == design.key  # DeiT-B is ViT-B/16
        assert found.layout == layout or layout in ("convlab", "torchvision", "facebookresearch")
        assert found.share == 1 or layout == "fcmae"


def test_a_design_near_a_preset():
    design = load("resnet50", sets=["stages.2.depth=7"])
    found = recognized(paths_of(design))
    assert (found.design.name, found.layout) == ("resnet50", "convlab")
    assert 0.9 < found.share < 1


def test_what_is_like_no_preset():
    assert recognized({}) is None
    assert recognized(paths_of(small("convnext_t"))) is None
