"""The protocol of the benchmarks: candidates in turn, A B C A B C, medians with quartiles, ratios pair by pair in one run."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
Times = dict[str, list[float]]


def interleaved(
    candidates: dict[str, Callable[[], Any]],
    rounds: int,
    *,
    warm_up: int = 1,
    bursts: dict[str, int] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Seconds of every candidate in every round; each round runs all of them, after rounds that do not count.

    ``bursts`` says how often a quick candidate is run in a row; its time is that of one run. A single run of microseconds after a
    peer's seconds would measure cold caches of the processor. ``clock`` is ``time.process_time`` where other work shares the machine.
    """
    times: Times = {name: [] for name in candidates}
    for round_number in range(-warm_up, rounds):
        for name, candidate in candidates.items():
            repeats = (bursts or {}).get(name, 1)
            start = clock()
            for _ in range(repeats):
                candidate()
            elapsed = (clock() - start) / repeats
            if round_number >= 0:
                times[name].append(elapsed)
    return times


def summary(seconds: list[float]) -> dict[str, float]:
    """Median and quartiles of times, and how many there are."""
    low, median, high = statistics.quantiles(seconds, n=4) if len(seconds) > 1 else (seconds[0],) * 3
    return {"median_s": median, "quartile_1_s": low, "quartile_3_s": high, "n": len(seconds)}


def ratio(times: Times, one: str, other: str) -> dict[str, float]:
    """How much longer ``one`` takes than ``other``: the median and quartiles of the ratios of the same round."""
    ratios = [a / b for a, b in zip(times[one], times[other], strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4)
    return {"median": median, "quartile_1": low, "quartile_3": high, "n": len(ratios)}


def shown(seconds: float) -> str:
    """A time with a fitting unit."""
    for step, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= step:
            return f"{seconds / step:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def surroundings(packages: tuple[str, ...]) -> dict[str, Any]:
    """What the figures belong to: the commit, the processor, its cores, Python and the versions of packages."""
    return {
        "commit": commit(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in packages},
    }


def commit() -> str:
    """The commit that is checked out, marked where something has changed since; "" outside of a checkout."""
    asked = ("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty")
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def write(name: str, result: dict[str, Any]) -> Path:
    """Write a result as JSON under ``benchmarks/results``."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    return path


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
