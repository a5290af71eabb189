"""RegNet, EfficientNet, EfficientNetV2 and MobileNetV2 are timm's and torchvision's: costs to the unit, outputs with the same weights."""

import re
from functools import cache

import pytest
import timm
import torch
import torchvision
from timm.models.regnet import adjust_widths_groups_comp, generate_regnet, model_cfgs
from torch.utils.flop_counter import FlopCounterMode
from weights import assert_close, images, randomized

from convlab import build, load, profile

REGIMES = {
    "200mf": "002", "400mf": "004", "600mf": "006", "800mf": "008", "1_6gf": "016", "3_2gf": "032",
    "4gf": "040", "6_4gf": "064", "8gf": "080", "12gf": "120", "16gf": "160", "32gf": "320",
}  # fmt: skip
REGNETS = {f"regnet{letter}_{ours}": f"regnet{letter}_{theirs}" for letter in "xy" for ours, theirs in REGIMES.items()}
EFFICIENTNETS = {f"efficientnet_b{size}": f"efficientnet_b{size}" for size in range(8)}
EFFICIENTNETS_V2 = {f"efficientnet_v2_{size}": f"efficientnetv2_{size}" for size in "sml"}
TIMM = REGNETS | EFFICIENTNETS | EFFICIENTNETS_V2 | {"mobilenet_v2": "mobilenetv2_100"}
"""Our presets and timm's models."""

LARGE = {"regnetx_12gf", "regnetx_16gf", "regnetx_32gf", "regnety_12gf", "regnety_16gf", "regnety_32gf"}
LARGE |= {"efficientnet_b6", "efficientnet_b7", "efficientnet_v2_l"}
"""The models of which only names, shapes and costs are compared."""

QUICK = {*(name for name in REGNETS if name.endswith("mf")), "regnety_1_6gf"}
QUICK |= {"efficientnet_b0", "efficientnet_b1", "efficientnet_v2_s", "mobilenet_v2"}

TORCHVISION = {
    "regnetx_3_2gf": "regnet_x_3_2gf",
    "regnety_400mf": "regnet_y_400mf",
    "efficientnet_b0": "efficientnet_b0",
    "efficientnet_v2_s": "efficientnet_v2_s",
    "mobilenet_v2": "mobilenet_v2",
}


REGNET = (
    (r"^stem\.0\.", "stem.conv."),
    (r"^stem\.1\.", "stem.bn."),
    (r"^stages\.(\d+)\.blocks\.(\d+)\.", lambda found: f"s{int(found[1]) + 1}.b{int(found[2]) + 1}."),
    (r"\.conv(\d)\.", r".conv\1.conv."),
    (r"\.norm(\d)\.", r".conv\1.bn."),
    (r"\.shortcut\.0\.", ".downsample.conv."),
    (r"\.shortcut\.1\.", ".downsample.bn."),
)
"""Our names of RegNet's weights to timm's."""

EFFICIENTNET = (
    (r"^stem\.0\.", "conv_stem."),
    (r"^stem\.1\.", "bn1."),
    (r"^stages\.(\d+)\.blocks\.", r"blocks.\1."),
    (r"\.norm(\d)\.", r".bn\1."),
    (r"\.se\.fc1\.", ".se.conv_reduce."),
    (r"\.se\.fc2\.", ".se.conv_expand."),
    (r"^norm_head\.", "bn2."),
    (r"^head\.fc\.", "classifier."),
)
"""Our names of EfficientNet's and MobileNet's weights to timm's, but for the convolutions of their blocks."""

CONVOLUTIONS = {
    "middle": {"conv1": "conv_pw", "conv2": "conv_dw", "conv3": "conv_pwl"},
    "fused": {"conv1": "conv_exp", "conv2": "conv_pwl"},
    "single": {"conv1": "conv"},
    "separable": {},
}
"""timm's names of the convolutions of a block, by its order."""


def theirs_of(key, design):
    """The name that timm gives a weight."""
    family = REGNET if design.stages[0].block.kind.startswith("regnet") else EFFICIENTNET
    for pattern, name in family:
        key = re.sub(pattern, name, key)
    parts = key.split(".")
    if family is EFFICIENTNET and parts[0] == "blocks":
        parts[3] = CONVOLUTIONS[design.stages[int(parts[1])].block.order].get(parts[3], parts[3])
    return ".".join(parts)


@cache
def timm_model(name):
    """The model of timm on the meta device."""
    with torch.device("meta"):
        return timm.create_model(TIMM[name]).eval()


@pytest.mark.parametrize("name", TIMM)
def test_names_order_and_shapes_of_the_weights(name):
    design = load(name)
    ours = [(theirs_of(key, design), tensor.shape) for key, tensor in build(design, device="meta").state_dict().items()]
    assert ours == [(key, tensor.shape) for key, tensor in timm_model(name).state_dict().items()]


@pytest.mark.parametrize("name", TIMM)
def test_costs_to_the_unit(name):
    costs = profile(load(name))
    theirs = timm_model(name)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        theirs(torch.zeros(1, *costs.image, device="meta"))
    assert costs.params == sum(parameter.numel() for parameter in theirs.parameters())
    assert 2 * costs.macs == counter.get_total_flops()
    assert not costs.adjustments


@pytest.mark.parametrize("name", REGNETS)
def test_the_rule_gives_timms_widths_depths_and_group_widths(name):
    config = model_cfgs[REGNETS[name]]
    blocks, stages, groups = generate_regnet(config.wa, config.w0, config.wm, config.depth, config.group_size)
    widths = sorted(set(blocks))
    expected, groups = adjust_widths_groups_comp(widths, [config.bottle_ratio] * stages, groups)
    design = load(name)
    assert design.widths == tuple(expected)
    assert design.depths == tuple(blocks.count(width) for width in widths)
    assert [stage.block.group_width for stage in design.stages] == groups


def test_regnety_8gf_is_that_of_pycls_and_not_torchvisions():
    assert profile(load("regnety_8gf")).params == 39_180_068
    theirs = torchvision.models.regnet_y_8gf()
    assert sum(parameter.numel() for parameter in theirs.parameters()) == 39_381_472


def compare(name, theirs, rename):
    design = load(name)
    ours = randomized(build(design, initialized=False))
    theirs.load_state_dict(rename(ours.state_dict(), design))
    theirs.eval()
    with torch.no_grad():
        assert_close(ours(images()), theirs(images()), 1e-4)


def to_timm(state, design):
    return {theirs_of(key, design): tensor for key, tensor in state.items()}


def with_epsilon(name):
    """The model of timm with the epsilon of our preset: timm's own, but for EfficientNetV2, where it is torchvision's."""
    epsilon = load(name).norm_eps
    assert epsilon == (1e-3 if name in EFFICIENTNETS_V2 else 0)
    return timm.create_model(TIMM[name], **({"bn_eps": epsilon} if epsilon else {}))


@pytest.mark.parametrize("name", sorted(QUICK))
def test_outputs_of_timm(name):
    compare(name, with_epsilon(name), to_timm)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TIMM if name not in QUICK | LARGE])
def test_outputs_of_large_models(name):
    compare(name, with_epsilon(name), to_timm)


def to_torchvision(state, design):
    """The weights as torchvision holds them: in the same order, but for RegNet, whose blocks begin with their shortcut."""
    theirs = TORCHVISION[design.name]
    keys = list(getattr(torchvision.models, theirs)().state_dict())
    ours = list(state)
    if theirs.startswith("regnet"):
        ours = [key for block in blocks_of(ours) for key in sorted(block, key=lambda key: ".shortcut." not in key)]
    return {key: state[mine] for key, mine in zip(keys, ours, strict=True)}


def blocks_of(keys):
    """The names of weights, block by block."""
    found = {}
    for key in keys:
        found.setdefault(tuple(key.split(".")[:4]) if key.startswith("stages.") else key, []).append(key)
    return found.values()


@pytest.mark.parametrize("name", TORCHVISION)
def test_outputs_of_torchvision(name):
    compare(name, getattr(torchvision.models, TORCHVISION[name])(), to_torchvision)
