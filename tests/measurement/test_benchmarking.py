"""The verb ``benchmark``: every network gets a row, in the same conditions, with what is known; stopping keeps what there is."""

import time
import weakref

import pytest
import torch
from torch import nn

from convlab.errors import ConvlabError
from convlab.layers import Shape
from convlab.measurement.benchmarking import benchmark
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.subjects import module_subject, subject
from convlab.progress import finished

TINY = subject("convnext_atto", image=(32, 32))
SHORT = Protocol(seconds=0.1, least_rounds=4, most_rounds=4, sample_s=0.001, window=1, warm_up_s=0.2)
ONE_THREAD = Conditions(threads=1, batch=2)


class Sleeper(nn.Module):
    """A network that sleeps a known time."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        time.sleep(self.seconds)
        return images.flatten(1)[:, :2] * self.scale


class Broken(nn.Module):
    """A network that does not run."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        if images.device.type != "meta":
            raise RuntimeError("no kernel for this\nand a long tail")
        return images.flatten(1)[:, :2] * self.scale


def sleeper(milliseconds):
    return module_subject(lambda: Sleeper(milliseconds / 1e3), name=f"sleeps {milliseconds} ms", image=Shape(3, 4, 4))


def test_rows_of_known_times():
    found = finished(benchmark([sleeper(10)], against=[sleeper(20)], conditions=ONE_THREAD, protocol=SHORT))
    assert [row.subject.name for row in found.rows] == ["sleeps 10 ms", "sleeps 20 ms"]
    assert found.baseline == 1
    assert not found.stopped
    for row, seconds in zip(found.rows, (0.01, 0.02), strict=True):
        assert row.step.median >= seconds
        assert row.images_per_second.median == pytest.approx(2 / row.step.median)
        assert row.images_per_second.median <= 2 / seconds
        assert row.step.n == len(row.samples) == 4
        assert row.params == 1
    speed = found.speed(0)
    assert speed.low <= speed.median <= speed.high
    assert found.speed(1).median == 1
    assert found.speed(1, 0).median == pytest.approx(1 / speed.median, rel=0.2)


def test_a_training_step_by_parts_with_memory():
    conditions = Conditions(task="training", threads=1, batch=2)
    found = finished(benchmark(TINY, conditions=conditions, protocol=SHORT))
    (row,) = found.rows
    assert list(row.parts) == ["forward", "backward", "optimizer"]
    assert row.peak_bytes > 4 * 4 * row.params
    assert row.compile_s == 0
    plain = row.plain()
    assert plain["parts_s"]["backward"]["median"] > 0
    assert len(plain["samples_s"]) == 4
    assert (plain["batch"], plain["threads"], plain["dtype"]) == (2, 1, "float32")


def test_a_network_that_does_not_run_is_a_row_that_says_why():
    broken = module_subject(Broken, name="broken", image=Shape(3, 4, 4))
    found = finished(benchmark([sleeper(1), broken], conditions=ONE_THREAD, protocol=SHORT))
    assert found.rows[0].step is not None
    assert found.rows[1].step is None
    assert found.rows[1].failure == "RuntimeError: no kernel for this"
    assert found.rows[1].images_per_second is None
    assert found.speed(1) is None
    assert found.rows[1].plain()["step_s"] is None


class Tired(Sleeper):
    """A network that runs so many steps and no more."""

    steps = 20

    def forward(self, images):
        self.steps -= 1
        if self.steps < 0:
            raise RuntimeError("not enough memory for one more")
        return super().forward(images)


def test_a_network_that_breaks_off_keeps_its_rounds():
    tired = module_subject(lambda: Tired(1e-3), name="tired", image=Shape(3, 4, 4))
    endless = Protocol(seconds=5, least_rounds=400, window=1, warm_up_s=0.1, sample_s=0.0001)
    (row,) = finished(benchmark(tired, conditions=ONE_THREAD, protocol=endless)).rows
    assert 1 <= len(row.samples) < 20
    assert row.step is not None
    assert row.failure == "out of memory"
    assert row.peak_bytes is None


def test_one_that_breaks_off_leaves_the_others_their_rounds():
    tired = module_subject(lambda: Tired(1e-3), name="tired", image=Shape(3, 4, 4))
    protocol = Protocol(seconds=5, least_rounds=30, most_rounds=30, window=1, warm_up_s=0.1, sample_s=0.0001)
    found = finished(benchmark([sleeper(1), tired, sleeper(2)], conditions=ONE_THREAD, protocol=protocol))
    assert [row.failure for row in found.rows] == ["", "out of memory", ""]
    assert [len(row.samples) for row in found.rows][::2] == [30, 30]
    assert 1 <= len(found.rows[1].samples) < 20
    assert found.rows[0].peak_bytes is not None


BESIDE = weakref.WeakSet()


class Alone(Sleeper):
    """A network that takes all memory that there is: it runs while no other that is ready does."""

    def forward(self, images):
        if BESIDE and images.device.type != "meta":
            raise RuntimeError("not enough memory")
        return super().forward(images)


def beside():
    def make():
        made = Sleeper(1e-3)
        BESIDE.add(made)
        return made

    return module_subject(make, name="beside", image=Shape(3, 4, 4))


@pytest.mark.parametrize("first", [True, False])
def test_what_does_not_fit_beside_the_others_is_measured_after_them(first):
    alone = module_subject(lambda: Alone(2e-3), name="alone", image=Shape(3, 4, 4))
    subjects = [beside(), alone] if first else [alone, beside()]
    found = finished(benchmark(subjects, conditions=ONE_THREAD, protocol=SHORT))
    rows = {row.subject.name: row for row in found.rows}
    assert [len(row.samples) for row in found.rows] == [4, 4]
    assert (rows["beside"].group, rows["alone"].group) == (0, 1)
    assert rows["alone"].failure == ""
    assert rows["alone"].largest_batch is None
    assert found.speed(0, 1) is None
    assert found.speed(1, 0) is None
    ((sentence, _),) = found.remarks
    assert sentence.startswith("alone does not fit beside the others")


def test_whatever_a_foreign_network_raises_is_its_row():
    def make():
        raise AssertionError("the image must be square")

    refused = module_subject(make, name="refused", image=Shape(3, 4, 4))
    subjects = [TINY, refused, subject("torchvision:alexnet", image=(32, 32))]
    found = finished(benchmark(subjects, conditions=ONE_THREAD, protocol=SHORT))
    assert found.rows[0].step is not None
    assert found.rows[1].failure == "AssertionError: the image must be square"
    assert (found.rows[1].params, found.rows[1].macs) == (None, None)
    assert found.rows[2].failure.startswith("RuntimeError")
    assert (found.rows[2].params, found.rows[2].macs) == (61_100_840, None)


def test_images_that_differ_are_told():
    larger = module_subject(lambda: Sleeper(1e-3), name="larger", image=Shape(3, 8, 4))
    found = finished(benchmark([sleeper(1), larger], conditions=ONE_THREAD, protocol=SHORT))
    ((sentence, _),) = found.remarks
    assert sentence == "images differ (4x4 and 8x4 px), so that speeds compare unlike work"
    assert finished(benchmark(sleeper(1), conditions=ONE_THREAD, protocol=SHORT)).remarks == ()


def test_the_moments_are_those_around_the_rounds():
    began = time.monotonic()
    long = Protocol(seconds=1, least_rounds=4, most_rounds=4, sample_s=0.001, window=10, stable=0.0, warm_up_s=0.3)
    found = finished(benchmark(sleeper(10), conditions=ONE_THREAD, protocol=long))
    assert found.environment.moment.elapsed_s >= began + 0.3
    assert found.ended.elapsed_s - found.environment.moment.elapsed_s >= 0.04


def test_nothing_at_all_is_refused():
    with pytest.raises(ConvlabError, match="no network to be measured"):
        next(benchmark([]))
    with pytest.raises(ConvlabError, match="the name of a network is empty"):
        next(benchmark(""))


def test_a_batch_that_does_not_fit_is_a_row_with_the_largest_that_does():
    """In so little memory as a batch of a billion images leaves, nothing is tried that would take it."""
    conditions = Conditions(threads=1, batch=1_000_000_000)
    work = benchmark(TINY, conditions=conditions, protocol=SHORT)
    told = []
    for step in work:
        told.append(step.what)
        if "counting" in step.what:
            break
    assert told[-1].startswith("largest batch of convnext_atto")
    found = None
    try:
        work.throw(KeyboardInterrupt)
    except StopIteration as end:
        found = end.value
    assert found.rows[0].failure.startswith("out of memory: it needs")
    assert found.rows[0].step is None


@pytest.mark.parametrize("rounds", [0, 2])
def test_stopping_keeps_what_was_measured(rounds):
    kept = []
    work = benchmark([sleeper(1), sleeper(2)], conditions=ONE_THREAD, protocol=SHORT, keep=kept.append)
    for step in work:
        if step.done == rounds and (step.what.startswith("inference") or (not rounds and "warming" in step.what)):
            break
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    found = end.value.value
    assert found.stopped
    assert [len(row.samples) for row in found.rows] == [rounds, rounds]
    assert kept[-1] == found
    if not rounds:
        assert found.rows[0].failure == "stopped before it was measured"


def test_progress_is_told_and_ends_with_nothing_left():
    steps = []
    finished(benchmark(sleeper(1), conditions=ONE_THREAD, protocol=SHORT), steps.append)
    words = [step.what.split()[0] for step in steps]
    assert words == ["preparing", "warming", *["inference"] * 4, "memory"]
    remaining = [step.remaining_s for step in steps if step.what.startswith("inference")]
    assert remaining[-1] == 0
    assert all(left >= 0 for left in remaining)


def test_what_is_there_is_handed_over_while_it_is_measured(monkeypatch):
    monkeypatch.setattr("convlab.measurement.benchmarking.KEEP_S", 0.0)
    kept = []
    found = finished(benchmark(sleeper(1), conditions=ONE_THREAD, protocol=SHORT, keep=kept.append))
    assert [len(each.rows[0].samples) for each in kept] == [1, 2, 3, 4, 4]
    assert kept[-1] is found


def test_folded_networks_are_not_trained():
    folded = subject("repvgg_a0", image=(32, 32), folded=True)
    with pytest.raises(ConvlabError, match="a folded network is for inference"):
        next(benchmark(folded, conditions=Conditions(task="training")))


def test_environment_and_names():
    with pytest.raises(ConvlabError, match="timm has no network"):
        next(benchmark("timm:convnext_tiin"))
    with pytest.raises(ConvlabError, match="batch must be"):
        next(benchmark(TINY, conditions=Conditions(batch=0)))
