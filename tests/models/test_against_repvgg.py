"""RepVGG is timm's, before it is folded and after; RepLKNet has the figures of its authors."""

from itertools import pairwise

import pytest
import timm
import torch
from timm.utils.model import reparameterize_model
from torch.utils.flop_counter import FlopCounterMode
from weights import assert_close, images, randomized, renamed

from convlab import build, fold, load, profile
from convlab.modules import SubsampledConv2d

NAMES = ("repvgg_a0", "repvgg_a1", "repvgg_a2", "repvgg_b0")
PUBLISHED = {
    # Parameters in millions and multiply-adds in G, as trained and folded: the table of MMPretrain's configs/repvgg/README.md (v1.2.0).
    "repvgg_a0": (9.11, 8.31, 1.52, 1.36),
    "repvgg_a1": (14.09, 12.79, 2.64, 2.37),
}

RULES = (
    (r"^stem\.0\.", "stem."),
    (r"^stages\.(\d)\.blocks\.(\d+)\.parallel\.", r"stages.\1.\2."),
    (r"^(stem|stages\.\d\.\d+)\.0\.chain\.conv\.", r"\1.conv_kxk.conv."),
    (r"^(stem|stages\.\d\.\d+)\.0\.chain\.norm\.", r"\1.conv_kxk.bn."),
    (r"^(stem|stages\.\d\.\d+)\.1\.chain\.conv\.", r"\1.conv_1x1.conv."),
    (r"^(stem|stages\.\d\.\d+)\.1\.chain\.norm\.", r"\1.conv_1x1.bn."),
    (r"^(stages\.\d\.\d+)\.2\.norm\.", r"\1.identity."),
)
"""Our names of weights to timm's."""


@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_of_the_weights(name):
    ours = {
        key: tuple(tensor.shape)
        for key, tensor in renamed(build(load(name), device="meta").state_dict(), RULES).items()
    }
    with torch.device("meta"):
        theirs = {key: tuple(tensor.shape) for key, tensor in timm.create_model(name).state_dict().items()}
    assert ours == theirs


def counted(model):
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(torch.empty(1, 3, 224, 224, device="meta"))
    return sum(parameter.numel() for parameter in model.parameters()), counter.get_total_flops() // 2


@pytest.mark.parametrize("name", NAMES)
def test_costs_before_and_after(name):
    with torch.device("meta"):
        theirs = timm.create_model(name)
    before, after = profile(load(name)), profile(load(name), folded=True)
    assert counted(theirs) == (before.params, before.macs)
    theirs = reparameterize_model(timm.create_model(name)).to("meta")
    assert counted(theirs) == (after.params, after.macs)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_costs(name):
    params, folded_params, macs, folded_macs = PUBLISHED[name]
    before, after = profile(load(name)), profile(load(name), folded=True)
    assert (round(before.params / 1e6, 2), round(after.params / 1e6, 2)) == (params, folded_params)
    assert abs(before.macs / 1e9 - macs) < 0.015  # they count the norms as well
    assert abs(after.macs / 1e9 - folded_macs) < 0.007


@pytest.mark.parametrize("name", ["repvgg_a0", "repvgg_b0"])
def test_outputs_before_and_after(name):
    ours, theirs = randomized(build(load(name), initialized=False)), timm.create_model(name)
    theirs.load_state_dict(renamed(ours.state_dict(), RULES))
    theirs.eval()
    with torch.no_grad():
        due = theirs(images())
        assert_close(ours(images()), due, 1e-4)
        assert_close(fold(ours)(images()), due, 1e-4)
        assert_close(fold(ours)(images()), reparameterize_model(theirs)(images()), 1e-4)


def test_the_folded_weights_are_those_of_timm():
    ours, theirs = randomized(build(load("repvgg_a0"), initialized=False)), timm.create_model("repvgg_a0")
    theirs.load_state_dict(renamed(ours.state_dict(), RULES))
    kernels = [
        module for module in reparameterize_model(theirs.eval()).modules() if isinstance(module, torch.nn.Conv2d)
    ]
    folded = [module for module in fold(ours).modules() if isinstance(module, torch.nn.Conv2d)]
    for one, other in zip(folded, kernels, strict=True):
        assert_close(one.weight, other.weight)
        assert_close(one.bias, other.bias)


def test_the_stem_trains_on_a_cpu():
    model = build(load("repvgg_a0"), seed=0)
    strided = model.get_submodule("stem.0.1.chain.conv")
    assert type(strided) is SubsampledConv2d
    image = images().to(memory_format=torch.channels_last).requires_grad_()
    (gradient,) = torch.autograd.grad(strided(image).square().sum(), image)
    reference = image.detach().contiguous().requires_grad_()
    plain = torch.nn.functional.conv2d(reference, strided.weight.contiguous(), stride=2)
    assert_close(strided(image), plain)
    assert_close(gradient, torch.autograd.grad(plain.square().sum(), reference)[0])


def test_replknet():
    """79 M parameters and 15.3 G multiply-adds (README of github.com/DingXiaoH/RepLKNet-pytorch), which are those of the merged form."""
    before, after = profile(load("replknet_31b")), profile(load("replknet_31b"), folded=True)
    assert before.params == 79_864_168  # 79.86 M in MMPretrain's configs/replknet/README.md
    assert int(after.params / 1e6) == 79
    assert abs(after.macs / 1e9 - 15.3) < 0.1
    at_384 = profile(load("replknet_31b"), image=384, folded=True)
    assert abs(at_384.macs / 1e9 - 45.1) < 0.1
    kernels = [row.layer.kernel_size for row in after.rows if row.path.endswith("parallel")]
    assert kernels == [31, 29, 27, 13]


def stage_of_replknet(channels, kernel_size):
    """Parameters of one RepLK block and one ConvFFN, as the paper draws them (its figure 4): norms, convolutions, kernels and their 5x5."""
    norms = 2 * channels
    block = norms + 2 * (channels * channels + norms) + channels * (kernel_size**2 + 25) + 2 * norms
    return block + norms + 8 * channels * channels + 8 * channels + norms


def test_replknet_by_hand():
    widths, depths, kernels = (128, 256, 512, 1024), (2, 2, 18, 2), (31, 29, 27, 13)
    stages = sum(map(lambda width, depth, size: depth * stage_of_replknet(width, size), widths, depths, kernels))
    stem = 3 * 128 * 9 + 128 * 9 * 2 + 128 * 128 + 4 * 2 * 128
    between = sum(one * other + 9 * other + 4 * other for one, other in pairwise(widths))
    assert profile(load("replknet_31b")).params == stages + stem + between + 2 * 1024 + 1025 * 1000
