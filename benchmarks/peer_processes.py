"""Candidates in processes of their own, run in turn: one process for all that torch runs, so that they share its luck with memory and
cores, and one for each other runtime, which spins or pins threads that must not touch the others."""

from __future__ import annotations

import multiprocessing
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, TypeVar, final

from peer_networks import made

from convlab.measurement.memory.attempts import attempt
from convlab.measurement.rounds import Protocol as Rounds
from convlab.measurement.rounds import warmed_up
from convlab.measurement.running.conditions import Conditions, checked

Result = TypeVar("Result")

PAUSE_S = 0.02
"""Between two candidates, so that threads that wait for more work by spinning fall asleep."""

LEAST_ROUNDS = 8
"""Fewer give no interval worth the name."""

CONTEXT = multiprocessing.get_context("forkserver")


@final
@dataclass(frozen=True)
class Candidate:
    """A network of a package under conditions, run by torch or from an ONNX ``file`` by a ``runtime``."""

    source: str
    image: tuple[int, int]
    conditions: Conditions
    runtime: str = "torch"
    file: str = ""
    base: str = ""
    """The label of the candidate that it is compared with."""
    of: str = ""
    """The package, with what is special about the network."""

    @property
    def label(self) -> str:
        """The candidate in a few words."""
        if self.runtime != "torch":
            return f"{self.of}, {self.runtime}"
        layout = "channels-last" if self.conditions.channels_last else "contiguous"
        return f"{self.of}, {layout}, {self.conditions.mode}"


class Runner(Protocol):
    """What runs step by step, as a workload of ``convlab.measurement`` does."""

    parts: tuple[str, ...]
    compile_s: float

    def run(self, steps: int = 1) -> tuple[float, ...]:
        """Seconds of each part."""


@final
@dataclass(frozen=True)
class Turn:
    """What one turn took, for one step: wall time of each part, wall and CPU time of the whole."""

    parts: tuple[float, ...]
    wall_s: float
    cpu_s: float


@final
@dataclass
class Worker:
    """A candidate, the ``index``-th of its process. ``failure`` says why it does not run."""

    candidate: Candidate
    process: BaseProcess
    connection: Connection
    index: int
    parts: tuple[str, ...] = ()
    compile_s: float = 0.0
    failure: str = ""
    turns: list[Turn] = field(default_factory=list)

    def turn(self) -> None:
        """Run once and keep what it took; a process that has ended, killed for its memory say, is a failure."""
        time.sleep(PAUSE_S)
        try:
            self.connection.send(self.index)
            self.turns.append(self.connection.recv())
        except (EOFError, OSError):
            self.ended()

    def ended(self) -> None:
        """Tell that the process ended by itself."""
        self.process.join(timeout=30)
        self.failure = f"its process ended with {self.process.exitcode}"

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):  # it may have ended by itself
            self.connection.send(None)
        self.process.join(timeout=30)
        if self.process.is_alive():
            self.process.kill()


@contextmanager
def started(candidates: Sequence[Candidate], rounds: Rounds) -> Iterator[list[Worker]]:
    """Candidates in one process, compiled and warmed up."""
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_serve, args=(candidates, rounds, there), daemon=True)
    process.start()
    there.close()
    workers = [Worker(candidate, process, here, index) for index, candidate in enumerate(candidates)]
    try:
        for worker in workers:
            try:
                worker.parts, worker.compile_s, worker.failure = here.recv()
            except (EOFError, OSError):
                worker.ended()
        yield workers
    finally:
        workers[0].close()


def in_turn(workers: Sequence[Worker], rounds: int, seconds: float) -> None:
    """Turns of all workers that run: A B C, C B A; so many rounds, or fewer once the seconds are over."""
    began = time.monotonic()
    for done in range(rounds):
        if done >= LEAST_ROUNDS and time.monotonic() - began > seconds:
            return
        for worker in workers if done % 2 == 0 else reversed(workers):
            if not worker.failure:
                worker.turn()


def elsewhere(function: Callable[..., Result], *arguments: Any) -> Result:
    """The result of a function in a process of its own, which leaves nothing behind."""
    with ProcessPoolExecutor(1, mp_context=CONTEXT) as pool:
        return pool.submit(function, *arguments).result()


def _serve(candidates: Sequence[Candidate], rounds: Rounds, connection: Connection) -> None:
    warnings.simplefilter("ignore")
    runners: list[tuple[Runner, int] | None] = []
    for candidate in candidates:
        runner = _runner(candidate)
        if isinstance(runner, str):
            connection.send(((), 0.0, runner))
            runners.append(None)
        else:
            steps = warmed_up(runner, rounds).steps  # type: ignore[arg-type]  # it runs as a workload does
            connection.send((runner.parts, runner.compile_s, ""))
            runners.append((runner, steps))
    while (index := connection.recv()) is not None:
        asked = runners[index]
        assert asked is not None, "only what runs is asked for"
        runner, steps = asked
        wall, cpu = time.perf_counter(), time.process_time()
        parts = runner.run(steps)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        connection.send(Turn(parts, wall / steps, cpu / steps))


def _runner(candidate: Candidate) -> Runner | str:
    """What runs a candidate, or why it does not run."""
    conditions = checked(candidate.conditions)
    if candidate.runtime == "torch":
        return attempt(made(candidate.source, candidate.image), conditions)
    from peer_runtimes import RUNTIMES

    return RUNTIMES[candidate.runtime](candidate, conditions)
