"""Batches: throughput from one image at a time up to as many as help, and the knee, from which on more images hardly help."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import final

import torch

from convlab.measurement.memory.attempts import attempt
from convlab.measurement.memory.peaks import Memory, peak_memory
from convlab.measurement.memory.reckoning import reckoned, too_much
from convlab.measurement.rounds import Protocol, Samples, interleaved
from convlab.measurement.rows import Measurement, failed, measured
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.failures import failure_of, release
from convlab.measurement.running.subjects import Subject, known_counts
from convlab.measurement.running.workloads import Workload
from convlab.measurement.statistics import Estimate, estimate, inverted
from convlab.models.memory import free_bytes
from convlab.progress import Progress, Work

MOST = 1024

NEAR_BEST = 0.95
"""The share of the best throughput at which the knee is."""

NO_GAIN = 1.05
"""Two doublings that are together not faster than the best before by this factor bring nothing: a sweep has seen enough."""

TIMES_SECONDS = 4
"""A sweep that finds its batches itself takes about so many times the protocol's seconds, without preparing networks."""

OPEN = 4
"""Bounds of a knee further apart than by this factor leave it open."""

VAGUE = 0.25
"""Throughputs of a wider interval, half of it over the median, say neither where a knee is nor that more images bring nothing."""


@final
@dataclass(frozen=True, slots=True)
class Knee:
    """The smallest batch with at least 95 % of the best throughput, by the medians.

    By the intervals of the throughputs it may be as small as ``least``, and need not be larger than ``most``; where those are ``vague``
    it may be anywhere, beyond the batches that were measured too.
    """

    batch: int
    least: int
    most: int
    vague: bool = False

    @property
    def determined(self) -> bool:
        """Whether the intervals leave little doubt where it is."""
        return not self.vague and self.most <= OPEN * self.least


@final
@dataclass(frozen=True)
class Sweep:
    """A row a batch, from the smallest up; the last one may be a failure, such as too little memory.

    ``out_of_time`` says that larger batches may have helped, and would have taken too long.
    """

    rows: tuple[Measurement, ...]
    stopped: bool = False
    out_of_time: bool = False

    @property
    def knee(self) -> Knee | None:
        """The knee; None without figures."""
        return knee(self.rows)


def doubling(most: int = MOST) -> tuple[int, ...]:
    """1, 2, 4, ... up to ``most``."""
    return tuple(takewhile(lambda batch: batch <= most, (2**power for power in range(most.bit_length()))))


def sweep(
    subject: Subject,
    conditions: Conditions,
    *,
    batches: Iterable[int] | None = None,
    protocol: Protocol | None = None,
    keep: Callable[[Sweep], None] | None = None,
) -> Work[Sweep]:
    """Measure a network at rising batches (1, 2, 4, ... until more bring nothing, or those that are given), then at falling ones.

    Each batch is measured on the way up and on the way down, so that a machine that grows hot slows all of them alike. Given batches take
    the protocol's seconds each; otherwise all of them share ``TIMES_SECONDS`` times as many, and no batch is tried that would not fit in.
    ``keep`` is handed what is there after each batch. Stopped by Ctrl-C it returns what it has.
    """
    used = protocol or Protocol()
    order = sorted(set(batches)) if batches is not None else doubling()
    budget = math.inf if batches is not None else TIMES_SECONDS * used.seconds
    share = used.seconds if batches is not None else budget / len(order)
    climb = _Climb(subject, conditions, _half(used, share), budget / 2, known_counts(subject))
    stopped = out_of_time = False
    began = time.monotonic()
    try:
        for batch in order:
            what, elapsed = f"{subject.name}, batch {batch}", time.monotonic() - began
            yield Progress(len(climb.found), None, what, elapsed, subject=subject.name)
            climb.measure(batch)
            if keep is not None:
                keep(Sweep(climb.rows()))
            if climb.at_the_top():
                break
            out_of_time = batch != order[-1] and climb.too_long(2 * batch)
            if out_of_time:
                break
        up = time.monotonic() - began
        for number, batch in enumerate(reversed(list(climb.found)), 1):
            left = up * (len(climb.found) - number + 1) / len(climb.found)
            what = f"{subject.name}, batch {batch} once more"
            done, elapsed = len(climb.found) + number, time.monotonic() - began
            yield Progress(done, 2 * len(climb.found), what, elapsed, left, subject=subject.name)
            climb.measure(batch)
    except KeyboardInterrupt:
        stopped = True
    return Sweep(climb.rows(), stopped, out_of_time)


def knee(rows: Sequence[Measurement]) -> Knee | None:
    """The knee of rows of one network, which one process has measured; those without figures are left out."""
    found = [(row.conditions.batch, _speed(row)) for row in rows]
    known = [(batch, speed) for batch, speed in sorted(found, key=lambda pair: pair[0]) if speed is not None]
    if not known:
        return None
    best_batch, best = max(known, key=lambda pair: pair[1].median)
    at = next(batch for batch, speed in known if speed.median >= NEAR_BEST * best.median)
    least = next(batch for batch, speed in known if speed.high >= NEAR_BEST * best.low)
    surely = (batch for batch, speed in known if speed.low >= NEAR_BEST * best.high)
    vague = max(best.relative, dict(known)[at].relative) > VAGUE
    return Knee(at, min(least, at), max(at, next(surely, best_batch)), vague)


def _speed(row: Measurement) -> Estimate | None:
    """Images a second beside those of the same process: without what differs between processes, which the row's own interval knows."""
    return inverted(estimate(row.samples), row.conditions.batch) if row.samples else row.images_per_second


def _half(protocol: Protocol, seconds: float) -> Protocol:
    """The protocol of one of the two ways, of a batch that has so many seconds."""
    least = (protocol.least_rounds + 1) // 2
    return replace(protocol, seconds=seconds / 2, least_rounds=least, warm_up_s=min(protocol.warm_up_s, seconds / 2))


def _seconds(samples: Samples) -> float:
    """How long the steps took, those of the warm-up about."""
    return samples.steps * sum(samples.totals) + samples.warm_up_steps * statistics.median(samples.totals)


@final
@dataclass
class _Climb:
    """What a sweep has seen so far, by batch in the order in which it was met first."""

    subject: Subject
    conditions: Conditions
    protocol: Protocol
    budget: float
    """Seconds for the way up, without limit where the batches are given."""
    counts: tuple[int | None, int | None]
    found: dict[int, Samples] = field(default_factory=dict)
    compile_s: dict[int, float] = field(default_factory=dict)
    peaks: dict[int, int] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    spent: float = 0.0
    """Seconds that steps took so far."""

    def measure(self, batch: int) -> None:
        """Measure a batch, for the first or the second time."""
        conditions = replace(self.conditions, batch=batch)
        made = self._reckoned_too_much(batch) or attempt(self.subject, conditions)
        if isinstance(made, str):
            self.failures[batch] = made
            return
        try:
            self._measure(batch, made)
        except (RuntimeError, MemoryError) as error:
            self.failures[batch] = failure_of(error)
        finally:
            made.close()
            release(conditions.device)

    def _reckoned_too_much(self, batch: int) -> str:
        """Why a batch is not tried on the CPU, by what the smaller ones took."""
        counted = sorted(pair for pair in self.peaks.items() if pair[0] < batch)
        if self.conditions.device != "cpu" or len(counted) < 2 or batch in self.found:
            return ""
        free = free_bytes(torch.device("cpu"))
        return "" if free is None else too_much(reckoned(counted, batch), free)

    def _measure(self, batch: int, made: Workload) -> None:
        again = batch in self.found
        self.compile_s.setdefault(batch, made.compile_s)
        fresh: Samples | None = None
        try:
            for (samples,) in interleaved([made], self.protocol):
                fresh = samples
        finally:
            if fresh is not None:
                self.spent += _seconds(fresh)
            if fresh is not None and again:
                self.found[batch].values.extend(fresh.values)
            elif fresh is not None:
                self.found[batch] = fresh
        if not again:
            memory = peak_memory(made)
            if isinstance(memory, Memory):
                self.peaks[batch] = memory.peak

    def at_the_top(self) -> bool:
        """Whether larger batches are of no use: this one does not fit, or it and the one before clearly bring nothing."""
        if self.failures:
            return True
        speeds = [speed for row in self.rows() if (speed := _speed(row)) is not None]
        if self.budget == math.inf or len(speeds) <= 2:
            return False
        before, last = max(speed.median for speed in speeds[:-2]), speeds[-2:]
        return all(speed.median < NO_GAIN * before and speed.relative <= VAGUE for speed in last)

    def too_long(self, batch: int) -> bool:
        """Whether the steps that a batch takes at least would not fit into the time, by what the largest one so far took."""
        largest = max(self.found)
        step = statistics.median(self.found[largest].totals) * batch / largest
        least = self.protocol.window + self.protocol.least_rounds + 1  # one more counts the memory
        return self.spent + least * step > self.budget

    def rows(self) -> tuple[Measurement, ...]:
        """A row a batch."""
        rows = []
        for batch in sorted({*self.found, *self.failures}):
            conditions = replace(self.conditions, batch=batch)
            if batch in self.found:
                row = measured(
                    self.subject, conditions, self.found[batch], counts=self.counts, compile_s=self.compile_s[batch]
                )
                rows.append(replace(row, peak_bytes=self.peaks.get(batch)))
            else:
                rows.append(failed(self.subject, conditions, self.failures[batch], counts=self.counts))
        return tuple(rows)
