"""Rounds: candidates measured in turn, A B C then C B A, so that what the machine does meanwhile meets all of them alike."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import final

from convlab.measurement.running.failures import failure_of
from convlab.measurement.running.garbage import no_collecting
from convlab.measurement.running.workloads import Workload
from convlab.measurement.statistics import confidence


@final
@dataclass(frozen=True)
class Protocol:
    """How long and how exactly is measured.

    A candidate is warmed up until two stretches of ``window`` steps take the same time up to ``stable``, or for ``warm_up_s``, but no
    longer than ``seconds``. Then come rounds, at least ``least_rounds``, until every candidate's median is known to ``precision``
    (half of its confidence interval), ``seconds`` a candidate are over or there are ``most_rounds``. A sample is the mean of steps in
    a row that take ``sample_s`` together.
    """

    seconds: float = 10.0
    least_rounds: int = 12
    most_rounds: int = 400
    precision: float = 0.005
    sample_s: float = 0.02
    window: int = 3
    stable: float = 0.05
    warm_up_s: float = 5.0


@final
@dataclass
class Samples:
    """What was measured of one candidate so far."""

    parts: tuple[str, ...]
    steps: int = 1
    """Steps that a sample is the mean of."""
    warm_up_steps: int = 0
    values: list[tuple[float, ...]] = field(default_factory=list)

    @property
    def totals(self) -> list[float]:
        """Seconds of a step, by round."""
        return [sum(value) for value in self.values]


def warmed_up(workload: Workload, protocol: Protocol) -> Samples:
    """Run until times are stable; how many steps a sample takes from then on."""
    most_s = min(protocol.warm_up_s, protocol.seconds)
    began = time.monotonic()
    times: list[float] = []
    while True:
        times.append(sum(workload.run()))
        if len(times) >= 2 * protocol.window:
            before, after = times[-2 * protocol.window : -protocol.window], times[-protocol.window :]
            change = statistics.median(after) / statistics.median(before) - 1
            if abs(change) <= protocol.stable:
                break
        if time.monotonic() - began > most_s and len(times) >= protocol.window:
            break
    step = statistics.median(times[-protocol.window :])
    steps = max(1, math.ceil(protocol.sample_s / step)) if step > 0 else 1
    return Samples(workload.parts, steps, len(times))


Failed = Callable[[int, str], None]
"""Told the number of a candidate that failed, and why; what the failure held is free by then."""


def interleaved(workloads: Sequence[Workload], protocol: Protocol) -> Iterator[tuple[Samples, ...]]:
    """Warm up and measure in turn; after each round, all samples so far (the same lists, which grow). Raises what a network raises."""
    yield from rounds(workloads, [warmed_up(workload, protocol) for workload in workloads], protocol)


def rounds(
    workloads: Sequence[Workload], samples: Sequence[Samples], protocol: Protocol, *, failed: Failed | None = None
) -> Generator[tuple[Samples, ...]]:
    """Measure candidates that are warm in turn; after each round, all samples so far (the same lists, which grow).

    Every other round goes backwards, so that no candidate always follows the same one. With ``failed`` a candidate that raises is
    left out from then on, and the rounds go on without it; otherwise what it raises is raised.
    """
    alive = list(range(len(workloads)))
    began = time.monotonic()
    with no_collecting():
        for number in range(1, protocol.most_rounds + 1):
            for index in tuple(alive if number % 2 else reversed(alive)):
                if why := _sampled(workloads[index], samples[index], catch=failed is not None):
                    alive.remove(index)
                    assert failed is not None
                    failed(index, why)
            if not alive:
                return
            yield tuple(samples)
            gc.collect()  # here it meets nobody's sample, and what is older is frozen
            over = time.monotonic() - began > protocol.seconds * len(alive)
            if number >= protocol.least_rounds and (over or _exact([samples[i] for i in alive], protocol.precision)):
                return


def _sampled(workload: Workload, found: Samples, *, catch: bool) -> str:
    """Take a sample; why there is none, empty if there is one."""
    try:
        found.values.append(workload.run(found.steps))
    except Exception as error:
        if not catch:
            raise
        return failure_of(error)
    return ""


def _exact(samples: Sequence[Samples], precision: float) -> bool:
    return all(confidence(found.totals).relative <= precision for found in samples)
