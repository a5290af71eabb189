"""Alike: dropout and stochastic depth of every package are off, and weights have one distribution."""

import pytest
import torch
from torch import nn

from convlab.measurement.running.alike import redrawn, steady
from convlab.measurement.running.subjects import subject


@pytest.mark.parametrize(
    "name",
    [
        "convnext_atto",
        "timm:efficientnet_b0.ra_in1k",
        "torchvision:efficientnet_b0",
        "torchvision:convnext_tiny",
        "transformers:efficientnet{depth_coefficient = 0.3}",
        "transformers:swin{depths = [1, 1, 1, 1], hidden_dropout_prob = 0.3}",
        "transformers:vit{num_hidden_layers = 1, hidden_dropout_prob = 0.3, attention_probs_dropout_prob = 0.3}",
    ],
)
def test_two_passes_in_training_mode_agree(name):
    found = subject(name, image=None if "vit" in name or "swin" in name else (64, 64))
    network = steady(found.build().train())
    images = torch.randn(2, *found.image)
    with torch.no_grad():
        assert torch.equal(network(images), network(images))


def test_what_only_sounds_alike_is_left_alone():
    class Pool(nn.Module):
        def __init__(self):
            super().__init__()
            self.p = 3.0
            self.rate = 0.5

    found = steady(nn.Sequential(Pool(), nn.Dropout(0.5)))
    assert (found[0].p, found[0].rate, found[1].p) == (3.0, 0.5, 0.0)


def test_weights_are_drawn_alike_and_vectors_stay():
    network = nn.Sequential(nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.Linear(400, 300))
    nn.init.zeros_(network[0].weight)
    bias = network[0].bias.clone()
    once, again = ([p.clone() for p in redrawn(network).parameters()] for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(once, again, strict=True))
    assert network[0].weight.detach().std().item() == pytest.approx(144**-0.5, rel=0.1)
    assert network[2].weight.detach().std().item() == pytest.approx(400**-0.5, rel=0.1)
    assert torch.equal(network[0].bias, bias)
    assert torch.equal(network[1].weight, torch.ones(32))
