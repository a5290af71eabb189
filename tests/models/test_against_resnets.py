"""ResNet and ResNeXt are timm's and torchvision's: with the same weights, renamed one to one, the same outputs."""

import pytest
import timm
import torch
import torchvision
from weights import assert_close, images, randomized, renamed

from convlab import build, load

NAMES = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x4d",
    "resnext101_32x8d",
)
ALL = (*NAMES, "resnet200")
TORCHVISION = ("resnet18", "resnet50", "resnext50_32x4d")

RULES = (
    (r"^stem\.0\.", "conv1."),
    (r"^stem\.1\.", "bn1."),
    (r"^stages\.(\d)\.blocks\.", lambda found: f"layer{int(found[1]) + 1}."),
    (r"\.norm(\d)\.", r".bn\1."),
    (r"\.shortcut\.", ".downsample."),
    (r"^head\.fc\.", "fc."),
)
"""Our names of weights to those of timm and torchvision."""


@pytest.mark.parametrize("name", ALL)
def test_names_order_and_shapes_of_the_weights(name):
    ours = {
        key: tuple(tensor.shape)
        for key, tensor in renamed(build(load(name), device="meta").state_dict(), RULES).items()
    }
    with torch.device("meta"):
        theirs = {key: tuple(tensor.shape) for key, tensor in timm.create_model(name).state_dict().items()}
    assert ours == theirs
    assert list(ours) == list(theirs)


def compare(name, theirs, tolerance=1e-5):
    ours = randomized(build(load(name), initialized=False))
    theirs.load_state_dict(renamed(ours.state_dict(), RULES))
    theirs.eval()
    with torch.no_grad():
        assert_close(ours(images()), theirs(images()), tolerance)


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnext50_32x4d"])
def test_outputs_of_timm(name):
    compare(name, timm.create_model(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet101", "resnet152", "resnext101_32x4d", "resnext101_32x8d"])
def test_outputs_of_large_models(name):
    compare(name, timm.create_model(name))


@pytest.mark.parametrize("name", TORCHVISION)
def test_outputs_of_torchvision(name):
    compare(name, getattr(torchvision.models, name)())
