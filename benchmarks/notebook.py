"""What a slider costs in Python: the explorer's controls moved, design by design, down to the message that goes to the browser.
Run: python benchmarks/notebook.py [--moves N] [NAME ...]"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from interleaved import surroundings, write

import convlab
from convlab.notebook import Explorer
from convlab.presets import preset_names

LIMIT_MS = 5.0
PACKAGES = ("convlab", "ipywidgets", "plotly", "numpy")


def moves(explorer: Explorer, count: int) -> Iterator[Callable[[], None]]:
    """Sliders of every kind, each to values that were not there before."""
    last = len(explorer.design.stages) - 1
    paths = dict.fromkeys([f"stages.{last}.depth", f"stages.{last // 2}.depth", "drop_path"])
    controls = [explorer.controls[path] for path in paths]
    starts = [control.value for control in controls]
    for number in range(1, count + 1):
        for control, start in zip(controls, starts, strict=True):
            step = number if isinstance(start, int) else number * 0.05
            yield lambda control=control, value=start + step: setattr(control, "value", value)


def timed(name: str, count: int) -> dict[str, Any]:
    """CPU milliseconds of a move: of this thread alone, since machines do other work too."""
    explorer = Explorer(name)
    times = []
    for move in moves(explorer, count):
        before = explorer.session
        start = time.thread_time()
        move()
        times.append(1000 * (time.thread_time() - start))
        assert explorer.session is not before, "a move that turned nothing says nothing"
    times.sort()
    return {
        "design": name,
        "moves": len(times),
        "median_ms": statistics.median(times),
        "p95_ms": times[int(0.95 * len(times))],
        "most_ms": times[-1],
    }


def main() -> int:
    """Time them, print a table, write the results; 1 where a median is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="presets; all by default")
    parser.add_argument("--moves", type=int, default=10, help="of each of two or three sliders")
    asked = parser.parse_args()
    convlab.profile(convlab.load("convnext_t"))
    rows = []
    for name in asked.names or preset_names():
        rows.append(timed(name, asked.moves))
        print(
            f"{name:20} median {rows[-1]['median_ms']:5.2f} ms, 95 % {rows[-1]['p95_ms']:5.2f}, most {rows[-1]['most_ms']:5.2f}"
        )
    worst = max(rows, key=lambda row: float(row["median_ms"]))
    print(f"the slowest: {worst['design']}, {worst['median_ms']:.2f} ms (limit {LIMIT_MS:g} ms)")
    write("notebook", {"surroundings": surroundings(PACKAGES), "limit_ms": LIMIT_MS, "rows": rows})
    return int(worst["median_ms"] > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
