"""Batches: throughput from one image at a time up to as many as help, and the knee, from which on more images hardly help."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import final

import torch

from convlab.measurement.attempts import attempt
from convlab.measurement.conditions import Conditions
from convlab.measurement.failures import failure_of, release
from convlab.measurement.memory import Memory, peak_memory
from convlab.measurement.reckoning import reckoned, too_much
from convlab.measurement.rounds import Protocol, Samples, interleaved
from convlab.measurement.rows import Measurement, failed, measured
from convlab.measurement.subjects import Subject, params_and_macs
from convlab.measurement.workloads import Workload
from convlab.models.memory import free_bytes
from convlab.progress import Progress, Work

MOST = 1024

NEAR_BEST = 0.95
"""The share of the best throughput at which the knee is."""

NO_GAIN = 1.02
"""A batch that is not faster than the best before by this factor brings nothing; after two of them a sweep has seen enough."""


@final
@dataclass(frozen=True, slots=True)
class Knee:
    """The smallest batch with at least 95 % of the best throughput, by the medians.

    By the intervals of the throughputs it may be as small as ``least``, and need not be larger than ``most``.
    """

    batch: int
    least: int
    most: int


@final
@dataclass(frozen=True)
class Sweep:
    """A row a batch, from the smallest up; the last one may be a failure, such as too little memory."""

    rows: tuple[Measurement, ...]
    stopped: bool = False

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

    Each batch is measured on the way up and on the way down, half of the protocol's time each, so that a machine that grows hot slows all
    of them alike. ``keep`` is handed what is there after each batch. Stopped by Ctrl-C it returns what it has.
    """
    climb = _Climb(subject, conditions, _half(protocol or Protocol()), batches is not None, params_and_macs(subject))
    order = sorted(set(batches)) if batches is not None else doubling()
    stopped = False
    began = time.monotonic()
    try:
        for batch in order:
            yield Progress(len(climb.found), None, f"{subject.name}, batch {batch}", time.monotonic() - began)
            climb.measure(batch)
            if keep is not None:
                keep(Sweep(climb.rows()))
            if climb.at_the_top():
                break
        up = time.monotonic() - began
        for number, batch in enumerate(reversed(list(climb.found)), 1):
            left = up * (len(climb.found) - number + 1) / len(climb.found)
            what = f"{subject.name}, batch {batch} once more"
            yield Progress(len(climb.found) + number, 2 * len(climb.found), what, time.monotonic() - began, left)
            climb.measure(batch)
    except KeyboardInterrupt:
        stopped = True
    return Sweep(climb.rows(), stopped)


def knee(rows: Sequence[Measurement]) -> Knee | None:
    """The knee of rows of one network; those without figures are left out."""
    found = [(row.conditions.batch, row.images_per_second) for row in rows]
    known = [(batch, speed) for batch, speed in sorted(found, key=lambda pair: pair[0]) if speed is not None]
    if not known:
        return None
    best_batch, best = max(known, key=lambda pair: pair[1].median)
    at = next(batch for batch, speed in known if speed.median >= NEAR_BEST * best.median)
    least = next(batch for batch, speed in known if speed.high >= NEAR_BEST * best.low)
    surely = (batch for batch, speed in known if speed.low >= NEAR_BEST * best.high)
    return Knee(at, min(least, at), max(at, next(surely, best_batch)))


def _half(protocol: Protocol) -> Protocol:
    return replace(protocol, seconds=protocol.seconds / 2, least_rounds=(protocol.least_rounds + 1) // 2)


@final
@dataclass
class _Climb:
    """What a sweep has seen so far, by batch in the order in which it was met first."""

    subject: Subject
    conditions: Conditions
    protocol: Protocol
    given: bool
    counts: tuple[int, int]
    found: dict[int, Samples] = field(default_factory=dict)
    compile_s: dict[int, float] = field(default_factory=dict)
    peaks: dict[int, int] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)

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
            if fresh is not None and again:
                self.found[batch].values.extend(fresh.values)
            elif fresh is not None:
                self.found[batch] = fresh
        if not again:
            memory = peak_memory(made)
            if isinstance(memory, Memory):
                self.peaks[batch] = memory.peak

    def at_the_top(self) -> bool:
        """Whether larger batches are of no use: this one does not fit, or it and the one before bring nothing."""
        if self.failures:
            return True
        speeds = [row.images_per_second for row in self.rows()]
        medians = [speed.median for speed in speeds if speed is not None]
        return not self.given and len(medians) > 2 and max(medians[-2:]) < NO_GAIN * max(medians[:-2])

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
