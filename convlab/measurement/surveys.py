"""Surveys: latencies, times of layers and batch sweeps of several networks, with what the machine did meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar, final

from convlab.measurement.batches import Sweep, sweep
from convlab.measurement.by_layer.times import LayerTimes, layer_times, refuse_fused
from convlab.measurement.latency import Latency, latencies_in_turn
from convlab.measurement.machine.environment import Environment, environment
from convlab.measurement.memory.attempts import attempt
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.subjects import Subject
from convlab.measurement.running.workloads import Workload
from convlab.measurement.surroundings import Surroundings
from convlab.progress import Progress, Work

Found = TypeVar("Found")

SAMPLES = 1000
"""Steps for a latency, where the seconds suffice: so many give the 99th percentile an interval."""


@final
@dataclass(frozen=True)
class Finding(Generic[Found]):
    """What was found of a network so far; ``position`` is its place among those that were asked for."""

    position: int
    subject: Subject
    found: Found
    around: Surroundings


Put = Callable[[Finding[Found]], None]
"""Puts a finding away; the next call for the same position holds it again, with more."""


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
    put: Put[Found] | None
    found: list[tuple[Subject, Found]] = field(default_factory=list)
    failures: list[tuple[Subject, str]] = field(default_factory=list)

    def hand_over(self, found: Sequence[tuple[int, Subject, Found]]) -> None:
        """Have these put away, by their positions."""
        if self.put is None or not found:
            return
        around = Surroundings.since(self.before, self.conditions)
        for position, subject, each in found:
            self.put(Finding(position, subject, each, around))

    def survey(self, *, stopped: bool) -> Survey[Found]:
        """All of it."""
        doubts = Surroundings.since(self.before, self.conditions).disturbances
        found, failures = tuple(self.found), tuple(self.failures)
        return Survey(found, failures, self.conditions, self.before, doubts, stopped)


def latencies(
    subjects: Sequence[Subject], *, conditions: Conditions, protocol: Protocol, put: Put[Latency] | None = None
) -> Work[Survey[Latency]]:
    """How long a caller waits for a step of each network, in turn. Conditions are ``checked``. Stopped by Ctrl-C it returns what it has."""
    findings: _Findings[Latency] = _Findings(conditions, environment(conditions.device), put)
    ready: dict[int, Workload] = {}
    stopped = False

    def told(found: Sequence[Latency]) -> list[tuple[int, Subject, Latency]]:
        pairs = zip(ready, found, strict=True)
        return [(position, subjects[position], each) for position, each in pairs if each.samples]

    try:
        yield from _prepared(subjects, ready, findings)
        if ready:
            samples = protocol.most_rounds if protocol.least_rounds == protocol.most_rounds else SAMPLES
            found = yield from latencies_in_turn(
                list(ready.values()),
                samples=samples,
                seconds=protocol.seconds,
                protocol=protocol,
                keep=lambda so_far: findings.hand_over(told(so_far)),
            )
            findings.found += [(subject, each) for _, subject, each in told(found)]
            stopped = any(each.stopped for each in found)
            findings.hand_over(told(found))
    except KeyboardInterrupt:
        stopped = True
    finally:
        for workload in ready.values():
            workload.close()
    return findings.survey(stopped=stopped)


def layers(
    subjects: Sequence[Subject], *, conditions: Conditions, protocol: Protocol, put: Put[LayerTimes] | None = None
) -> Work[Survey[LayerTimes]]:
    """The times of the layers of each network, in turn. Conditions are ``checked``. Stopped by Ctrl-C it returns what it has.

    Raises ConvlabError where conditions fuse layers.
    """
    refuse_fused(conditions)
    findings: _Findings[LayerTimes] = _Findings(conditions, environment(conditions.device), put)
    ready: dict[int, Workload] = {}
    stopped = False
    try:
        yield from _prepared(subjects, ready, findings)
        if ready:
            # Without a whole round a network has no times: only the last ones can be missing.
            found = yield from layer_times(list(ready.values()), protocol=protocol)
            stopped = any(each.stopped for each in found) or len(found) < len(ready)
            findings.found += [(each.subject, each) for each in found]
            pairs = zip(ready, found, strict=False)
            findings.hand_over([(position, each.subject, each) for position, each in pairs])
    except KeyboardInterrupt:
        stopped = True
    finally:
        for workload in ready.values():
            workload.close()
    return findings.survey(stopped=stopped)


def sweeps(
    subjects: Sequence[Subject], *, conditions: Conditions, protocol: Protocol, put: Put[Sweep] | None = None
) -> Work[Survey[Sweep]]:
    """The throughput of each network at rising batches, one network after the other. Conditions are ``checked``.

    Stopped by Ctrl-C it returns what it has, that of the network at work included.
    """
    findings: _Findings[Sweep] = _Findings(conditions, environment(conditions.device), put)
    stopped = False
    try:
        for position, subject in enumerate(subjects):
            keep = partial(_keep_sweep, findings, position, subject)
            found = yield from sweep(subject, conditions, protocol=protocol, keep=keep)
            if found.knee is not None:
                findings.found.append((subject, found))
            elif not found.stopped:
                findings.failures.append((subject, found.rows[0].failure))
            keep(found)
            if found.stopped:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        stopped = True
    return findings.survey(stopped=stopped)


def _keep_sweep(findings: _Findings[Sweep], position: int, subject: Subject, found: Sweep) -> None:
    findings.hand_over([(position, subject, found)])


def _prepared(subjects: Sequence[Subject], ready: dict[int, Workload], findings: _Findings[Found]) -> Work[None]:
    """Fill ``ready`` with the networks that run, by their positions; why others do not is noted."""
    began = time.monotonic()
    for position, subject in enumerate(subjects):
        what, elapsed = f"preparing {subject.name}", time.monotonic() - began
        yield Progress(position, len(subjects), what, elapsed, subject=subject.name)
        workload = attempt(subject, findings.conditions)
        if isinstance(workload, str):
            findings.failures.append((subject, workload))
        else:
            ready[position] = workload
