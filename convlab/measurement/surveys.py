"""Surveys: latencies, times of layers and batch sweeps of several networks, with what the machine did meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar, final

from convlab.measurement.attempts import attempt
from convlab.measurement.batches import Sweep, sweep
from convlab.measurement.conditions import Conditions
from convlab.measurement.disturbances import disturbances
from convlab.measurement.environment import Environment, environment
from convlab.measurement.latency import Latency, latency
from convlab.measurement.layer_times import LayerTimes, layer_times, refuse_fused
from convlab.measurement.rounds import Protocol
from convlab.measurement.subjects import Subject
from convlab.measurement.workloads import Workload
from convlab.progress import Progress, Work

Found = TypeVar("Found")

SAMPLES = 1000
"""Steps for a latency, where the seconds suffice: so many give the 99th percentile an interval."""

Put = Callable[[Subject, Found], None]
"""Puts away what was found of a network."""


@final
@dataclass(frozen=True)
class Survey(Generic[Found]):
    """What was found of networks, each by its subject, under one set of conditions; ``failures`` says why of others nothing was."""

    found: tuple[tuple[Subject, Found], ...]
    failures: tuple[tuple[Subject, str], ...]
    conditions: Conditions
    environment: Environment
    disturbances: tuple[str, ...]
    stopped: bool


@final
@dataclass
class _Findings(Generic[Found]):
    """What was found so far."""

    conditions: Conditions
    before: Environment
    found: list[tuple[Subject, Found]] = field(default_factory=list)
    failures: list[tuple[Subject, str]] = field(default_factory=list)

    def survey(self, *, stopped: bool) -> Survey[Found]:
        """All of it."""
        doubts = disturbances(self.before, environment(self.conditions.device))
        found, failures = tuple(self.found), tuple(self.failures)
        return Survey(found, failures, self.conditions, self.before, doubts, stopped)


def latencies(
    subjects: Sequence[Subject], *, conditions: Conditions, protocol: Protocol, put: Put[Latency] | None = None
) -> Work[Survey[Latency]]:
    """How long a caller waits for a step of each network, one after the other. Conditions are ``checked``.

    Stopped by Ctrl-C it returns what it has, that of the network at work included.
    """
    findings: _Findings[Latency] = _Findings(conditions, environment(conditions.device))
    stopped = False
    began = time.monotonic()
    try:
        for number, subject in enumerate(subjects):
            yield Progress(number, len(subjects), f"preparing {subject.name}", time.monotonic() - began)
            with _ready(subject, findings) as workload:
                if workload is None:
                    continue
                samples = protocol.most_rounds if protocol.least_rounds == protocol.most_rounds else SAMPLES
                found = yield from latency(workload, samples=samples, seconds=protocol.seconds, protocol=protocol)
            if found.samples:
                findings.found.append((subject, found))
                if put is not None:
                    put(subject, found)
            if found.stopped:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        stopped = True
    return findings.survey(stopped=stopped)


def layers(
    subjects: Sequence[Subject], *, conditions: Conditions, protocol: Protocol, put: Put[LayerTimes] | None = None
) -> Work[Survey[LayerTimes]]:
    """The times of the layers of each network, in turn. Conditions are ``checked``. Stopped by Ctrl-C it returns what it has.

    Raises ConvlabError where conditions fuse layers.
    """
    refuse_fused(conditions)
    findings: _Findings[LayerTimes] = _Findings(conditions, environment(conditions.device))
    ready: list[Workload] = []
    stopped = False
    began = time.monotonic()
    try:
        for number, subject in enumerate(subjects):
            yield Progress(number, len(subjects), f"preparing {subject.name}", time.monotonic() - began)
            workload = attempt(subject, conditions)
            if isinstance(workload, str):
                findings.failures.append((subject, workload))
            else:
                ready.append(workload)
        for found in (yield from layer_times(ready, protocol=protocol)) if ready else ():
            findings.found.append((found.subject, found))
            stopped = stopped or found.stopped
            if put is not None:
                put(found.subject, found)
    except KeyboardInterrupt:
        stopped = True
    finally:
        for workload in ready:
            workload.close()
    return findings.survey(stopped=stopped)


def sweeps(
    subjects: Sequence[Subject], *, conditions: Conditions, protocol: Protocol, put: Put[Sweep] | None = None
) -> Work[Survey[Sweep]]:
    """The throughput of each network at rising batches, one network after the other. Conditions are ``checked``.

    Stopped by Ctrl-C it returns what it has, that of the network at work included.
    """
    findings: _Findings[Sweep] = _Findings(conditions, environment(conditions.device))
    stopped = False
    try:
        for subject in subjects:
            keep = None if put is None else partial(put, subject)
            found = yield from sweep(subject, conditions, protocol=protocol, keep=keep)
            if found.knee is not None:
                findings.found.append((subject, found))
            elif not found.stopped:
                findings.failures.append((subject, found.rows[0].failure))
            if put is not None:
                put(subject, found)
            if found.stopped:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        stopped = True
    return findings.survey(stopped=stopped)


@contextmanager
def _ready(subject: Subject, findings: _Findings[Found]) -> Iterator[Workload | None]:
    """The subject ready to run, closed afterwards; None where it does not run, which is noted."""
    workload = attempt(subject, findings.conditions)
    if isinstance(workload, str):
        findings.failures.append((subject, workload))
        yield None
        return
    try:
        yield workload
    finally:
        workload.close()
