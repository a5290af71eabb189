"""Latency: how long a caller waits for one step, and how long in the worst of a hundred cases."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import final

from convlab.measurement.rounds import Protocol, warmed_up
from convlab.measurement.running.clocks import HostClock, host_clock
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.workloads import Workload
from convlab.measurement.statistics import percentile
from convlab.progress import Progress, Work

PERCENTS = (50.0, 95.0, 99.0)

OUTSIDE = 0.025
"""The chance that a percentile lies below its interval, and the same above."""

STEPS_A_TURN = 16
"""Steps of a network before it is the next one's turn."""

KEEP_S = 2.0
"""How often at most what is there so far is handed to ``keep``."""


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
    (found,) = yield from latencies_in_turn([workload], samples=samples, seconds=seconds, protocol=protocol)
    return found


def latencies_in_turn(
    workloads: Sequence[Workload],
    *,
    samples: int = 500,
    seconds: float = 60.0,
    protocol: Protocol | None = None,
    keep: Callable[[tuple[Latency, ...]], None] | None = None,
) -> Work[tuple[Latency, ...]]:
    """Measure networks in turn, A B, then B A, some steps each, so that what the machine does meanwhile meets all of them alike.

    It ends when each has so many samples, or after so many seconds for each. ``keep`` is handed what is there so far, every few seconds.
    Stopped by Ctrl-C it returns what it has.
    """
    waits = [_Waits(workload, host_clock(workload.conditions.device)) for workload in workloads]
    names = ", ".join(workload.subject.name for workload in workloads)
    stopped = False
    try:
        for workload in workloads:
            warmed_up(workload, protocol or Protocol())
        began = kept = time.monotonic()
        budget = seconds * len(waits)
        order = waits
        while (done := min(len(each.taken) for each in waits)) < samples:
            turn = min(STEPS_A_TURN, samples - done)
            for each in order:
                each.turn(turn, until=began + budget, alone=len(waits) == 1)
            order = order[::-1]
            now = time.monotonic()
            if now - began >= budget:
                break
            done += turn
            left = min(budget - (now - began), (now - began) / done * (samples - done))
            yield Progress(done, samples, f"latency of {names}", now - began, left)
            if keep is not None and now - kept > KEEP_S:
                keep(tuple(each.latency(stopped=False) for each in waits))
                kept = now
    except KeyboardInterrupt:
        stopped = True
    return tuple(each.latency(stopped=stopped) for each in waits)


@final
@dataclass
class _Waits:
    """A network, and how long each of its steps was waited for."""

    workload: Workload
    clock: HostClock
    taken: list[float] = field(default_factory=list)

    def turn(self, steps: int, *, until: float, alone: bool) -> None:
        """Take so many steps, or one at least where the time is over before."""
        if not alone:
            self.workload.run(1, self.clock)  # not counted: another network's weights and maps are in the caches
        for _ in range(steps):
            self.taken.append(sum(self.workload.run(1, self.clock)))
            if time.monotonic() > until:
                break

    def latency(self, *, stopped: bool) -> Latency:
        """What the samples so far say."""
        found = tuple(with_interval(self.taken, percent) for percent in PERCENTS) if self.taken else ()
        return Latency(self.workload.subject.name, self.workload.conditions, found, tuple(self.taken), stopped)


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
