"""The verb ``benchmark``: networks under one set of conditions, interleaved, with everything that makes the figures trustworthy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

from convlab import display
from convlab.errors import ConvlabError, Problem
from convlab.language.design import Design
from convlab.measurement.candidates import Candidate
from convlab.measurement.machine.disturbances import disturbances
from convlab.measurement.machine.environment import Environment, environment
from convlab.measurement.machine.moments import Moment
from convlab.measurement.memory.capacity import capacity
from convlab.measurement.rounds import Protocol, rounds
from convlab.measurement.rows import Measurement
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import Subject, known_counts, subject
from convlab.measurement.statistics import Estimate, ratio
from convlab.progress import Progress, Work

NAMES = "give a design, a preset's name, or PACKAGE:NAME, such as timm:resnet50"

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
    ended: Moment | None = None
    """The machine when the rounds ended; ``environment.moment`` is when they began, after the warm-up."""

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty

    @property
    def remarks(self) -> tuple[tuple[str, str], ...]:
        """What has to be known to compare the rows: sentences, each with what can be done."""
        return tuple(_remarks(self.rows))

    def speed(self, row: int, base: int | None = None) -> Estimate | None:
        """How many times as fast as another row (None: the baseline) a row is, by the ratios of the same rounds.

        None where one of them has no figures, or they were not measured in the same rounds.
        """
        mine, other = self.rows[row], self.rows[self.baseline if base is None else base]
        count = min(len(mine.samples), len(other.samples))
        if not count or mine.group != other.group:
            return None
        return ratio(other.samples[:count], mine.samples[:count])


Keep = Callable[[Benchmark], None]
"""Puts away what is there so far; the next call holds it again, with more."""


@final
@dataclass
class _Session:
    """What candidates are measured under, and what the machine did meanwhile."""

    candidates: Sequence[Candidate]
    conditions: Conditions
    protocol: Protocol
    before: Environment
    """The environment when the rounds began: before warming up a GPU's clocks are those of an idle one."""
    baseline: int
    keep: Keep | None
    after: Environment | None = None
    """The environment when the rounds ended; None while they last."""
    doubts: tuple[str, ...] = ()

    def began(self) -> None:
        """Note that rounds begin."""
        now = environment(self.conditions.device)
        self.before, self.after = now, None

    def ended(self) -> None:
        """Note that rounds are over, and what disturbed them."""
        self.after = environment(self.conditions.device)
        self.doubts = self._doubts(self.after)

    def found(self, *, stopped: bool) -> Benchmark:
        """The benchmark as it stands."""
        rows = tuple(candidate.row(self.conditions) for candidate in self.candidates)
        after = self.after or environment(self.conditions.device)
        doubts = self.doubts if self.after else self._doubts(after)
        return Benchmark(rows, self.conditions, self.before, doubts, self.baseline, stopped, after.moment)

    def kept(self, *, stopped: bool) -> Benchmark:
        """The benchmark as it stands, put away."""
        found = self.found(stopped=stopped)
        if self.keep is not None:
            self.keep(found)
        return found

    def _doubts(self, after: Environment) -> tuple[str, ...]:
        """What disturbed the groups so far, told once each."""
        fresh = disturbances(self.before, after, threads=self.conditions.threads)
        return tuple(dict.fromkeys((*self.doubts, *fresh)))


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
    first of ``against``, without any the first design. All networks are measured without dropout and stochastic depth, with weights
    drawn alike (``running.alike``). A network that does not run is a row that says why; one that does not fit beside the others is
    measured after them, alone. Stopped by Ctrl-C it returns what it has. ``keep`` is handed what is there every few seconds, and at
    the end. Raises ConvlabError for unknown names, no names at all, and conditions that cannot be had.
    """
    given = [designs] if isinstance(designs, str | Design | Subject) else list(designs)
    if not given:
        raise ConvlabError(Problem("usage", "there is no network to be measured", help=NAMES), exit_code=2)
    asked = checked(conditions or Conditions())
    subjects = [subject(each, image=image, folded=folded) for each in given]
    subjects += [subject(each, image=image) for each in against]
    refuse_folded_training(subjects, asked.task)
    candidates = [Candidate(each, known_counts(each)) for each in subjects]
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
    """Fill in what the candidates' rows need: what fits on the device together first, then one by one what did not fit beside it."""
    yield from _group(session, session.candidates)
    started = [candidate for candidate in session.candidates if candidate.started]
    for group, candidate in enumerate([each for each in session.candidates if each.lacked_memory], 1):
        if any(other is not candidate for other in started):
            candidate.group = group
            candidate.samples, candidate.broke_off = None, ""
            yield from _group(session, [candidate])
        if candidate.lacked_memory:
            yield from _largest(candidate, session.conditions)


def _group(session: _Session, candidates: Sequence[Candidate]) -> Work[None]:
    """Measure candidates in turn, in the same rounds, and close them; those that do not run say why."""
    began = time.monotonic()
    try:
        for number, candidate in enumerate(candidates):
            name = candidate.subject.name
            yield Progress(number, len(candidates), f"preparing {name}", time.monotonic() - began, subject=name)
            candidate.prepare(session.conditions)
        yield from _warmed([each for each in candidates if each.workload is not None], session.protocol)
        running = [candidate for candidate in candidates if candidate.workload is not None]
        if running:
            session.began()
            try:
                yield from _timed(session, running)
            finally:
                session.ended()
            yield from _counted(session, [candidate for candidate in running if candidate.workload is not None])
    finally:
        for candidate in candidates:
            candidate.close()


def _warmed(running: Sequence[Candidate], protocol: Protocol) -> Work[None]:
    began = time.monotonic()
    for number, candidate in enumerate(running):
        name = candidate.subject.name
        yield Progress(number, len(running), f"warming up {name}", time.monotonic() - began, subject=name)
        candidate.warm_up(protocol)


def _largest(candidate: Candidate, conditions: Conditions) -> Work[None]:
    """The largest batch that fits while nothing else does, where the one that was asked for does not."""
    found = yield from capacity(candidate.subject, conditions, below=conditions.batch)
    if found.stopped:
        raise KeyboardInterrupt
    candidate.largest_batch = found.batch


def _timed(session: _Session, running: Sequence[Candidate]) -> Work[None]:
    conditions, protocol = session.conditions, session.protocol
    names = ", ".join(candidate.subject.name for candidate in running)
    workloads = [candidate.workload for candidate in running if candidate.workload is not None]
    samples = [candidate.samples for candidate in running if candidate.samples is not None]
    began = put_away = time.monotonic()
    turns = rounds(workloads, samples, protocol, failed=lambda number, why: running[number].give_up(why))
    try:
        for done, _ in enumerate(turns, 1):
            now = time.monotonic()
            left = _remaining(protocol, done, now - began, len(running))
            yield Progress(done, None, f"{conditions.task} of {names}", now - began, left)
            if session.keep is not None and time.monotonic() - put_away > KEEP_S:
                session.kept(stopped=False)
                put_away = time.monotonic()
    finally:
        turns.close()


def _remaining(protocol: Protocol, done: int, spent: float, networks: int) -> float:
    """Seconds that are left at most: to the end of the budget, or until there are as many rounds as there have to be."""
    each = spent / done
    to_least, to_most = (each * max(0, bound - done) for bound in (protocol.least_rounds, protocol.most_rounds))
    return max(to_least, min(to_most, protocol.seconds * networks - spent))


def _counted(session: _Session, running: Sequence[Candidate]) -> Work[None]:
    """Memory and energy, after the timing: what counts them would slow the timed steps down."""
    began = time.monotonic()
    for number, candidate in enumerate(running):
        name = candidate.subject.name
        what = f"memory and energy of {name}"
        yield Progress(number, len(running), what, time.monotonic() - began, subject=name)
        candidate.weigh(min(ENERGY_S, session.protocol.seconds))


def _remarks(rows: Sequence[Measurement]) -> Iterator[tuple[str, str]]:
    sizes = sorted({(row.subject.image.height, row.subject.image.width) for row in rows})
    if len(sizes) > 1:
        told = " and ".join(f"{height}x{width}" for height, width in sizes)
        yield f"images differ ({told} px), so that speeds compare unlike work", "--image gives all networks one size"
    for row in rows:
        name = row.subject.name
        if row.group:
            yield (
                f"{name} does not fit beside the others, and was measured alone after them: no speed",
                "a smaller --batch",
            )
        if row.graph_breaks:
            breaks = "1 graph break" if row.graph_breaks == 1 else f"{row.graph_breaks} graph breaks"
            yield f"{name} has {breaks}: between its compiled parts Python runs", "TORCH_LOGS=graph_breaks says where"
