"""The verb ``benchmark``: networks under one set of conditions, interleaved, with everything that makes the figures trustworthy."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from convlab.language.design import Design
from convlab.measurement.conditions import Conditions, checked
from convlab.measurement.disturbances import disturbances
from convlab.measurement.environment import Environment, environment
from convlab.measurement.failures import failure_of, release
from convlab.measurement.rows import Measurement, failed, measured
from convlab.measurement.rounds import Protocol, Samples, interleaved
from convlab.measurement.statistics import Estimate, ratio
from convlab.measurement.subjects import Subject, params_and_macs, subject
from convlab.measurement.workloads import Workload, workload
from convlab.progress import Progress, Work


@final
@dataclass(frozen=True)
class Benchmark:
    """Rows that may be compared: measured in turn, under the same conditions."""

    rows: tuple[Measurement, ...]
    conditions: Conditions
    environment: Environment
    disturbances: tuple[str, ...] = ()
    """What makes the figures doubtful, a sentence each."""
    baseline: int = 0
    """The row that the others are compared with."""
    stopped: bool = False
    """Whether it was stopped before its protocol was through."""

    def speed(self, row: int) -> Estimate | None:
        """How many times as fast as the baseline a row is, by the ratios of the same rounds; None without figures of both."""
        mine, base = self.rows[row].samples, self.rows[self.baseline].samples
        rounds = min(len(mine), len(base))
        return ratio(base[:rounds], mine[:rounds]) if rounds else None


@final
@dataclass
class _Candidate:
    """A subject on its way to a row."""

    subject: Subject
    counts: tuple[int, int]
    workload: Workload | None = None
    compile_s: float = 0.0
    samples: Samples | None = None
    failure: str = "stopped before it was measured"

    def row(self, conditions: Conditions) -> Measurement:
        """The row of what is known so far."""
        if self.samples is None or not self.samples.values:
            return failed(self.subject, conditions, self.failure, counts=self.counts)
        return measured(self.subject, conditions, self.samples, counts=self.counts, compile_s=self.compile_s)


def benchmark(
    designs: Sequence[str | Design | Subject] | str | Design | Subject,
    *,
    against: Sequence[str | Design | Subject] = (),
    conditions: Conditions | None = None,
    protocol: Protocol | None = None,
    image: tuple[int, int] | None = None,
    folded: bool = False,
) -> Work[Benchmark]:
    """Measure designs, and what they are compared with, in turn.

    A design is named by its preset, its file, or as ``timm:NAME``, ``torchvision:NAME``, ``transformers:TYPE``. The baseline is the
    first of ``against``, without any the first design. A network that does not run is a row that says why. Stopped by Ctrl-C it
    returns what it has. Raises ConvlabError for unknown names and conditions that cannot be had.
    """
    given = [designs] if isinstance(designs, str | Design | Subject) else list(designs)
    asked = checked(conditions or Conditions())
    subjects = [subject(each, image=image, folded=folded) for each in given]
    subjects += [subject(each, image=image) for each in against]
    candidates = [_Candidate(each, params_and_macs(each)) for each in subjects]
    before = environment(asked.device)
    stopped = False
    try:
        yield from _run(candidates, asked, protocol or Protocol())
    except KeyboardInterrupt:
        stopped = True
    rows = tuple(candidate.row(asked) for candidate in candidates)
    after = environment(asked.device)
    return Benchmark(rows, asked, before, disturbances(before, after), len(given) if against else 0, stopped)


def _run(candidates: Sequence[_Candidate], conditions: Conditions, protocol: Protocol) -> Work[None]:
    """Fill in what the candidates' rows need. What fits on the device is measured in turn; the others say why they are not."""
    began = time.monotonic()
    try:
        for number, candidate in enumerate(candidates):
            yield Progress(number, None, f"preparing {candidate.subject.name}", time.monotonic() - began)
            _prepare(candidate, conditions)
        running = [candidate for candidate in candidates if candidate.workload is not None]
        if running:
            yield from _timed(running, conditions, protocol)
    finally:
        for candidate in candidates:
            if candidate.workload is not None:
                candidate.workload.close()


def _prepare(candidate: _Candidate, conditions: Conditions) -> None:
    """Make a candidate ready to run, or say why it does not run."""
    try:
        candidate.workload = workload(candidate.subject, conditions)
    except (RuntimeError, ValueError, NotImplementedError) as error:  # out of memory is a RuntimeError
        candidate.failure = failure_of(error)
        release(conditions.device)
    else:
        candidate.compile_s = candidate.workload.compile_s


def _timed(running: Sequence[_Candidate], conditions: Conditions, protocol: Protocol) -> Work[None]:
    names = ", ".join(candidate.subject.name for candidate in running)
    workloads = [candidate.workload for candidate in running if candidate.workload is not None]
    began = time.monotonic()
    budget = protocol.seconds * len(running)
    yield Progress(0, None, f"warming up: {names}", 0.0)
    for rounds, samples in enumerate(interleaved(workloads, protocol), 1):
        for candidate, found in zip(running, samples, strict=True):
            candidate.samples = found
        spent = time.monotonic() - began
        yield Progress(rounds, None, f"{conditions.task}: {names}", spent, max(0.0, budget - spent))
