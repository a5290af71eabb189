"""Predicted against measured: presets and 40 random designs, inference and training, while the device is being calibrated.

The calibration and the measurements that it is checked by take turns in one process, so that what else the machine does meets both.
Run: python benchmarks/prediction.py [--minutes N] [--threads N] [--device cpu|cuda] [--clock wall|process]
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from prediction_designs import KINDS, Item, LeftOut, items
from prediction_report import report

from convlab.errors import ConvlabError
from convlab.measurement.calibration import calibrate
from convlab.measurement.running.clocks import HostClock, clock_of
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import subject
from convlab.measurement.running.workloads import workload

STEPS = 3


@dataclass
class Stopwatch:
    """A clock for the calibration that stands still while something else is measured."""

    now: Callable[[], float]
    stood: float = 0.0

    def __call__(self) -> float:
        return self.now() - self.stood


class Visits:
    """What is measured next: kinds have equal time, and half of it is for second visits, by which repeat noise is known."""

    def __init__(self, found: list[Item], seconds: float) -> None:
        order = random.Random(0).sample(found, len(found))
        self.first = {kind: deque(item for item in order if item.kind == kind) for kind in KINDS}
        self.again: dict[str, deque[Item]] = {kind: deque() for kind in KINDS}
        self.spent = dict.fromkeys(KINDS, 0.0)
        self.seconds = seconds

    @property
    def left(self) -> int:
        """How many visits there would be."""
        return sum(2 * len(self.first[kind]) + len(self.again[kind]) for kind in KINDS)

    @property
    def total(self) -> float:
        """Seconds of all visits so far."""
        return sum(self.spent.values())

    def one(self, conditions: Conditions, clock: HostClock, now: Callable[[], float]) -> None:
        """Build and measure one network, of the kind that has had the least time."""
        kind = min((kind for kind in KINDS if self.first[kind] or self.again[kind]), key=self.spent.__getitem__)
        early = self.spent[kind] < self.seconds / len(KINDS) / 2
        if self.first[kind] and (early or not self.again[kind]):
            item = self.first[kind].popleft()
            self.again[kind].append(item)
        else:
            item = self.again[kind].popleft()
        began = now()
        _visit(item, conditions, clock)
        self.spent[kind] += now() - began


def main() -> None:
    """Calibrate and measure by turns, print a table, write JSON."""
    options = _options()
    process = options.clock == "process"
    now = time.process_time if process else time.monotonic
    began = now()
    conditions = checked(Conditions(device=options.device, dtype=options.dtype, threads=options.threads))
    found, left_out = items(options.presets, options.designs, seed=options.seed, device=conditions.device)
    print(f"{len(found)} items of {len({item.name for item in found})} networks, {conditions}", flush=True)
    calibrating = min(options.seconds, 60 * options.minutes / 3)
    visits = Visits(found, 60 * options.minutes - calibrating - (now() - began))
    watch = Stopwatch(now)
    make = (lambda: HostClock(None, time.process_time)) if process else (lambda: clock_of(conditions.device))
    work = calibrate(
        device=conditions.device,
        dtype=options.dtype,
        threads=options.threads,
        budget_s=calibrating,
        clock=make,
        now=watch,
    )

    def visit_until(share: float, what: str) -> None:
        start = now()
        while visits.left and visits.total < visits.seconds * min(1.0, share):
            visits.one(conditions, make(), now)
            print(f"\r{what:40s} {visits.left:4d} visits left, {visits.total:.0f} s", end="", file=sys.stderr)
        watch.stood += now() - start

    try:
        while True:
            progress = next(work)
            visit_until(progress.elapsed_s / calibrating, progress.what)
    except StopIteration as end:
        calibration = end.value
    visit_until(1.0, "")
    print(file=sys.stderr)
    late = [LeftOut(item.name, item.kind, item.failure or "no time was left") for item in found if not item.visits]
    report(calibration, found, left_out + late, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2, help="0: torch's own number")
    parser.add_argument(
        "--clock", choices=("wall", "process"), default="wall", help="process: CPU time, where a machine is shared"
    )
    parser.add_argument("--seconds", type=float, default=90.0, help="of the calibration; a third of the time at most")
    parser.add_argument("--minutes", type=float, default=12.0, help="of all of it")
    parser.add_argument("--designs", type=int, default=40, help="random designs beside the presets")
    parser.add_argument("--presets", type=int, default=1000, help="so many presets at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", default="prediction", help="name of the JSON file under results/; empty: none")
    return parser.parse_args()


def _visit(item: Item, conditions: Conditions, clock: HostClock) -> None:
    task = "training" if item.kind == "training" else "inference"
    try:
        work = workload(subject(item.design), replace(conditions, task=task, batch=item.batch))
    except ConvlabError as error:
        item.failure = str(error)
        return
    try:
        work.run(1, clock)
        item.visits.append(statistics.median(sum(work.run(1, clock)) for _ in range(STEPS)))
    finally:
        work.close()
        gc.collect()


if __name__ == "__main__":
    main()
