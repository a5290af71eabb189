"""Batches: the knee of a throughput curve, sweeps, and the largest batch that fits, found without bringing the machine down."""

import json
import random
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from convlab.layers import Shape
from convlab.measurement.batches import Knee, Sweep, doubling, knee, sweep
from convlab.measurement.memory.capacity import Capacity, capacity
from convlab.measurement.memory.reckoning import counted, reckoned
from convlab.measurement.rounds import Protocol, Samples
from convlab.measurement.rows import failed, measured
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import module_subject, subject
from convlab.models.memory import free_bytes
from convlab.progress import finished
from convlab.views.sweeps import knee_words, sweep_table

TINY = subject("convnext_atto", image=(32, 32))
QUICK = Protocol(seconds=0.02, least_rounds=4, most_rounds=4, sample_s=0.0, warm_up_s=0.05)


def conditions(**given):
    return checked(Conditions(threads=1, **given))


class Sleeper(nn.Module):
    """A network that takes a fixed time, and more beyond so many images."""

    def __init__(self, seconds, images):
        super().__init__()
        self.seconds = seconds
        self.images = images
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        time.sleep(self.seconds * max(1.0, len(images) / self.images))
        return images.flatten(1)[:, :2] * self.scale


class Hungry(nn.Module):
    """A network that takes so many MiB an image."""

    def __init__(self, mebibytes):
        super().__init__()
        self.mebibytes = mebibytes
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        taken = torch.empty(len(images), self.mebibytes * 2**18, device=images.device)
        return taken[:, :2] * self.scale


def row(batch, speeds):
    """A row of samples with these throughputs."""
    samples = Samples(("forward",), values=[(batch / speed,) for speed in speeds])
    return measured(TINY, conditions(batch=batch), samples, counts=(1, 1), compile_s=0.0)


def curve(noise, seed=0):
    """Throughputs that saturate: 1000 images a second are reached from batch 16 on."""
    chance = random.Random(seed)
    return [
        row(batch, [min(1000, 62.5 * batch) * chance.uniform(1 - noise, 1 + noise) for _ in range(40)])
        for batch in doubling(128)
    ]


def test_doubling():
    assert doubling(1) == (1,)
    assert doubling(100) == (1, 2, 4, 8, 16, 32, 64)
    assert doubling(128)[-1] == 128


def test_the_knee_is_where_more_images_no_longer_help():
    assert knee(curve(0.0)) == Knee(16, 16, 16)


@pytest.mark.parametrize("seed", range(10))
def test_noise_does_not_move_the_knee_out_of_its_bounds(seed):
    found = knee(curve(0.2, seed))
    assert found.least <= 16 <= found.most
    assert found.least <= found.batch <= found.most


def test_a_flat_curve_has_its_knee_at_one():
    assert knee([row(batch, [100.0] * 8) for batch in (1, 2, 4)]) == Knee(1, 1, 1)


def test_failures_are_no_points_of_the_curve():
    lost = failed(TINY, conditions(batch=256), "out of memory", counts=(1, 1))
    assert knee([*curve(0.0), lost]) == Knee(16, 16, 16)
    assert knee([lost]) is None


@pytest.mark.slow
def test_a_sweep_of_a_network_of_known_times_finds_its_knee():
    """Up to 8 images take 20 ms, more take as much longer."""
    given = module_subject(lambda: Sleeper(0.02, 8), name="sleeper", image=Shape(3, 4, 4))
    found = finished(sweep(given, conditions(), batches=[16, 1, 8], protocol=QUICK))
    assert [row.conditions.batch for row in found.rows] == [1, 8, 16]
    assert all(len(row.samples) == 4 for row in found.rows), "two on the way up, two on the way down"
    assert found.knee.least <= 8 <= found.knee.most
    assert not found.stopped


@pytest.mark.slow
def test_a_sweep_ends_where_more_brings_nothing():
    given = module_subject(lambda: Sleeper(0.005, 2), name="sleeper", image=Shape(3, 4, 4))
    found = finished(sweep(given, conditions(), protocol=replace(QUICK, seconds=5)))
    assert 8 <= found.rows[-1].conditions.batch <= 32
    assert not found.out_of_time


@pytest.mark.slow
def test_a_sweep_ends_where_the_next_batch_would_take_too_long():
    """A network for which larger batches always help, in 4 times half a second."""
    given = module_subject(lambda: Sleeper(0.02, 10**6), name="sleeper", image=Shape(3, 4, 4))
    found = finished(sweep(given, conditions(), protocol=replace(QUICK, seconds=0.5)))
    assert sum(row.steps * sum(row.samples) for row in found.rows) < 3
    assert found.out_of_time
    assert 1 < found.rows[-1].conditions.batch < 1024
    assert all(len(row.samples) >= 4 for row in found.rows), "two on each way"
    assert "would take longer than --seconds allows" in knee_words(given, replace(found, rows=tuple(curve(0.0))))


def test_a_knee_that_the_intervals_leave_open_is_not_told():
    assert Knee(16, 8, 32).determined
    assert not Knee(16, 4, 32).determined
    assert not Knee(2, 1, 4, vague=True).determined
    chance = random.Random(1)
    noisy = Sweep(tuple(row(batch, [100 * chance.uniform(0.3, 3) for _ in range(10)]) for batch in doubling(64)))
    assert "not determined" in knee_words(TINY, noisy)
    assert "quieter machine" in knee_words(TINY, noisy)
    assert all("knee" not in cells[-1].text for cells in sweep_table(noisy).rows)


def test_a_stopped_sweep_keeps_what_it_has():
    work = sweep(TINY, conditions(), batches=[1, 2, 4], protocol=QUICK)
    for progress in work:
        if progress.done == 2:
            break
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    found = end.value.value
    assert found.stopped
    assert [row.conditions.batch for row in found.rows] == [1, 2]
    assert all(row.step is not None for row in found.rows)


def test_a_batch_that_fails_ends_the_sweep_with_its_reason():
    free = free_bytes(torch.device("cpu")) // 2**20
    given = module_subject(lambda: Hungry(free // 5), name="hungry", image=Shape(3, 2, 2))
    found = finished(sweep(given, conditions(), batches=[1, 2, 64, 128], protocol=QUICK))
    assert [row.conditions.batch for row in found.rows] == [1, 2, 64]
    assert found.rows[-1].step is None
    assert found.rows[-1].failure.startswith("out of memory: it would need")


@pytest.mark.slow
def test_the_capacity_of_a_cpu_is_reckoned_before_it_is_tried():
    """What is taken is never touched, so that the machine does not notice."""
    free = free_bytes(torch.device("cpu"))
    mebibytes = free // 2**20 // 40
    given = module_subject(lambda: Hungry(mebibytes), name="hungry", image=Shape(3, 2, 2))
    found = finished(capacity(given, conditions()))
    assert found.too_large == found.batch + 1
    assert 25 <= found.batch <= 0.95 * free / mebibytes / 2**20
    assert "no more than 75%" in found.why


@pytest.mark.slow
def test_what_is_below_a_known_bound_fits():
    given = module_subject(lambda: Hungry(1), name="hungry", image=Shape(3, 2, 2))
    assert finished(capacity(given, conditions(), below=4)) == Capacity(3, 4)
    assert finished(capacity(given, conditions(), most=2)) == Capacity(2, None)


def test_a_network_that_does_not_run_at_all_has_capacity_none():
    given = module_subject(lambda: nn.Linear(7, 2), name="linear", image=Shape(3, 2, 2))
    found = finished(capacity(given, conditions()))
    assert (found.batch, found.too_large) == (0, 1)
    assert "cannot be multiplied" in found.why


def test_a_stopped_search_says_what_it_knows():
    work = capacity(TINY, conditions(), fits=3, below=40)
    next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    assert end.value.value == Capacity(3, 40, stopped=True)


LIMITED = """
    import json, resource
    import torch
    from torch import nn
    from convlab.layers import Shape
    from convlab.measurement.memory.capacity import capacity
    from convlab.measurement.memory.attempts import attempt
    from convlab.measurement.running.conditions import Conditions, checked
    from convlab.measurement.running.subjects import module_subject
    from convlab.progress import finished

    torch.set_num_threads(1)

    class Hungry(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, images):
            return torch.zeros(len(images), 4 * 2**18)[:, :2] * self.scale

    given = module_subject(Hungry, name="hungry", image=Shape(3, 2, 2))
    conditions = checked(Conditions(threads=1))
    finished(capacity(given, conditions, most=1))  # what is loaded late is there before the limit is set
    lines = open("/proc/self/status").read().splitlines()
    used = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmSize"))
    resource.setrlimit(resource.RLIMIT_AS, (used + 200 * 2**20, resource.RLIM_INFINITY))
    found = finished(capacity(given, conditions, most=4096))
    print(json.dumps([found.batch, found.too_large, found.why]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited by Linux")
def test_where_the_system_refuses_memory_the_search_goes_on_below():
    """4 MiB an image in 200 MiB: real refusals of the allocator, in a process of its own."""
    code = textwrap.dedent(LIMITED)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    batch, too_large, why = json.loads(done.stdout)
    assert why == "out of memory"
    # 51 would fill the limit; glibc, which keeps memory, splits it up once the system has refused it some.
    assert 4 <= batch < too_large <= 51
    assert too_large - batch <= 2


@pytest.mark.slow
def test_what_is_reckoned_is_what_is_counted():
    found = counted(TINY, conditions(), most=8)
    assert [batch for batch, _ in found.bytes] == [1, 2, 4, 8]
    assert found.failed is None
    assert reckoned(found.bytes[:3], 8) == pytest.approx(found.bytes[3][1], rel=0.02)
