"""What many timings say: a median with an interval for the next run's, ratios of interleaved runs, percentiles."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

BLOCKS = 8
"""Samples are cut into so many stretches of time, whose medians tell how much a median wanders."""

T_QUANTILE = {1: 12.71, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365}
"""Student's t at 97.5 %, by degrees of freedom up to BLOCKS - 1."""

NORMAL_QUANTILE = 1.96

BETWEEN_PROCESSES = {"cpu": 0.0125}
"""Relative standard deviation of the medians of equal processes, by type of device: what one process cannot see of itself.

Where memory comes to lie differs from process to process. From 11 processes each of four networks on one machine (two cores of a Xeon
with AMX; benchmarks/results/repeats_inference.json); other machines have another, and GPUs were not asked.
"""


@final
@dataclass(frozen=True, slots=True)
class Estimate:
    """A median of n samples, with an interval; both are the median itself where there is one sample."""

    median: float
    low: float
    high: float
    quartile_1: float
    quartile_3: float
    n: int

    @property
    def relative(self) -> float:
        """Half of the interval's width over the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0


def estimate(samples: Sequence[float], *, between_processes: float = 0.0) -> Estimate:
    """The median of samples in the order in which they were taken, and an interval for the median of a next run.

    The interval is a 95 % prediction interval from the medians of consecutive stretches: it is wider where the machine wanders than
    one that takes the samples for independent. It never is narrower than the confidence interval of the order statistics.
    ``between_processes`` is what no process sees of itself: the relative standard deviation of the medians of equal ones.
    """
    low, high = _order_interval(samples)
    count = min(BLOCKS, len(samples) // 2)
    median = statistics.median(samples)
    if count >= 2:
        half = T_QUANTILE[count - 1] * statistics.stdev(_stretches(samples, count)) * math.sqrt(1 + 1 / count)
        low, high = min(low, median - half), max(high, median + half)
    beside = NORMAL_QUANTILE * math.sqrt(2) * between_processes * median
    low, high = max(0.0, median - math.hypot(median - low, beside)), median + math.hypot(high - median, beside)
    return _estimate(samples, low, high)


def between_processes(device: str) -> float:
    """What ``estimate`` is to add for a device ("cpu", "cuda:1", ...): 0 where nothing is known."""
    return BETWEEN_PROCESSES.get(device.partition(":")[0], 0.0)


def confidence(samples: Sequence[float]) -> Estimate:
    """The median of samples and its 95 % confidence interval by order statistics, which asks nothing of the distribution."""
    return _estimate(samples, *_order_interval(samples))


def ratio(ones: Sequence[float], others: Sequence[float]) -> Estimate:
    """How many times longer ``ones`` take than ``others`` of the same rounds: the median ratio and its 95 % confidence interval.

    The interval is that of the order statistics or, where it is wider, that of the mean of the medians of consecutive stretches: the
    first takes rounds for independent, and ratios wander too, though less than times.
    """
    ratios = [one / other for one, other in zip(ones, others, strict=True)]
    low, high = _order_interval(ratios)
    count = min(BLOCKS, len(ratios) // 2)
    if count >= 2:
        median = statistics.median(ratios)
        half = T_QUANTILE[count - 1] * statistics.stdev(_stretches(ratios, count)) / math.sqrt(count)
        low, high = max(0.0, min(low, median - half)), max(high, median + half)
    return _estimate(ratios, low, high)


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least so many percent of all do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def inverted(found: Estimate, numerator: float = 1.0) -> Estimate:
    """The estimate of ``numerator`` over what was estimated: seconds a step as images a second."""

    def over(value: float) -> float:
        return numerator / value if value else math.inf

    return Estimate(
        over(found.median), over(found.high), over(found.low), over(found.quartile_3), over(found.quartile_1), found.n
    )


def _stretches(samples: Sequence[float], count: int) -> list[float]:
    """The medians of so many consecutive stretches of samples."""
    edges = [round(index * len(samples) / count) for index in range(count + 1)]
    return [statistics.median(samples[start:end]) for start, end in pairwise(edges)]


def _estimate(samples: Sequence[float], low: float, high: float) -> Estimate:
    if len(samples) > 1:
        first, median, third = statistics.quantiles(samples, n=4, method="inclusive")
    else:
        first = median = third = samples[0]
    return Estimate(median, low, high, first, third, len(samples))


def _order_interval(samples: Sequence[float]) -> tuple[float, float]:
    """From the k-th sample to the k-th from the end, k so large that the median of all lies between in 95 of 100 cases.

    With fewer than six samples no two of them do; the interval then goes from the first to the last.
    """
    ordered, count = sorted(samples), len(samples)
    outside, rank = 0.0, 0
    while rank < count // 2:
        outside += 2 * math.comb(count, rank) / 2**count
        if outside > 0.05:
            break
        rank += 1
    place = max(0, rank - 1)
    return ordered[place], ordered[count - 1 - place]
