"""The statistics of timings: intervals keep their promise on independent samples and on samples that wander."""

import random
import statistics

import pytest

from convlab.measurement.statistics import confidence, estimate, inverted, percentile, ratio


def wandering(seed, count, memory):
    """Timings of a machine whose speed wanders: an autoregression around 1, with rare slow steps."""
    draw = random.Random(seed)
    level = draw.gauss(0, 0.02)
    for _ in range(count):
        level = memory * level + draw.gauss(0, 0.02 * (1 - memory**2) ** 0.5)
        slow = draw.expovariate(10) if draw.random() < 0.05 else 0.0
        yield 1 + level + abs(draw.gauss(0, 0.02)) + slow


def drifting(seed, count, memory):
    """Ratios of rounds whose median is 1: an autoregression, and what differs from round to round."""
    draw = random.Random(seed)
    level = draw.gauss(0, 0.02)
    for _ in range(count):
        level = memory * level + draw.gauss(0, 0.02 * (1 - memory**2) ** 0.5)
        yield 1 + level + draw.gauss(0, 0.02)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_interval_covers_the_median_of_the_next_run(memory):
    """In at least nine of ten cases, whether samples are independent or each resembles the one before."""
    covered = 0
    for trial in range(300):
        samples = list(wandering(trial, 120, memory))
        found = estimate(samples[:60])
        covered += found.low <= statistics.median(samples[60:]) <= found.high
    assert covered >= 270


def test_interval_covers_the_median_of_a_next_process():
    """Processes that differ by more than one of them can see: only who knows by how much covers nine of ten."""
    covered = {0.0: 0, 0.03: 0}
    for trial in range(300):
        draw = random.Random(-1 - trial)
        levels = draw.gauss(0, 0.03), draw.gauss(0, 0.03)
        first, second = (
            [level + each for each in wandering(trial + offset, 60, 0.5)]
            for level, offset in zip(levels, (0, 1000), strict=True)
        )
        for between in covered:
            found = estimate(first, between_processes=between)
            covered[between] += found.low <= statistics.median(second) <= found.high
    assert covered[0.0] < 270 <= covered[0.03]


@pytest.mark.parametrize("count", [1, 3, 4, 40])
def test_what_differs_between_processes_is_added_to_few_samples_too(count):
    found = estimate([1.0] * count, between_processes=0.01)
    assert (found.low, found.median, found.high) == pytest.approx((0.9723, 1.0, 1.0277), abs=1e-4)


def test_confidence_interval_covers_the_true_median():
    covered = 0
    for trial in range(1000):
        draw = random.Random(trial)
        found = confidence([draw.lognormvariate(0, 0.5) for _ in range(25)])
        covered += found.low <= 1.0 <= found.high
    assert 940 <= covered <= 990  # 95.7 % by the binomial distribution


def test_ratio_is_paired():
    """What slows a whole round down leaves the ratio alone."""
    rounds = [1.0, 5.0, 1.0, 20.0, 1.0, 3.0, 2.0, 1.0, 9.0, 1.0]
    found = ratio([2 * each for each in rounds], rounds)
    assert (found.low, found.median, found.high, found.n) == (2.0, 2.0, 2.0, 10)


@pytest.mark.parametrize(("count", "memory"), [(12, 0.0), (12, 0.5), (60, 0.0), (60, 0.5), (200, 0.5)])
def test_interval_of_a_ratio_covers_the_true_one(count, memory):
    """At least 94 of 100 times, whether the ratios of rounds are independent or each resembles the one before; hardly wider than has
    to be where they are independent."""
    covered, wider = 0, []
    for trial in range(500):
        samples = list(drifting(trial, count, memory))
        found, independent = ratio(samples, [1.0] * count), confidence(samples)
        covered += found.low <= 1 <= found.high
        wider.append(found.relative / independent.relative)
    assert covered >= 470
    if memory == 0:
        assert statistics.mean(wider) < 1.25


def test_ratios_that_wander_have_a_wider_interval_than_the_same_shuffled():
    samples = list(drifting(0, 200, 0.95))
    shuffled = random.Random(0).sample(samples, len(samples))
    one = [1.0] * len(samples)
    assert ratio(samples, one).relative > 1.5 * ratio(shuffled, one).relative


def test_ratio_needs_as_many_of_each():
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


@pytest.mark.parametrize("count", range(1, 12))
def test_few_samples_give_an_interval_around_their_median(count):
    samples = [1.0 + 0.1 * (7 * index % count) for index in range(count)]
    for found in (estimate(samples), confidence(samples)):
        assert found.low <= found.quartile_1 <= found.median <= found.quartile_3 <= found.high
        assert found.median == statistics.median(samples)
        assert found.n == count


def test_five_samples_cannot_bound_a_median_more_tightly_than_their_range():
    found = confidence([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.low, found.high) == (1.0, 5.0)


def test_percentile_is_a_sample():
    samples = [float(value) for value in range(1, 101)]
    assert [percentile(samples, percent) for percent in (0, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]
    assert percentile([3.0], 99) == 3.0


def test_throughput_is_the_batch_over_the_step():
    found = inverted(estimate([0.5, 0.4, 0.5, 0.625, 0.5]), 8)
    assert found.median == 16.0
    assert found.low <= found.quartile_1 <= found.median <= found.quartile_3 <= found.high
