"""The verb that calibrates: measures a device's ceilings, its layers and a few whole networks, within the seconds it is given."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import final

import torch

from convlab.costs import profile
from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.measurement.calibration.ceilings import ceilings, optimizer
from convlab.measurement.calibration.corrections import Whole, table, whole
from convlab.measurement.calibration.networks import networks
from convlab.measurement.calibration.probes import Limits, groups
from convlab.measurement.calibration.timing import Timed, seconds
from convlab.measurement.running.clocks import Clock, clock_of
from convlab.measurement.running.conditions import TASKS, Conditions, checked
from convlab.measurement.running.subjects import subject
from convlab.measurement.running.workloads import Workload, workload
from convlab.models.allocation import keep_memory
from convlab.prediction.calibration import BYTES, Calibration, Table
from convlab.prediction.fitting import LEAST_POINTS, law_of
from convlab.prediction.machine import here
from convlab.progress import Progress

LEAST_SECONDS, MOST_SECONDS = 1.0, 3600.0

LEAST_TRAINED = 4
STEPS = 5
"""Steps of a whole network that count; one before them does not."""

SHARES = {"inference": 0.45, "training": 0.55}
"""How the seconds are divided."""

LARGER = 4
"""So many times the multiply-adds of one image a batch may have at inference: its maps are to be as large as in networks in use."""

OF_NETWORKS = 0.4
"""The share of whole networks in them; layers and networks take turns, so that what else the machine does meets both."""


@final
@dataclass(frozen=True)
class Scale:
    """What is measured on a kind of device: how large layers and networks are, and the batch that throughput is told for."""

    batch: int
    inference: Limits
    training: Limits
    network_macs: int


SCALES = {
    "cpu": Scale(
        8,
        Limits(600_000_000, 8_000_000, (1, 8, 2, 1, 16, 4)),
        Limits(300_000_000, 8_000_000, (8, 1, 4, 16, 2)),
        1_200_000_000,
    ),
    "cuda": Scale(
        64,
        Limits(60_000_000_000, 200_000_000, (1, 64, 8, 256, 1, 32)),
        Limits(30_000_000_000, 100_000_000, (64, 16, 128, 4)),
        100_000_000_000,
    ),
    "mps": Scale(
        16,
        Limits(4_000_000_000, 30_000_000, (1, 16, 4, 32)),
        Limits(2_000_000_000, 15_000_000, (16, 4, 32, 1)),
        8_000_000_000,
    ),
}

Calibrating = Generator[Progress, None, Calibration | None]


def calibrate(
    *,
    device: str = "cpu",
    dtype: str = "float32",
    channels_last: bool = True,
    threads: int = 0,
    budget_s: float = 90.0,
    scale: Scale | None = None,
    clock: Callable[[], Clock] | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Calibrating:
    """Measure a device for predictions; nothing is kept (``prediction.put`` does that).

    A generator of progress that ends with the calibration, or with None where it was stopped (Ctrl-C): half a calibration predicts
    worse, and says so to nobody. ``clock`` and ``now`` may be those of this process's own time, where a machine is shared. Raises
    ConvlabError for a device that is not there, a budget that is none, and one within which too little was measured.
    """
    if not LEAST_SECONDS <= budget_s <= MOST_SECONDS:
        message = f"a calibration takes from {LEAST_SECONDS:g} to {MOST_SECONDS:g} seconds, not {quote(budget_s)}"
        raise ConvlabError(Problem("out-of-range", message, path="seconds"), exit_code=2)
    conditions = checked(Conditions("inference", device, dtype, channels_last, threads=threads))
    measuring = clock_of(conditions.device) if clock is None else clock()
    sizes = scale or SCALES[torch.device(conditions.device).type]
    return _calibrated(_Session(conditions, sizes, measuring, now, budget_s, threads == 0))


@final
class _Session:
    """One calibration at work: what was measured so far and how far it has come."""

    def __init__(
        self,
        conditions: Conditions,
        scale: Scale,
        clock: Clock,
        now: Callable[[], float],
        budget: float,
        default_threads: bool,
    ) -> None:
        self.conditions = conditions
        self.clock = clock
        self.now = now
        self.budget = budget
        self.default_threads = default_threads
        self.scale = scale
        self.began = now()
        self.timed: dict[str, list[Timed]] = {task: [] for task in TASKS}
        self.wholes: dict[str, list[Whole]] = {task: [] for task in TASKS}
        self.ceilings: dict[str, float] = {}
        self.optimizer: tuple[float, ...] = (0.0, 0.0, 0.0)
        self.done = 0

    def progress(self, what: str) -> Progress:
        """How far it has come."""
        elapsed = self.now() - self.began
        self.done += 1
        return Progress(self.done, None, what, elapsed, max(0.0, self.budget - elapsed))


def _calibrated(session: _Session) -> Calibrating:
    try:
        yield session.progress("ceilings of matrix products and copies")
        _settled(session.conditions)
        session.ceilings = ceilings(session.conditions, session.clock)
        for task in TASKS:
            yield from _task(session, replace(session.conditions, task=task))
        session.optimizer = optimizer(session.conditions, session.clock)
    except KeyboardInterrupt:
        return None
    return _result(session)


def _settled(conditions: Conditions) -> None:
    """Bring the C library to where it is in every measurement."""
    if conditions.device == "cpu":
        keep_memory()


def _task(session: _Session, conditions: Conditions) -> Iterator[Progress]:
    """Layers and whole networks by turns, for as long as the task may take."""
    task, scale = conditions.task, session.scale
    trains = task == "training"
    layers = groups(scale.training if trains else scale.inference)
    macs = scale.network_macs // 2 if trains else scale.network_macs
    wholes = networks(macs, scale.batch, macs if trains else LARGER * macs)
    timed, found = session.timed[task], session.wholes[task]
    began = session.now()
    of_networks = 0.0
    while (spent := session.now() - began) < SHARES[task] * session.budget or not found:
        if not timed or of_networks > OF_NETWORKS * spent:
            timed += seconds(next(layers), conditions, session.clock)
        else:
            start = session.now()
            found.append(_whole(*next(wholes), conditions, session.clock))
            of_networks += session.now() - start
        wholes_told = f"{len(found)} network{'s' * (len(found) != 1)}"
        yield session.progress(f"{task}, {len(timed)} layers, {wholes_told}")


def _whole(design: Design, batch: int, conditions: Conditions, clock: Clock) -> Whole:
    """A network, measured; in training on a few images at least, of which batch norms take the mean."""
    images = max(LEAST_TRAINED, batch) if conditions.task == "training" else batch
    work = workload(subject(design), replace(conditions, batch=images))
    try:
        return whole(profile(design), images, _step(work, clock), trains=conditions.task == "training")
    finally:
        work.close()
        gc.collect()


def _step(work: Workload, clock: Clock) -> float:
    """Median seconds of forward and backward."""
    work.run(1, clock)
    steps = sorted(sum(work.run(1, clock)[:2]) for _ in range(STEPS))
    return steps[len(steps) // 2]


def _result(session: _Session) -> Calibration:
    conditions = session.conditions
    tables = {task: made for task in TASKS if (made := _table(session, task)) is not None}
    if not tables:
        help = "more seconds, such as --seconds 90"
        raise ConvlabError(
            Problem("not-calibrated", "too little was measured for a calibration", help=help), exit_code=3
        )
    name = torch.cuda.get_device_name(conditions.device) if conditions.device.startswith("cuda") else ""
    return Calibration(
        machine=here(conditions.device, name),
        dtype=conditions.dtype,
        channels_last=conditions.channels_last,
        threads=conditions.threads,
        default_threads=session.default_threads,
        batch=session.scale.batch,
        made=datetime.now(UTC).date().isoformat(),
        seconds=session.now() - session.began,
        ceilings=session.ceilings,
        tables=tables,
        optimizer=session.optimizer,
    )


def _table(session: _Session, task: str) -> Table | None:
    """The table of a task, None where too little was measured for one."""
    element_bytes = BYTES[session.conditions.dtype]
    kinds: dict[str, list[Timed]] = {}
    for timed in session.timed[task]:
        kinds.setdefault(timed.probe.call.kind, []).append(timed)
    laws = {
        kind: law_of([(each.probe.call_of(task), each.probe.batch, each.seconds) for each in found], element_bytes)
        for kind, found in kinds.items()
        if len(found) >= min(LEAST_POINTS, _rounds(session, task))
    }
    if not laws:
        return None
    issue = {kind: _middle([each.issue for each in found]) for kind, found in kinds.items()}
    return table(laws, issue if any(issue.values()) else {}, session.wholes[task], element_bytes)


def _rounds(session: _Session, task: str) -> int:
    """How often most kinds came up."""
    kinds = {timed.probe.call.kind for timed in session.timed[task]}
    return max(1, math.floor(len(session.timed[task]) / max(1, len(kinds))))


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
