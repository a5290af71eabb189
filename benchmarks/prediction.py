"""Predicted against measured: presets and 40 random designs, inference and training, while the device is being calibrated.

The calibration and the measurements that it is checked by take turns in one process, so that what else the machine does meets both.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

import torch
from interleaved import surroundings, write

import convlab
from convlab.errors import ConvlabError
from convlab.language.design import Design
from convlab.measurement.calibration import SCALES, calibrate
from convlab.measurement.clocks import HostClock, clock_of
from convlab.measurement.conditions import Conditions, checked
from convlab.measurement.subjects import subject
from convlab.measurement.workloads import workload
from convlab.prediction import Calibration, Prediction, predictions
from convlab.prediction.calls import calls_of
from convlab.presets import preset_names

GOAL_ERROR, GOAL_TAU = 0.10, 0.85
STEPS = 3
KINDS = ("latency", "throughput", "training")
SPACES = ("spaces/regnet_x", "spaces/anynet_x", "spaces/convnext_sizes", "spaces/convnext_micro")
TURNED = [
    "convnext_atto",
    "convnext_femto",
    "convnext_pico",
    "convnext_v2_atto",
    "convnext_t",
    "swin_t",
    "deit_s",
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "regnety_400mf",
    "regnety_800mf",
    "efficientnet_b0",
    "efficientnet_b1",
    "mobilenet_v2",
    "repvgg_a0",
    "roadmap/07_moved_up",
    "roadmap/13_fewer_activations",
]
TURNS: dict[str, tuple[object, ...]] = {
    "stages.*.block.kernel_size": (3, 5, 7, 9),
    "block.expansion_ratio": (1.0, 2.0, 3.0, 4.0, 6.0),
    "block.activation": ("relu", "gelu", "silu", "hardswish"),
    "block.norm": ("batch_norm", "layer_norm"),
    "block.squeeze_ratio": (0.0, 0.25),
    "depths": ([2, 2, 6, 2], [1, 2, 4, 1], [3, 3, 9, 3], [2, 3, 5, 3]),
    "image.size": (128, 160, 192, 224, 256),
}


@dataclass
class Item:
    """One network under one condition, and what was measured of it, visit by visit."""

    name: str
    design: Design = field(repr=False)
    kind: str
    batch: int
    macs: int
    visits: list[float] = field(default_factory=list)
    failure: str = ""


@dataclass
class Stopwatch:
    """A clock for the calibration that stands still while something else is measured."""

    now: Callable[[], float]
    stood: float = 0.0

    def __call__(self) -> float:
        return self.now() - self.stood


def main() -> None:
    options = _options()
    process = options.clock == "process"
    now = time.process_time if process else time.monotonic
    conditions = checked(Conditions(device=options.device, dtype=options.dtype, threads=options.threads))
    items = _items(options, conditions.device)
    print(f"{len(items)} items of {len({item.name for item in items})} networks, {conditions}", flush=True)
    queue = _queue(items, options.visits)
    watch = Stopwatch(now)
    make = (lambda: HostClock(None, time.process_time)) if process else (lambda: clock_of(conditions.device))
    work = calibrate(
        device=conditions.device,
        dtype=options.dtype,
        threads=options.threads,
        budget_s=options.seconds,
        clock=make,
        now=watch,
    )
    measuring = options.minutes * 60 - options.seconds
    spent = 0.0
    try:
        while True:
            progress = next(work)
            while queue and spent / measuring < progress.elapsed_s / options.seconds and spent < measuring:
                began = now()
                _visit(queue.pop(), conditions, make())
                watch.stood += now() - began
                spent += now() - began
                print(f"\r{progress.what:40s} {len(queue):4d} visits left, {spent:.0f} s", end="", file=sys.stderr)
    except StopIteration as end:
        calibration = end.value
    while queue and spent < measuring:
        began = now()
        _visit(queue.pop(), conditions, make())
        spent += now() - began
    print(file=sys.stderr)
    _report(calibration, items, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=0, help="0: torch's own number")
    parser.add_argument(
        "--clock", choices=("wall", "process"), default="wall", help="process: CPU time, where a machine is shared"
    )
    parser.add_argument("--seconds", type=float, default=90.0, help="of the calibration")
    parser.add_argument("--minutes", type=float, default=15.0, help="of all of it")
    parser.add_argument("--designs", type=int, default=40, help="random designs beside the presets")
    parser.add_argument("--presets", type=int, default=1000, help="so many presets at most")
    parser.add_argument("--visits", type=int, default=2, help="how often each network is built and measured")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", default="prediction", help="name of the JSON file under results/; empty: none")
    return parser.parse_args()


def _items(options: argparse.Namespace, device: str) -> list[Item]:
    """Latency at batch 1, throughput at the calibrated batch, a training step, each where it fits into the time."""
    scale = SCALES[torch.device(device).type]
    most = 10 * scale.network_macs
    names = [*preset_names(), *preset_names("roadmap")]
    draw = random.Random(options.seed)
    draw.shuffle(names)
    designs = [(name, convlab.load(name)) for name in names[: options.presets]]
    designs += random_designs(options.designs, draw, most)
    items = []
    for name, design in designs:
        macs = convlab.profile(design).macs
        if macs <= most:
            items.append(Item(name, design, "latency", 1, macs))
        if macs * scale.batch <= most:
            items.append(Item(name, design, "throughput", scale.batch, macs))
        batch = next((size for size in (scale.batch, scale.batch // 2, scale.batch // 4) if macs * size <= most), 0)
        if batch:
            items.append(Item(name, design, "training", batch, macs))
    return items


def random_designs(count: int, draw: random.Random, most_macs: int) -> list[tuple[str, Design]]:
    """Members of the spaces that come with convlab, and presets with a few knobs turned; none larger than is measured."""
    found: list[tuple[str, Design]] = []
    spaces = [convlab.load_space(name) for name in SPACES]
    while len(found) < count:
        index = len(found)
        if index % 2:
            space = spaces[(index // 2) % len(spaces)]
            (member,) = convlab.sample(space, 1, seed=draw.randrange(2**31)).population.indices
            design, name = space[int(member)], f"{SPACES[(index // 2) % len(spaces)]}[{int(member)}]"
        else:
            name, design = _turned(draw)
        if convlab.profile(design).macs <= most_macs:
            found.append((name, design))
    return found


def _turned(draw: random.Random) -> tuple[str, Design]:
    while True:
        preset = draw.choice(TURNED)
        design, told = convlab.load(preset), []
        for path in draw.sample(sorted(TURNS), 3):
            value = draw.choice(TURNS[path])
            try:
                turned = convlab.turn(design, path, value)
                convlab.profile(turned)
            except ConvlabError:
                continue
            if turned.key != design.key or path == "image.size":
                design, told = turned, [*told, f"{path}={value}"]
        if told:
            return f"{preset} {' '.join(told)}", design


def _queue(items: list[Item], visits: int) -> list[Item]:
    """Every item once before any comes a second time."""
    queue: list[Item] = []
    for seed in range(visits):
        order = list(items)
        random.Random(seed).shuffle(order)
        queue = order + queue
    return queue


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


def _report(calibration: Calibration, items: list[Item], options: argparse.Namespace) -> None:
    rows, summaries = [], {}
    for kind in KINDS:
        of_kind = [item for item in items if item.kind == kind and item.visits]
        found = [(item, statistics.median(item.visits), _predicted(item, calibration)) for item in of_kind]
        if len(found) < 2:
            continue
        summaries[kind] = _summary(found)
        rows += [_row(item, measured, predicted) for item, measured, predicted in found]
    for row in sorted(rows, key=lambda row: (row["kind"], row["error"])):
        measured, predicted = (f"{1e3 * row[key]:9.1f}" for key in ("measured_s", "predicted_s"))
        print(
            f"{row['kind']:10s} {row['name'][:70]:70s} b{row['batch']:<3d} {measured} ms {predicted} ms {100 * row['error']:+6.1f} %"
        )
    print()
    for kind, summary in summaries.items():
        print(
            f"{kind:10s} n {summary['n']:3d}  median error {100 * summary['median_error']:5.1f} %  "
            f"90 % within {100 * summary['error_90']:5.1f} %  bias {100 * summary['bias']:+5.1f} %  "
            f"repeat noise {100 * summary['repeat_noise']:4.1f} %  tau {summary['tau']:.3f} "
            f"(of MACs {summary['tau_of_macs']:.3f})  within its ± {100 * summary['covered']:.0f} %  "
            f"{'fine' if summary['reached'] else 'NOT REACHED'}"
        )
    speed = _speed(items, calibration)
    print(
        f"a prediction takes {speed['median_us']:.0f} us (at most {speed['most_us']:.0f}), calls found anew each time"
    )
    if options.write:
        result = {
            "command": " ".join(sys.argv),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            **surroundings(("torch",)),
            "conditions": calibration.conditions,
            "clock": options.clock,
            "calibration_s": calibration.seconds,
            "goal": {"median_error": GOAL_ERROR, "tau": GOAL_TAU},
            "summaries": summaries,
            "prediction_time": speed,
            "held_out_error_of_calibration": {task: table.error for task, table in calibration.tables.items()},
            "factors": {task: dict(table.factors) for task, table in calibration.tables.items()},
            "rows": rows,
            "networks_of_calibration": {
                task: [asdict(each) for each in table.networks] for task, table in calibration.tables.items()
            },
        }
        print(write(options.write, result))


def _predicted(item: Item, calibration: Calibration) -> Prediction:
    made = predictions(convlab.profile(item.design), calibration, batch=item.batch)
    found = made.training if item.kind == "training" else made.inference
    assert found is not None
    return found


def _row(item: Item, measured: float, predicted: Prediction) -> dict[str, object]:
    return {
        "name": item.name,
        "kind": item.kind,
        "batch": item.batch,
        "macs": item.macs,
        "measured_s": measured,
        "visits_s": item.visits,
        "predicted_s": predicted.seconds,
        "uncertainty": predicted.uncertainty,
        "beyond": predicted.beyond,
        "error": predicted.seconds / measured - 1,
    }


def _summary(found: list[tuple[Item, float, Prediction]]) -> dict[str, float | bool]:
    errors = sorted(abs(predicted.seconds / measured - 1) for _, measured, predicted in found)
    noise = [abs(item.visits[0] / item.visits[-1] - 1) for item, *_ in found if len(item.visits) > 1]
    repeat = statistics.median(noise) if noise else math.nan
    tau = kendall([measured for _, measured, _ in found], [predicted.seconds for *_, predicted in found])
    error = statistics.median(errors)
    return {
        "n": len(found),
        "median_error": error,
        "error_90": errors[math.ceil(0.9 * len(errors)) - 1],
        "bias": statistics.median(predicted.seconds / measured - 1 for _, measured, predicted in found),
        "repeat_noise": repeat,
        "tau": tau,
        "tau_of_macs": kendall(
            [measured for _, measured, _ in found], [float(item.macs * item.batch) for item, *_ in found]
        ),
        "covered": statistics.fmean(predicted.low <= measured <= predicted.high for _, measured, predicted in found),
        "reached": error <= max(GOAL_ERROR, repeat if noise else 0.0) and tau >= GOAL_TAU,
    }


def kendall(ones: list[float], others: list[float]) -> float:
    """Kendall's tau-b of two lists: 1 where they rank alike."""
    agree = apart = ties_one = ties_other = 0
    for i in range(len(ones)):
        for j in range(i):
            a, b = (ones[i] > ones[j]) - (ones[i] < ones[j]), (others[i] > others[j]) - (others[i] < others[j])
            agree += a * b > 0
            apart += a * b < 0
            ties_one += a == 0 and b != 0
            ties_other += b == 0 and a != 0
    return (agree - apart) / math.sqrt((agree + apart + ties_one) * (agree + apart + ties_other))


def _speed(items: list[Item], calibration: Calibration) -> dict[str, float]:
    """Microseconds of all three predictions of a design that was costed but never predicted before."""
    times = []
    for item in {item.name: item for item in items}.values():
        found = convlab.profile(item.design)
        predictions(found, calibration)
        calls_of.cache_clear()
        began = time.perf_counter()
        predictions(found, calibration)
        times.append(1e6 * (time.perf_counter() - began))
    return {"median_us": statistics.median(times), "most_us": max(times), "n": len(times)}


if __name__ == "__main__":
    main()
