"""Populations cost what their members cost, to the unit, and what is no valid design has the fault of a single one."""

import dataclasses
import random
from collections import Counter

import numpy as np
import pytest
from spaces import PRESETS, fault_and_costs, preset, random_space, space_of, varied

from convlab.costs import profile
from convlab.errors import ConvlabError
from convlab.spaces import populations
from convlab.spaces.limits import LIMITED
from convlab.spaces.populations import cost_population, sample

RANDOM = range(60)


def assert_costs_are_the_members(space, indices):
    """Array and scalar agree for every member; returns how many members had each fault."""
    population = cost_population(space, indices, metrics=LIMITED)
    assert population.indices == tuple(indices)
    told = Counter()
    for place, index in enumerate(indices):
        fault, costs = fault_and_costs(space, index)
        assert population.fault[place] == fault, (index, space.values(index))
        assert {metric: int(population.costs[metric][place]) for metric in LIMITED} == costs, (
            index,
            space.values(index),
        )
        told[fault] += 1
    assert all(costs.dtype == np.int64 for costs in population.costs.values())
    return told


def indices(space, count, seed=0):
    draw = random.Random(seed)
    return [0, space.size - 1, *(draw.randrange(space.size) for _ in range(count))]


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    space = preset(name)
    assert assert_costs_are_the_members(space, indices(space, 150))[""] > 100


@pytest.mark.parametrize("seed", RANDOM)
def test_random_spaces(seed, tmp_path):
    space = random_space(tmp_path, seed)
    assert_costs_are_the_members(space, indices(space, 40))


CORNERS = {
    "depth 1 or more, projections or not": {"depths": [1, 2, 3], "widths": [8, 16], "stem.width": [0, 8, 16]},
    "groups, words among numbers": {"stages.*.block.groups": [1, 2, 3, 4, "depthwise"], "widths": [8, 12, 16]},
    "group widths, 0 among them": {"stages.*.block.group_width": [0, 3, 8, 16], "widths": [8, 16, 24], "depths": [1, 2]},
    "squeezing, 0 among them": {"block.squeeze_ratio": [0.0, 0.25, 0.3], "block.squeeze_of": ["input", "hidden"], "widths": [8, 16]},
    "image sizes": {"image.size": [1, 2, 3, 4, 8, 32, 33, [7, 64], [64, 7]], "image.channels": [1, 3]},
    "heads": {"head.hidden": [0, 8, 12], "head.classes": [0, 1, 10], "head.dropout": [0.0, 0.1]},
    "strides": {"strides": [1, 2, 3], "output_stride": [0, 2, 4, 8, 12], "image.size": [16, 32]},
    "expansion": {"stages.*.block.expansion_ratio": [0.3, 1.0, 2.5], "block.expansion_of": ["input", "output"], "widths": [8, 24]},
    "activations": {"block.activation": ["gelu", "relu", "mish", "none"], "block.activation_after": [[], ["expand", "output"]]},
    "kinds": {"stages.*.block.kind": ["convnext", "mbconv", "basic", "custom"], "stages.0.block.kernel_size": [3, 4]},
}  # fmt: skip


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("downsample", ["separate", "in_block"])
@pytest.mark.parametrize("order", ["first", "middle", "both"])
def test_corners(name, order, downsample, tmp_path):
    base = {
        "block": {"kind": "bottleneck", "order": order, "groups": 1},
        "downsample": {"kind": downsample},
        "image": {"size": 16},
    }
    space = varied(tmp_path, CORNERS[name], **base)
    told = assert_costs_are_the_members(space, indices(space, 60))
    assert told[""]


ATTENTION = {
    "block.window": [4, 5, 7],
    "stages.2.depth": {"low": 3, "high": 9, "step": 1},
    "block.head_width": [16, 32],
    "stages.0.width": [64, 96, 128],
}
TOKENS = {
    "depths": [1, 2, 3],
    "block.heads": [0, 2, 3],
    "image.size": [8, 32, [24, 40]],
    "stem.patch_size": [4, 16],
    "widths": [48, 64],
}
WINDOWS_OR_NOT = {
    "stages.*.block.kind": ["swin", "vit", "convnext", "bottleneck"],
    "stages.1.block.window": [0, 3],
    "image.size": [2, 32, 45],
    "downsample.kind": ["patch_merging", "in_block"],
    "dilations": [1, 2],
}


def test_shifted_windows(tmp_path):
    space = space_of(tmp_path, {"base": "swin_t", "vary": ATTENTION})
    assert assert_costs_are_the_members(space, range(space.size))[""] == space.size == 126


def test_a_class_token(tmp_path):
    stem = {"norm": "none", "class_token": True, "position_embedding": True}
    tables = {"stem": stem, "block": {"kind": "vit", "head_width": 16}, "head": {"pool": "token"}}
    space = varied(tmp_path, TOKENS, **tables | {"depths": [1], "widths": [48]})
    told = assert_costs_are_the_members(space, range(space.size))
    assert set(told) == {"", "groups-do-not-divide", "map-vanishes"}


def test_attention_beside_convolutions(tmp_path):
    space = varied(tmp_path, WINDOWS_OR_NOT, stem={"patch_size": 4}, depths=[1, 3], widths=[32, 64])
    told = assert_costs_are_the_members(space, range(space.size))
    assert set(told) == {"", "bad-layer", "groups-do-not-divide", "map-vanishes", "out-of-range", "unknown-key"}
    assert told[""] > 30


BRANCHES = (
    ["depthwise(7)", "norm", "pointwise(4x)", "activation", "grn", "pointwise(1x)", "layer_scale"],
    [
        "parallel(depthwise(5), chain(conv(3, 0.5x), conv(1, 1x)), identity)",
        "norm",
        "pointwise(1x)",
        "squeeze_excite(0.25)",
    ],
    ["conv(3, 24, groups=3)", "conv(3, 1x, groups=4)"],
    ["split(depthwise(3), depthwise(5), identity)", "pointwise(1x)"],
)


@pytest.mark.parametrize("branch", BRANCHES, ids=["convnext", "parallel", "groups", "split"])
def test_blocks_that_are_written_as_layers(branch, tmp_path):
    vary = {
        "depths": [1, 2, 3],
        "widths": [8, 12, 15],
        "image.size": [32, 48],
        "block.norm": ["none", "rms_norm"],
    }
    space = varied(tmp_path, vary, block={"kind": "custom", "branch": branch}, widths=[12, 12])
    assert assert_costs_are_the_members(space, indices(space, 60))[""]


def test_every_fault_is_the_one_that_a_single_member_has(tmp_path):
    vary = {
        "widths": [8, 12],
        "depths": [1, 2],
        "block.groups": [1, 3, 8],
        "image.size": [2, 4, 32],
        "output_stride": [0, 2, 8],
        "names": ["timm", "facebookresearch"],
        "block.kind": ["basic", "custom"],
    }
    space = varied(tmp_path, vary, block={"kind": "basic"}, strides=[2, 2])
    told = assert_costs_are_the_members(space, range(0, space.size, 3))
    assert set(told) == {"", "groups-do-not-divide", "map-vanishes", "out-of-range", "unknown-key"}


def test_the_order_of_members_does_not_matter():
    space = preset("spaces/convnext_micro")
    chosen = indices(space, 200)
    once = cost_population(space, chosen + chosen[::-1])
    for metric, costs in once.costs.items():
        assert (costs == costs[::-1]).all(), metric


def test_chunks_do_not_matter(monkeypatch, tmp_path):
    space = random_space(tmp_path, 3)
    chosen = indices(space, 100)
    whole = cost_population(space, chosen, metrics=LIMITED)
    monkeypatch.setattr(populations, "CHUNK", 7)
    parts = cost_population(space, chosen, metrics=LIMITED)
    assert (whole.fault == parts.fault).all()
    assert all((whole.costs[metric] == parts.costs[metric]).all() for metric in LIMITED)


def test_indices_and_metrics_that_there_are_not():
    space = preset("spaces/kernel_study")
    for chosen in ([space.size], [0, -1], [10**30]):
        with pytest.raises(IndexError, match="20736"):
            cost_population(space, chosen)
    for ask in (lambda: cost_population(space, [0], metrics=("mac",)), lambda: sample(space, 1, metrics=("mac",))):
        with pytest.raises(ConvlabError, match='did you mean "macs"'):
            ask()
    assert len(cost_population(space, [])) == 0
    assert cost_population(space, np.array([5, 5])).indices == (5, 5)


def test_a_design_is_a_population_of_one():
    space = preset("spaces/kernel_study")
    alone = dataclasses.replace(space, factors=())
    found = cost_population(alone, [0, 0, 0])
    assert found.costs["macs"].tolist() == [profile(space.base).macs] * 3
    assert sample(alone, 5).population.indices == (0,)


HUGE = {
    "widths": {"widths": [8, 65536], "image.size": [32, 65536], "block.kernel_size": [3, 511], "depths": [1, 10_000]},
    "group widths": {"block.group_width": [0, 1, 65536], "widths": [8, 65536], "image.size": [32, 65536]},
    "image": {"image.size": [16, 65536], "image.channels": [3, 65536], "stem.width": [8, 65536], "stem.stride": [1, 64]},
    "every magnitude": {"image.size": {"low": 256, "high": 65536, "scale": "power_of_two"}, "stem.width": [64, 2048, 5000, 65536]},
    "one fixed, beyond int64 by itself": {"depths": [1, 2], "block.kernel_size": [511, 510]},
}  # fmt: skip


def assert_exact_or_too_big(space, chosen):
    """Array and scalar agree where int64 holds the costs; returns how many members had each fault, and the largest cost."""
    population = cost_population(space, chosen, metrics=LIMITED)
    told, most = Counter(), 0
    for place, index in enumerate(chosen):
        fault, costs = fault_and_costs(space, index)
        if not fault and max(costs.values()) >= 2**63:
            fault, costs = "too-big", dict.fromkeys(LIMITED, 0)
        assert population.fault[place] == fault
        assert {metric: int(population.costs[metric][place]) for metric in LIMITED} == costs
        told[fault] += 1
        most = max(most, *costs.values())
    return told, most


def test_a_table_of_relative_positions_beyond_64_bits(tmp_path):
    """It is as large as the window says, on the smallest map too."""
    table = {"base": "swin_t", "depths": [1, 1], "widths": [65536, 65536], "image": {"size": 4}}
    block = {"window": 65536, "head_width": 1}
    space = space_of(tmp_path, table | {"block": block, "vary": {"stages.1.depth": [1, 5000, 10_000]}})
    assert assert_exact_or_too_big(space, range(3))[0] == {"": 2, "too-big": 1}


@pytest.mark.parametrize("name", HUGE)
def test_costs_beyond_64_bits_are_refused_and_all_others_are_exact(name, tmp_path):
    stem = {"kind": "conv", "kernel_size": 255, "stride": 1}
    base = {"block": {"kind": "bottleneck", "expansion_ratio": 64.0}, "stem": stem}
    if name.startswith("one fixed"):
        base |= {"image": {"size": 65536}, "widths": [65536, 65536]}
    space = varied(tmp_path, HUGE[name], **base)
    chosen = range(space.size)
    told, most = assert_exact_or_too_big(space, chosen)
    assert told["too-big"]
    assert told[""] or name.startswith("one fixed")
    assert most > 2**60 or name != "every magnitude"
