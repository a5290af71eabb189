"""Weights start as timm's start: the same distributions, biases at 0, layer scale at its value, the last norms of ResNet silent."""

import math

import pytest
import timm
import torch
import torchvision
from torch import nn

from convlab import build, load, turn
from convlab.models.containers import ResidualBlock


def sample(tensor, count=20_000):
    flat = tensor.detach().flatten()
    return flat[torch.randperm(len(flat), generator=torch.Generator().manual_seed(0))[:count]].sort().values


def distance(one, other):
    """The largest distance between two empirical distributions (Kolmogorov and Smirnov), over what chance gives once in 1,000."""
    one, other = sample(one), sample(other)
    both = torch.cat([one, other]).sort().values
    gap = (
        (
            torch.searchsorted(one, both, right=True) / len(one)
            - torch.searchsorted(other, both, right=True) / len(other)
        )
        .abs()
        .max()
    )
    return float(gap) / (1.95 * math.sqrt((len(one) + len(other)) / (len(one) * len(other))))


@pytest.mark.parametrize(
    ("name", "theirs"), [("convnext_atto", "convnext_atto"), ("convnext_v2_atto", "convnextv2_atto")]
)
def test_convnext_starts_as_timm(name, theirs):
    ours = build(load(name), seed=0).state_dict()
    others = timm.create_model(theirs).state_dict()
    for key, tensor in ours.items():
        other = others[key]
        if tensor.dim() < 2:
            assert torch.equal(tensor, other), key
        elif tensor.numel() >= 5_000:
            other = other[other.abs() < 0.2]  # once in some 10 million draws timm's truncated normal gives -2
            assert abs(float(tensor.mean() - other.mean())) < 5 * 0.02 * math.sqrt(2 / tensor.numel()), key
            assert float(tensor.std() / other.std()) == pytest.approx(1.0, abs=4 / math.sqrt(tensor.numel())), key
            assert distance(tensor, other) < 1.3, key


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("deit_s", "stem.1.position_embedding"),
        ("deit_s", "stem.1.class_token"),
        ("swin_t", "stages.3.blocks.0.attention.attn.relative_position_bias"),
        ("swin_t", "stages.0.blocks.1.attention.attn.qkv.weight"),
        ("swin_t", "stages.1.downsample.2.weight"),
    ],
)
def test_attention_starts_with_a_deviation_of_a_fiftieth(name, path):
    """As in DeiT and Swin; those of other seeds are others, those of a seed are its own."""
    one, same, other = (build(load(name), seed=seed).state_dict()[path] for seed in (0, 0, 1))
    assert float(one.std()) == pytest.approx(0.02, rel=5 / math.sqrt(one.numel()))
    assert abs(float(one.mean())) < 5 * 0.02 / math.sqrt(one.numel())
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("name", "theirs"), [("resnet18", "resnet18"), ("resnet50", "resnet50"), ("resnext50_32x4d", "resnext50_32x4d")]
)
def test_resnet_starts_as_timm(name, theirs):
    ours = list(build(load(name), seed=0).state_dict().items())
    others = list(timm.create_model(theirs, zero_init_last=True).state_dict().values())
    for (key, tensor), other in zip(ours, others, strict=True):
        assert tensor.shape == other.shape
        if key == "head.fc.bias":
            assert float(tensor.abs().max()) < 1 / math.sqrt(ours[-2][1].shape[1])
        elif tensor.dim() < 2:
            assert torch.equal(tensor, other), key
        elif tensor.numel() >= 5_000:
            assert float(tensor.std() / other.std()) == pytest.approx(1.0, abs=5 / math.sqrt(tensor.numel())), key
            assert distance(tensor, other) < 1.3, key


@pytest.mark.parametrize(
    ("name", "theirs"), [("efficientnet_b0", "efficientnet_b0"), ("mobilenet_v2", "mobilenetv2_100")]
)
def test_efficientnet_starts_as_timm(name, theirs):
    ours = list(build(load(name), seed=0).state_dict().items())
    others = list(timm.create_model(theirs).state_dict().values())
    for (key, tensor), other in zip(ours, others, strict=True):
        if tensor.dim() < 2:
            assert torch.equal(tensor, other), key
        elif tensor.numel() >= 5_000:
            assert float(tensor.std() / other.std()) == pytest.approx(1.0, abs=5 / math.sqrt(tensor.numel())), key
            assert distance(tensor, other) < 1.3, key


def test_regnet_starts_as_torchvision():
    """Which starts it as pycls does; timm's own counts groups, and silences the last norms."""
    both = []
    for model in (build(load("regnety_400mf"), seed=0), torchvision.models.regnet_y_400mf()):
        weights = [tensor.detach() for tensor in model.parameters() if tensor.dim() > 1 and tensor.numel() >= 5_000]
        both.append(sorted(weights, key=lambda tensor: tensor.shape))  # one shape starts in one way
        norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        assert all(torch.equal(norm.weight, torch.ones_like(norm.weight)) for norm in norms)
        assert not next(parameter for name, parameter in model.named_parameters() if name.endswith("fc.bias")).any()
    for tensor, other in zip(*both, strict=True):
        assert tensor.shape == other.shape
        assert float(tensor.std() / other.std()) == pytest.approx(1.0, abs=5 / math.sqrt(tensor.numel()))
        assert distance(tensor, other) < 1.3
    assert len(both[0]) > 10


def test_the_distance_sees_another_distribution():
    torch.manual_seed(0)
    assert distance(torch.randn(30_000), torch.randn(30_000)) < 1.3
    assert distance(torch.randn(30_000), 1.2 * torch.randn(30_000)) > 1.3
    assert distance(torch.rand(30_000), torch.randn(30_000) * 0.29 + 0.5) > 1.3


def test_the_last_norms_of_resnet_are_silent():
    model = build(load("resnet50"), seed=0)
    norms = {name: module for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)}
    silent = {name for name, norm in norms.items() if not norm.weight.any()}
    assert silent == {
        f"stages.{stage}.blocks.{block}.norm3" for stage, depth in enumerate((3, 4, 6, 3)) for block in range(depth)
    }
    for block in model.modules():
        if isinstance(block, ResidualBlock) and not hasattr(block, "shortcut"):
            x = torch.randn(1, block.conv1.in_channels, 4, 4)
            with torch.no_grad():
                assert torch.equal(block(x), x.relu())


@pytest.mark.parametrize("norm", ["group_norm", "layer_norm", "rms_norm"])
def test_kaiming_silences_other_norms_as_well(norm):
    model = build(turn(load("resnet18"), "block.norm", norm), seed=0)
    assert not model.get_submodule("stages.0.blocks.0.norm2").weight.any()
    assert model.get_submodule("stages.0.blocks.0.norm1").weight.all()


@pytest.mark.parametrize("value", [1e-6, 0.25])
def test_layer_scale_starts_at_its_value(value):
    model = build(turn(load("convnext_atto"), "block.layer_scale", value))
    gammas = [parameter for name, parameter in model.named_parameters() if name.endswith("gamma")]
    assert len(gammas) == 12
    assert all(torch.equal(gamma, torch.full_like(gamma, value)) for gamma in gammas)


def test_a_linear_pointwise_starts_kaiming_with_a_resnet():
    """The fan of a linear layer over a map is that of the 1x1 convolution it stands for."""
    design = turn(load("resnet50"), "block.pointwise", "linear")
    ours, convolution = build(design, seed=0), build(load("resnet50"), seed=0)
    for path in ("stages.3.blocks.1.conv1", "stages.3.blocks.1.conv3"):
        one, other = (model.get_submodule(path).weight.detach() for model in (ours, convolution))
        assert float(one.std() / other.std()) == pytest.approx(1.0, abs=0.02)


def test_one_seed_gives_one_set_of_weights():
    design = load("convnext_atto")
    one, same, other = build(design, seed=3), build(design, seed=3), build(design, seed=4)
    torch.manual_seed(1)
    free = build(design)
    torch.manual_seed(1)
    again = build(design)
    torch.manual_seed(2)
    third = build(design)
    for key, tensor in one.state_dict().items():
        assert torch.equal(tensor, same.state_dict()[key])
        assert torch.equal(free.state_dict()[key], again.state_dict()[key])
        if tensor.dim() > 1:
            assert not torch.equal(tensor, other.state_dict()[key])
            assert not torch.equal(free.state_dict()[key], third.state_dict()[key])


def test_a_seed_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    build(load("resnet18"), seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)
