"""The verb ``benchmark``: networks under one set of conditions, interleaved, with everything that makes the figures trustworthy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

from convlab.errors import ConvlabError, Problem
from convlab.language.design import Design
from convlab.measurement.capacity import capacity
from convlab.measurement.caution import cautious_attempt
from convlab.measurement.conditions import Conditions, checked
from convlab.measurement.disturbances import disturbances
from convlab.measurement.energy import energy
from convlab.measurement.environment import Environment, environment
from convlab.measurement.failures import OUT_OF_MEMORY, failure_of
from convlab.measurement.memory import peak_memory
from convlab.measurement.rounds import Protocol, Samples, interleaved
from convlab.measurement.rows import Measurement, failed, measured
from convlab.measurement.statistics import Estimate, ratio
from convlab.measurement.subjects import Subject, params_and_macs, subject
from convlab.measurement.unmeasured import Unmeasured
from convlab.measurement.workloads import Workload
from convlab.progress import Progress, Work

ENERGY_S = 3.0
"""How long energy is counted at most."""

KEEP_S = 2.0
"""How often at most what is there so far is handed to ``keep``."""


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

    def speed(self, row: int, base: int | None = None) -> Estimate | None:
        """How many times as fast as another row (None: the baseline) a row is, by the ratios of the same rounds.

        None where one of them has no figures.
        """
        mine = self.rows[row].samples
        others = self.rows[self.baseline if base is None else base].samples
        rounds = min(len(mine), len(others))
        return ratio(others[:rounds], mine[:rounds]) if rounds else None


Keep = Callable[[Benchmark], None]
"""Puts away what is there so far; the next call holds it again, with more."""


@final
@dataclass
class _Candidate:
    """A subject on its way to a row."""

    subject: Subject
    counts: tuple[int, int]
    workload: Workload | None = None
    compile_s: float = 0.0
    samples: Samples | None = None
    peak_bytes: int | None = None
    joules_per_image: float | None = None
    failure: str = "stopped before it was measured"
    broke_off: str = ""
    """Why it was not measured to the end."""
    largest_batch: int | None = None

    def row(self, conditions: Conditions) -> Measurement:
        """The row of what is known so far."""
        if self.samples is None or not self.samples.values:
            return failed(self.subject, conditions, self.failure, counts=self.counts, largest_batch=self.largest_batch)
        row = measured(self.subject, conditions, self.samples, counts=self.counts, compile_s=self.compile_s)
        return replace(row, peak_bytes=self.peak_bytes, joules_per_image=self.joules_per_image, failure=self.broke_off)


@final
@dataclass(frozen=True)
class _Session:
    """What stays the same while candidates are measured."""

    candidates: Sequence[_Candidate]
    conditions: Conditions
    protocol: Protocol
    before: Environment
    baseline: int
    keep: Keep | None

    def found(self, *, stopped: bool) -> Benchmark:
        """The benchmark as it stands."""
        rows = tuple(candidate.row(self.conditions) for candidate in self.candidates)
        after = environment(self.conditions.device)
        doubts = disturbances(self.before, after, threads=self.conditions.threads)
        return Benchmark(rows, self.conditions, self.before, doubts, self.baseline, stopped)

    def kept(self, *, stopped: bool) -> Benchmark:
        """The benchmark as it stands, put away."""
        found = self.found(stopped=stopped)
        if self.keep is not None:
            self.keep(found)
        return found


def benchmark(
    designs: Sequence[str | Design | Subject] | str | Design | Subject,
    *,
    against: Sequence[str | Design | Subject] = (),
    conditions: Conditions | None = None,
    protocol: Protocol | None = None,
    image: tuple[int, int] | None = None,
    folded: bool = False,
    keep: Keep | None = None,
) -> Work[Benchmark]:
    """Measure designs, and what they are compared with, in turn.

    A design is named by its preset, its file, or as ``timm:NAME``, ``torchvision:NAME``, ``transformers:TYPE``. The baseline is the
    first of ``against``, without any the first design. A network that does not run is a row that says why. Stopped by Ctrl-C it
    returns what it has. ``keep`` is handed what is there every few seconds, and at the end. Raises ConvlabError for unknown names and
    conditions that cannot be had.
    """
    given = [designs] if isinstance(designs, str | Design | Subject) else list(designs)
    asked = checked(conditions or Conditions())
    subjects = [subject(each, image=image, folded=folded) for each in given]
    subjects += [subject(each, image=image) for each in against]
    refuse_folded_training(subjects, asked.task)
    candidates = [_Candidate(each, params_and_macs(each)) for each in subjects]
    baseline = len(given) if against else 0
    session = _Session(candidates, asked, protocol or Protocol(), environment(asked.device), baseline, keep)
    stopped = False
    try:
        yield from _run(session)
    except KeyboardInterrupt:
        stopped = True
    return session.kept(stopped=stopped)


def refuse_folded_training(subjects: Sequence[Subject], task: str) -> None:
    """Raise ConvlabError where folded networks are to be trained."""
    names = [each.name for each in subjects if each.folded]
    if names and task == "training":
        message = f"{', '.join(names)}: a folded network is for inference; its norms are gone, it would train as another network"
        help = "--task inference, or leave --folded out"
        raise ConvlabError(Problem("usage", message, help=help), exit_code=2)


def _run(session: _Session) -> Work[None]:
    """Fill in what the candidates' rows need. What fits on the device is measured in turn; the others say why they are not."""
    began = time.monotonic()
    try:
        for number, candidate in enumerate(session.candidates):
            what = f"preparing {candidate.subject.name}"
            yield Progress(number, len(session.candidates), what, time.monotonic() - began)
            _prepare(candidate, session.conditions)
        running = [candidate for candidate in session.candidates if candidate.workload is not None]
        if running:
            yield from _timed(session, running)
            yield from _counted(session, running)
    finally:
        for candidate in session.candidates:
            if candidate.workload is not None:
                candidate.workload.close()
    for candidate in session.candidates:
        if candidate.samples is None and candidate.failure.startswith(OUT_OF_MEMORY):
            yield from _largest(candidate, session.conditions)


def _prepare(candidate: _Candidate, conditions: Conditions) -> None:
    """Make a candidate ready to run, or say why it does not run."""
    found = cautious_attempt(candidate.subject, conditions)
    if isinstance(found, str):
        candidate.failure = found
    else:
        candidate.workload, candidate.compile_s = found, found.compile_s


def _largest(candidate: _Candidate, conditions: Conditions) -> Work[None]:
    """The largest batch that fits while nothing else does, where the one that was asked for does not."""
    found = yield from capacity(candidate.subject, conditions, below=conditions.batch)
    if found.stopped:
        raise KeyboardInterrupt
    candidate.largest_batch = found.batch


def _timed(session: _Session, running: Sequence[_Candidate]) -> Work[None]:
    conditions, protocol = session.conditions, session.protocol
    names = ", ".join(candidate.subject.name for candidate in running)
    workloads = [candidate.workload for candidate in running if candidate.workload is not None]
    yield Progress(0, None, f"warming up {names}", 0.0)
    began = put_away = time.monotonic()
    try:
        for rounds, samples in enumerate(interleaved(workloads, protocol), 1):
            for candidate, found in zip(running, samples, strict=True):
                candidate.samples = found
            now = time.monotonic()
            left = _remaining(protocol, rounds, now - began, len(running))
            yield Progress(rounds, None, f"{conditions.task} of {names}", now - began, left)
            if session.keep is not None and time.monotonic() - put_away > KEEP_S:
                session.kept(stopped=False)
                put_away = time.monotonic()
    except RuntimeError as error:  # a later step may need more memory than the first
        for candidate in running:
            candidate.failure = candidate.broke_off = failure_of(error)


def _remaining(protocol: Protocol, rounds: int, spent: float, networks: int) -> float:
    """Seconds that are left at most: to the end of the budget, or until there are as many rounds as there have to be."""
    each = spent / rounds
    to_least, to_most = (each * max(0, bound - rounds) for bound in (protocol.least_rounds, protocol.most_rounds))
    return max(to_least, min(to_most, protocol.seconds * networks - spent))


def _counted(session: _Session, running: Sequence[_Candidate]) -> Work[None]:
    """Memory and energy, after the timing: what counts them would slow the timed steps down."""
    began = time.monotonic()
    for number, candidate in enumerate(running):
        what = f"memory and energy of {candidate.subject.name}"
        yield Progress(number, len(running), what, time.monotonic() - began)
        assert candidate.workload is not None
        if candidate.samples is None or candidate.broke_off:
            continue
        try:
            memory = peak_memory(candidate.workload)
            candidate.peak_bytes = None if isinstance(memory, Unmeasured) else memory.peak
            found = energy(candidate.workload, seconds=min(ENERGY_S, session.protocol.seconds))
            candidate.joules_per_image = None if isinstance(found, Unmeasured) else found.joules_per_image
        except RuntimeError as error:
            candidate.broke_off = failure_of(error)
