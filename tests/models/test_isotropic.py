"""The isotropic ConvNeXts are the authors': names and shapes of the weights, and outputs of a reference written from the paper."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional
from weights import assert_close, images, randomized

from convlab import build, load


class Block(nn.Module):
    def __init__(self, width, scaled):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width)) if scaled else None
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.pwconv2(functional.gelu(self.pwconv1(y)))
        y = y if self.gamma is None else self.gamma * y
        return x + y.permute(0, 3, 1, 2)


class Isotropic(nn.Module):
    """Patches of 16 px, blocks of one width, the mean over the map, norm, classifier (Liu et al., 2022, section 3.3)."""

    def __init__(self, depth, width, scaled):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 16, stride=16)
        self.blocks = nn.Sequential(*(Block(width, scaled) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, 1000)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.stem(x)).mean((2, 3))))


FAMILY = {
    "convnext_iso_s": (18, 384, False, 150),
    "convnext_iso_b": (18, 768, False, 150),
    "convnext_iso_l": (36, 1024, True, 330),
}


@pytest.mark.parametrize("name", FAMILY)
def test_names_order_and_shapes_of_the_weights(name):
    depth, width, scaled, count = FAMILY[name]
    ours = [(key, tuple(tensor.shape)) for key, tensor in build(load(name), device="meta").state_dict().items()]
    with torch.device("meta"):
        theirs = [(key, tuple(tensor.shape)) for key, tensor in Isotropic(depth, width, scaled).state_dict().items()]
    assert len(ours) == len(theirs) == count
    assert ours == theirs


def compare(name, depth):
    _, width, scaled, _ = FAMILY[name]
    design = load(name)
    design = dataclasses.replace(design, stages=(dataclasses.replace(design.stages[0], depth=depth),))
    ours = randomized(build(design, initialized=False))
    theirs = Isotropic(depth, width, scaled).eval()
    theirs.load_state_dict(ours.state_dict())
    with torch.no_grad():
        assert_close(ours(images(size=96)), theirs(images(size=96)))


@pytest.mark.parametrize(("name", "depth"), [("convnext_iso_s", 18), ("convnext_iso_b", 2), ("convnext_iso_l", 2)])
def test_outputs(name, depth):
    compare(name, depth)


@pytest.mark.slow
def test_outputs_of_the_largest():
    compare("convnext_iso_l", 36)
