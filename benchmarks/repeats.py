"""How far a measurement can be trusted: it is repeated in fresh processes, and each run's interval is held against the next run's median.

Run: python benchmarks/repeats.py [--repeats N] [--task inference|training] [--batch N] [--image PX] [NAME ...]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from itertools import pairwise
from typing import Any

from interleaved import surroundings, write

NAMES = ("convnext_atto", "resnet18", "efficientnet_b0", "swin_t")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """One run of ``convlab bench`` in a process of its own: its rows by name."""
    command = [sys.executable, "-m", "convlab", "bench", *options.names, "--json", "--no-store", "--quiet"]
    command += ["--task", options.task, "--batch", str(options.batch), "--image", str(options.image)]
    command += ["--seconds", str(options.seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {row["subject"]: row for row in json.loads(done.stdout)["benchmarks"][0]["rows"]}


def compared(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the repeats of one network say: their medians, the spread of these, and how often an interval covered the next median."""
    steps = [row["step_s"] for row in rows]
    medians = [step["median"] for step in steps]
    middle = statistics.median(medians)
    covered = [one["low"] <= after["median"] <= one["high"] for one, after in pairwise(steps)]
    return {
        "medians_s": medians,
        "median_s": middle,
        "spread": (max(medians) - min(medians)) / middle,
        "deviation": statistics.stdev(medians) / middle,
        "half_interval": statistics.median((step["high"] - step["low"]) / 2 / step["median"] for step in steps),
        "covered": sum(covered),
        "of": len(covered),
    }


def main() -> None:
    """Repeat, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(NAMES))
    parser.add_argument("--repeats", type=int, default=11, help="runs: each but the last is held against the next")
    parser.add_argument("--task", default="inference", choices=("inference", "training"))
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--image", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0, help="a network in a run")
    options = parser.parse_args()
    options.names = options.names or list(NAMES)
    runs = []
    for number in range(options.repeats):
        runs.append(run(options))
        print(f"run {number + 1} of {options.repeats}", file=sys.stderr, flush=True)
    found = {name: compared([rows[name] for rows in runs]) for name in runs[0]}
    print(f"{'network':20} {'median':>10} {'deviation':>10} {'spread':>8} {'interval':>10} covers the next median")
    for name, one in found.items():
        print(
            f"{name:20} {one['median_s'] * 1e3:7.2f} ms {one['deviation']:10.1%} {one['spread']:8.1%} "
            f"+-{one['half_interval']:7.1%}  {one['covered']} of {one['of']}"
        )
    covered, of = (sum(one[key] for one in found.values()) for key in ("covered", "of"))
    print(f"all: {covered} of {of} ({covered / of:.0%})")
    about = {"task": options.task, "batch": options.batch, "image_px": options.image, "seconds": options.seconds}
    result = {**surroundings(("convlab", "torch")), **about, "covered": covered, "of": of, "networks": found}
    print(write(f"repeats_{options.task}", result))


if __name__ == "__main__":
    main()
