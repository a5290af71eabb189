"""Latency: percentiles with intervals that hold, and what is said where there are too few samples for one."""

import random
import time
from functools import partial
from itertools import groupby

import pytest
import torch
from torch import nn

from convlab.layers import Shape
from convlab.measurement.latency import STEPS_A_TURN, latencies_in_turn, latency, with_interval
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import module_subject
from convlab.measurement.running.workloads import workload
from convlab.progress import finished

QUICK = Protocol(warm_up_s=0.05)


class Stuttering(nn.Module):
    """A network that takes 2 ms, and every tenth time 20 ms."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.calls = 0

    def forward(self, images):
        self.calls += 1
        time.sleep(0.002 if self.calls % 10 else 0.02)
        return images.flatten(1)[:, :2] * self.scale


@pytest.fixture
def stuttering():
    given = module_subject(Stuttering, name="stuttering", image=Shape(3, 4, 4))
    return workload(given, checked(Conditions(threads=1)))


def test_the_tail_is_seen(stuttering):
    found = finished(latency(stuttering, samples=100, protocol=QUICK))
    half, most, _ = (one.value for one in found.percentiles)
    assert 0.002 <= half < 0.02 <= most
    assert len(found.samples) == 100
    assert [one.percent for one in found.percentiles] == [50, 95, 99]
    assert [one.certain for one in found.percentiles] == [True, True, False]


def test_it_ends_in_time(stuttering):
    found = finished(latency(stuttering, samples=10**6, seconds=0.2, protocol=QUICK))
    assert 1 < len(found.samples) < 110


def test_networks_take_turns():
    """A B, then B A: each step of a network is seen on a list that both write to."""
    order = []
    names = ("one", "other")

    class Named(nn.Module):
        def __init__(self, name):
            super().__init__()
            self.name = name
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, images):
            order.append(self.name)
            time.sleep(0.001 if self.name == "one" else 0.003)
            return images.flatten(1)[:, :2] * self.scale

    given = [module_subject(partial(Named, name), name=name, image=Shape(3, 4, 4)) for name in names]
    ready = [workload(each, checked(Conditions(threads=1))) for each in given]
    kept = []
    work = latencies_in_turn(ready, samples=64, protocol=QUICK, keep=kept.append)
    one, other = finished(work)
    turns = [name for name, _ in groupby(order[-4 * (STEPS_A_TURN + 1) * 2 :])]
    assert turns == ["one", "other", "one", "other", "one"], "the turn of two neighbours is one stretch"
    assert (len(one.samples), len(other.samples)) == (64, 64)
    assert one.percentiles[0].value < other.percentiles[0].value


def test_turns_end_in_time():
    given = [module_subject(Stuttering, name=name, image=Shape(3, 4, 4)) for name in ("one", "other")]
    ready = [workload(each, checked(Conditions(threads=1))) for each in given]
    found = finished(latencies_in_turn(ready, samples=10**6, seconds=0.2, protocol=QUICK))
    assert all(1 <= len(each.samples) < 220 for each in found)


def test_stopped_it_keeps_what_it_has(stuttering):
    work = latency(stuttering, samples=1000, protocol=QUICK)
    next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    assert end.value.value.stopped
    assert len(end.value.value.samples) == 16


@pytest.mark.parametrize(("percent", "least"), [(50, 6), (95, 72), (99, 368)])
def test_so_many_samples_make_an_interval(percent, least):
    """0.975 of all n samples lie below the 99th percentile by chance where 0.99^n = 0.025."""
    assert with_interval(range(least), percent).least == least
    assert with_interval(range(least), percent).certain
    assert not with_interval(range(least - 1), percent).certain


@pytest.mark.parametrize("percent", [50, 95, 99])
def test_the_interval_holds_the_true_percentile(percent):
    """Of 400 samples without a distribution of their own, in at least 95 of 100 cases."""
    chance = random.Random(1)
    held = 0
    for _ in range(300):
        found = with_interval([chance.random() ** 3 for _ in range(400)], percent)
        held += found.low <= (percent / 100) ** 3 <= found.high
    assert held / 300 >= 0.92
    assert percent != 50 or held < 300


def test_one_sample_is_a_lower_bound_at_most():
    found = with_interval([0.5], 99)
    assert (found.value, found.low, found.high, found.certain) == (0.5, 0.5, None, False)
    assert with_interval([0.5], 50).low is None
