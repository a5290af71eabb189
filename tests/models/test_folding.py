"""A folded model gives what the model gave, and leaves it as it was."""

import copy
import pickle

import pytest
import torch
from designs import SHALLOWEST, SWEEP, design_of, preset, swept
from torch import nn
from weights import assert_close, assert_unchanged, randomized

import convlab
from convlab import ConvlabError, build, fold, load
from convlab.layers import BatchNorm
from convlab.presets import preset_names


def image_of(model, batch=2):
    generator = torch.Generator().manual_seed(1)
    some = next(model.parameters())
    return torch.randn(batch, *model.design.image.shape, generator=generator).to(some.dtype)


def check(design, dtype, tolerance):
    model = randomized(build(design, dtype=dtype, initialized=False))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    folded = fold(model)
    image = image_of(model)
    with torch.no_grad():
        assert_close(folded(image), model(image), tolerance)
    assert_unchanged(model, before, folded)


@pytest.mark.parametrize("name", [name for index, name in enumerate(SWEEP) if index % 9 == 0])
def test_sweep_in_single(name):
    """In double all of the sweep, and random designs, are under the law of folding."""
    check(swept(name), torch.float32, 1e-5)


def with_batch_norm():
    """A preset of each structure that holds a batch norm, and fits a small machine."""
    costs = {name: convlab.profile(preset(name)) for name in SHALLOWEST if name in preset_names()}
    small = {name: found.rows for name, found in costs.items() if found.params < 100e6}
    return [name for name, rows in small.items() if any(isinstance(row.layer, BatchNorm) for row in rows)]


@pytest.mark.slow
@pytest.mark.parametrize("name", with_batch_norm())
def test_presets_of_full_size(name):
    check(convlab.turn(preset(name), "image.size", 64), torch.float32, 1e-5)


def test_trained_statistics():
    model = build(swept("small repvgg_a0"), seed=0)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    for step in range(3):
        loss = model(image_of(model, 4) + step).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    folded = fold(model)  # in training mode: its running statistics count
    assert model.training
    assert not folded.training
    with torch.no_grad():
        assert_close(folded(image_of(model)), model.eval()(image_of(model)))


SMALL = design_of(
    {
        "depths": [2, 1],
        "widths": [16, 32],
        "drop_path": 0.2,
        "image": {"size": 32},
        "head": {"classes": 5, "convolution": 24, "dropout": 0.1, "norm": "none"},
        "stem": {"kind": "conv", "pool": "none"},
        "block": {"kind": "mbconv", "layer_scale": 0.1, "expansion_ratio": 2.0},
        "downsample": {"kind": "in_block"},
    }
)


def test_the_layers_that_are_left():
    folded = fold(build(SMALL))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert not [name for name, _ in folded.named_parameters() if "norm" in name or "gamma" in name]
    assert folded.stages[0].blocks[1].conv1.bias is not None
    assert [name for name, _ in folded.named_children()] == ["stem", "stages", "conv_head", "act_head", "head"]


def test_feature_maps_are_what_they_were():
    model = randomized(build(SMALL))
    folded = fold(model)
    with torch.no_grad():
        assert_close(folded.forward_features(image_of(model)), model.forward_features(image_of(model)))
        for one, other in zip(folded.stages, model.stages, strict=True):
            image = torch.randn(2, {32: 16, 16: 16}[one.blocks[0].conv1.out_channels // 2], 8, 8)
            assert_close(one(image), other(image))


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_layout_and_dtype_stay(channels_last, dtype):
    folded = fold(build(SMALL, channels_last=channels_last, dtype=dtype))
    kernels = [
        module.weight for module in folded.modules() if type(module) is nn.Conv2d and module.kernel_size > (1, 1)
    ]
    assert {weight.dtype for weight in folded.state_dict().values()} == {dtype}
    assert all(kernel.is_contiguous() is not channels_last for kernel in kernels if kernel.shape[1] > 1)


def test_weights_are_computed_in_double():
    model = randomized(build(SMALL))
    single, double = fold(model), fold(copy.deepcopy(model).double())
    for name, weight in double.state_dict().items():
        assert torch.equal(weight.float(), single.state_dict()[name]), name


def test_on_the_meta_device():
    folded = fold(build(load("repvgg_a0"), device="meta", initialized=False))
    assert all(weight.is_meta for weight in folded.parameters())


def test_a_folded_model_is_an_ordinary_model():
    model = randomized(build(SMALL))
    model.requires_grad_(False)
    folded = fold(model)
    assert all(parameter.requires_grad for parameter in folded.parameters())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    image = image_of(model)
    with torch.no_grad():
        due = folded(image)
        for other in (copy.deepcopy(folded), pickle.loads(pickle.dumps(folded))):
            assert other.folded
            assert torch.equal(other(image), due)
    folded.train()(image).sum().backward()
    assert all(parameter.grad is not None for parameter in folded.parameters())
    assert "; folded" in folded.extra_repr()
    assert "folded" not in model.extra_repr()
    assert not model.folded


def refusal(model):
    with pytest.raises(ConvlabError) as caught:
        fold(model)
    (problem,) = caught.value.problems
    assert problem.help
    return problem.message


def test_what_is_refused():
    assert refusal(nn.Conv2d(3, 4, 1)) == 'a built model is due, not "Conv2d"'
    assert refusal(fold(build(SMALL))) == "the model is folded already"
    model = build(SMALL)
    model.head.fc = nn.Linear(24, 9)
    assert refusal(model) == 'the model is not as its design is built: "head.fc.weight" is 9x24, not 5x24'
    model = build(SMALL)
    model.stem[1] = nn.Identity()
    assert refusal(model) == 'the model is not as its design is built: "stem.1.weight" is missing, not 64'.replace(
        "64", "16"
    )
    model = build(SMALL)
    model.stem.append(nn.PReLU())
    assert refusal(model) == 'the model is not as its design is built: "stem.3.weight" is 1, not missing'
