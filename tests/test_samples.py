"""Samples: uniform over the members within the limits, repeatable anywhere, and they say what was rejected for what."""

import dataclasses
import hashlib
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from spaces import PRESETS, fault_and_costs, preset, varied

from convlab.spaces import populations
from convlab.spaces.limits import LIMITED, Limit
from convlab.spaces.populations import cost_population, sample

LIMITS = {"macs": {"low": 100_000, "high": 250_000}, "params": {"high": 6000}}
VARY = {"depths": [1, 2, 3], "widths": [8, 12, 16], "block.groups": [1, 2, 3, "depthwise"]}


def limited(folder, limits=LIMITS):
    return varied(folder, VARY, limits=limits, block={"kind": "bottleneck", "expansion_ratio": 1.0})


def members_within(space):
    """The members that are valid and within the limits, one by one, and why each of the others is not."""
    taken, told = [], Counter()
    for index in range(space.size):
        reason, costs = fault_and_costs(space, index)
        for limit in space.limits:
            if not reason and limit.low is not None and costs[limit.metric] < limit.low:
                reason = f"{limit.metric} below {limit.low:g}"
            if not reason and limit.high is not None and costs[limit.metric] > limit.high:
                reason = f"{limit.metric} above {limit.high:g}"
        told[reason] += 1
        taken += [] if reason else [index]
    return taken, {reason: count for reason, count in told.items() if reason}


def test_a_sample_of_everything_is_everything_within_the_limits(tmp_path):
    space = limited(tmp_path)
    taken, told = members_within(space)
    assert {reason.split()[0] for reason in told} == {"macs", "params", "groups-do-not-divide"}
    found = sample(space, space.size, seed=3, metrics=LIMITED)
    assert sorted(found.population.indices) == taken
    assert found.rejections == told
    assert list(found.rejections) == sorted(found.rejections)
    assert (found.drawn, found.complete) == (space.size, False)
    assert found.acceptance == len(taken) / space.size
    again = cost_population(space, found.population.indices, metrics=LIMITED)
    assert all((again.costs[metric] == found.population.costs[metric]).all() for metric in LIMITED)
    exact = sample(space, len(taken), seed=3)
    assert exact.complete
    assert exact.population.indices == found.population.indices


def test_limits_are_uniform_over_the_members_that_keep_them(tmp_path):
    space = limited(tmp_path)
    taken, _ = members_within(space)
    drawn = Counter(index for seed in range(400) for index in sample(space, 5, seed).population.indices)
    assert set(drawn) <= set(taken)
    mean = 2000 / len(taken)
    statistic = sum((drawn[index] - mean) ** 2 for index in taken) / mean
    assert 0.5 * len(taken) < statistic < len(taken) + 4 * (2 * len(taken)) ** 0.5


def test_acceptance_and_rejections_add_up(tmp_path):
    for space in (preset("spaces/anynet_x"), preset("spaces/regnet_x"), limited(tmp_path)):
        for count in (1, 3, 10):
            found = sample(space, count, seed=count)
            assert len(found.population) + sum(found.rejections.values()) == found.drawn
            assert found.complete
            assert len(set(found.population.indices)) == len(found.population) == count


@pytest.mark.parametrize("name", PRESETS)
def test_samples_are_within_the_limits(name):
    space = preset(name)
    found = sample(space, 10, seed=7)
    for index in found.population.indices:
        fault, costs = fault_and_costs(space, index)
        assert not fault
        for limit in space.limits:
            assert (limit.low or 0) <= costs[limit.metric] <= (limit.high or 2**63)


def test_limits_themselves_are_allowed():
    space = preset("spaces/kernel_study")
    macs = int(cost_population(space, [1234]).costs["macs"][0])
    equal = {index for index, one in enumerate(cost_population(space, range(space.size)).costs["macs"]) if one == macs}

    def taken(low, high):
        limits = (Limit("macs", low, high),)
        return set(sample(dataclasses.replace(space, limits=limits), space.size).population.indices)

    assert taken(macs, macs) == taken(float(macs), float(macs)) == taken(macs - 0.5, macs + 0.5) == equal
    assert taken(macs + 1, macs + 1) & equal == set()
    assert taken(macs + 0.5, None) == taken(macs + 1, None)
    assert taken(None, macs - 0.5) == taken(None, macs - 1)
    assert len(taken(float("-inf"), float("inf"))) == len(taken(None, 10**30)) == space.size
    assert not taken(10**30, None)


def test_a_small_sample_is_the_beginning_of_a_large_one(tmp_path):
    for space in (preset("spaces/regnet_x"), preset("spaces/convnext_micro"), limited(tmp_path)):
        most = sample(space, 20, seed=1).population.indices
        assert [sample(space, count, seed=1).population.indices for count in (0, 1, 7)] == [(), most[:1], most[:7]]


def test_chunks_do_not_matter_to_samples(monkeypatch, tmp_path):
    space = limited(tmp_path)
    whole = sample(space, 30, seed=4)
    for chunk in (1, 7, 1000):
        monkeypatch.setattr(populations, "CHUNK", chunk)
        parts = sample(space, 30, seed=4)
        assert parts.population.indices == whole.population.indices
        assert (parts.drawn, parts.rejections) == (whole.drawn, whole.rejections)


def test_limits_that_nothing_keeps_end_the_search(tmp_path):
    limits = {"macs": {"high": 1}}
    small = sample(limited(tmp_path, limits), 3)
    assert (small.drawn, small.complete, small.acceptance) == (small.population.space.size, False, 0)
    assert all(costs.dtype == np.int64 and len(costs) == 0 for costs in small.population.costs.values())
    # More members than are put into order as a whole, but fewer than there are tries.
    large = sample(varied(tmp_path, {"widths": {"low": 1, "high": 320, "step": 1}}, limits=limits), 1)
    assert (large.drawn, large.complete) == (320**2, False)
    stopped = sample(preset("spaces/anynet_x"), 3, tries=500)
    assert (stopped.drawn, stopped.complete) == (500, False)


GOLDEN = {
    "spaces/anynet_x": "bd5ee278f2e0b8e2",
    "spaces/convnext_micro": "914b015ae91f6896",
    "spaces/kernel_study": "df315187f728fc8e",
    "spaces/regnet_x": "5f9c910058b50a0f",
}


def digest(name):
    found = sample(preset(name), 10, seed=2020)
    text = repr((found.population.indices, found.population.costs["macs"].tolist(), found.drawn, found.rejections))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", GOLDEN)
def test_the_same_sample_from_run_to_run(name):
    assert digest(name) == GOLDEN[name]


def test_the_same_sample_in_another_process():
    script = "\n".join(
        (
            "import sys",
            "import test_samples",
            "print(*[test_samples.digest(name) for name in test_samples.GOLDEN])",
            "assert 'torch' not in sys.modules",
        )
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(GOLDEN.values())
