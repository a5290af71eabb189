"""Latency: how long a caller waits for one step, and how long in the worst of a hundred cases."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from convlab.measurement.clocks import host_clock
from convlab.measurement.conditions import Conditions
from convlab.measurement.rounds import Protocol, warmed_up
from convlab.measurement.statistics import percentile
from convlab.measurement.workloads import Workload
from convlab.progress import Progress, Work

PERCENTS = (50.0, 95.0, 99.0)

OUTSIDE = 0.025
"""The chance that a percentile lies below its interval, and the same above."""

SAMPLES_A_REPORT = 16


@final
@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile of samples with its 95 % interval by order statistics, which asks nothing of the distribution.

    ``low`` or ``high`` is None where there are too few samples for such a bound, ``least`` of which would do.
    """

    percent: float
    value: float
    low: float | None
    high: float | None
    n: int

    @property
    def least(self) -> int:
        """So many samples it takes for an interval with both ends."""
        share = max(self.percent, 100 - self.percent) / 100
        return math.ceil(math.log(OUTSIDE) / math.log(share))

    @property
    def certain(self) -> bool:
        """Whether there are enough samples for an interval."""
        return self.low is not None and self.high is not None


@final
@dataclass(frozen=True, slots=True)
class Latency:
    """How long a caller waits for a step (seconds), by percentiles; ``samples`` in the order in which they were taken."""

    name: str
    conditions: Conditions
    percentiles: tuple[Percentile, ...]
    samples: tuple[float, ...]
    stopped: bool = False


def latency(
    workload: Workload, *, samples: int = 500, seconds: float = 60.0, protocol: Protocol | None = None
) -> Work[Latency]:
    """Measure step by step, the device waited for after each by the host's clock, until there are so many samples or seconds.

    500 samples are enough for an interval of the 99th percentile. Stopped by Ctrl-C it returns what it has.
    """
    clock = host_clock(workload.conditions.device)
    name = workload.subject.name
    taken: list[float] = []
    stopped = False
    began = time.monotonic()
    try:
        warmed_up(workload, protocol or Protocol())
        began = time.monotonic()
        while len(taken) < samples:
            taken.append(sum(workload.run(1, clock)))
            elapsed = time.monotonic() - began
            if elapsed > seconds:
                break
            if len(taken) % SAMPLES_A_REPORT == 0:
                remaining = min(seconds - elapsed, elapsed / len(taken) * (samples - len(taken)))
                yield Progress(len(taken), samples, f"{name} latency", elapsed, remaining)
    except KeyboardInterrupt:
        stopped = True
    found = tuple(with_interval(taken, percent) for percent in PERCENTS) if taken else ()
    return Latency(name, workload.conditions, found, tuple(taken), stopped)


def with_interval(samples: Sequence[float], percent: float) -> Percentile:
    """A percentile of samples with its interval."""
    ordered, count, share = sorted(samples), len(samples), percent / 100
    # below[k]: the chance that at most k samples lie below the percentile; the bounds are the widest ranks that are still unlikely.
    below = list(_cumulative(count, share))
    low = max((rank for rank in range(count) if below[rank] <= OUTSIDE), default=None)
    high = min((rank for rank in range(count) if 1 - below[rank] <= OUTSIDE), default=None)
    return Percentile(
        percent,
        percentile(samples, percent),
        None if low is None else ordered[low],
        None if high is None else ordered[high],
        count,
    )


def _cumulative(count: int, share: float) -> Iterator[float]:
    """The chances that at most 0, 1, 2, ... of so many independent cases occur, each with a share of 1."""
    total = 0.0
    for k in range(count + 1):
        logarithm = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        total += math.exp(logarithm + k * math.log(share) + (count - k) * math.log1p(-share))
        yield min(1.0, total)
