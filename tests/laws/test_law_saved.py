"""Law: what autograd keeps of a forward pass is, to the byte, the storages that its hooks are given."""

import dataclasses

import pytest
import torch
from designs import SWEEP, design_of, designs, swept
from hypothesis import given, settings
from oracles import image_of, on_cpu
from torch.autograd.graph import saved_tensors_hooks

from convlab import build, profile


def kept_bytes(model, image):
    """The bytes of the unique storages that autograd keeps, parameters and buffers left out."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    found = {}
    alive = []

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # so that no storage's address is used again
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        model(image)
    return sum(found.values())


def without_drop_path(design):
    return dataclasses.replace(design, drop_path=0.0)


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name):
    design = without_drop_path(swept(name))
    model = build(design, seed=0).train()
    for batch in (2, 3):
        assert profile(design).saved_bytes(batch) == kept_bytes(model, image_of(design, batch))


@settings(max_examples=60)
@given(designs())
def test_random_designs(design):
    design = without_drop_path(design)
    assert profile(design).saved_bytes(2) == kept_bytes(build(design).train(), image_of(design, 2))


def test_the_oracle_sees_one_more_activation():
    """A network that keeps one map more than another is seen to do so."""
    image = torch.randn(1, 4, 5, 5)
    convolution = torch.nn.Conv2d(4, 4, 1)
    assert kept_bytes(convolution, image) == 400
    assert kept_bytes(torch.nn.Sequential(convolution, torch.nn.GELU()), image) == 800
    assert kept_bytes(torch.nn.Sequential(convolution, torch.nn.ReLU(), convolution), image) == 800


def test_a_frozen_model_is_seen_to_keep_nothing():
    model = on_cpu("small resnet18")
    with torch.no_grad():
        assert kept_bytes(model, image_of(swept("small resnet18"))) == 0


@pytest.mark.parametrize("text", ["dropout(0)", "dropout(0.5)"])
def test_dropout_of_rate_0_keeps_nothing(text):
    design = design_of(
        {"depths": [2], "widths": [16], "image": {"size": 32}, "block": {"kind": "custom", "branch": [text]}}
    )
    assert profile(design).saved_bytes(2) == kept_bytes(build(design).train(), image_of(design, 2))
