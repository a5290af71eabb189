"""The training loop beside a plain loop over a DataLoader and timm's train.py, on Fashion-MNIST, and what sprint and run reach there.

Run: python benchmarks/training.py [speed data busy accuracy ...] [--timm-train PATH] [--minutes N] [--device cpu|cuda]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from interleaved import Times, ratio, surroundings, write
from proxy_members import Member, rows, train_missing, write_rows
from training_device import busy_share
from training_peers import (
    endless,
    plain_loader,
    plain_steps,
    timed,
    timm_seconds,
    timm_steps,
    write_fashion_mnist,
)
from training_turns import InProcess, Turn

from convlab import build, load, profile
from convlab.language.design import Design
from convlab.models.builder import available
from convlab.training.batches.batches import Batches
from convlab.training.data.datasets import Dataset
from convlab.training.data.registry import dataset
from convlab.training.proxies.shrinking import DataFacts, shrunk_together
from convlab.training.recipes.named import changed, recipe
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.loop import train_one

PARTS = ("data", "speed", "busy", "accuracy")
GOALS = {"data": 20.0, "speed": 1.3, "busy": 0.95}


def main() -> None:
    """Run the parts that are asked for, print a table each, write JSON."""
    options = _options()
    torch.set_num_threads(options.threads or torch.get_num_threads())
    device = available(options.device)
    data = dataset("fashion_mnist")
    asked = [load(name) for name in options.designs]
    made = shrunk_together(asked, DataFacts.of(data), recipe=recipe("sprint"), device=str(device))
    designs = {name: one.design for name, one in zip(options.designs, made, strict=True)}
    report: dict[str, Any] = {**surroundings(("convlab", "torch", "torchvision", "timm")), "device": str(device)}
    report["threads"] = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        write_fashion_mnist(Path(folder), data, options.steps * recipe("sprint").batch)
        for part in options.parts:
            if part == "accuracy":
                _accuracy(designs, data, str(device), options)
            elif part == "busy" and device.type != "cuda":
                print("busy: on a GPU only")
            else:
                report[part] = RUNNERS[part](designs, data, device, Path(folder), options)
    if set(report) & {"data", "speed", "busy"} and options.write:
        print(write(options.write + ("" if device.type == "cpu" else f"_{device.type}"), report))


def _recipes() -> dict[str, Recipe]:
    """The sprint as it is, and with the augmentation of longer trainings; without an end, so that no evaluation falls into the time."""
    plain = changed(recipe("sprint"), {"samples": 10**9, "evaluations": 1})
    return {"no augmentation": plain, "crop and flip": changed(plain, {"crop": "pad", "flip": True})}


def _data(
    designs: dict[str, Design], data: Dataset, device: torch.device, folder: Path, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """The data path alone."""
    found = []
    for name, used in _recipes().items():
        batches = Batches(data, used, seed=0, device=device)
        candidates: dict[str, Iterator[object]] = {"convlab": map(batches.at, range(10**9))}
        for workers in options.workers:
            candidates[_loader(workers)] = endless(plain_loader(folder, data, used, workers))
        turns = {each: _turn(steps, used, str(device), options.steps) for each, steps in candidates.items()}
        times = _rounds(turns, options)
        found.append({"recipe": name, **_told(f"data, {name}", times, GOALS["data"])})
    return found


def _speed(
    designs: dict[str, Design], data: Dataset, device: torch.device, folder: Path, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """The whole loop, for every design; each candidate in a process of its own."""
    found = []
    for title, design in designs.items():
        for name, used in _recipes().items():
            about = (design, data, used, str(device), options.steps)
            with ExitStack() as processes:
                candidates: dict[str, Callable[[], float]] = {
                    "convlab": processes.enter_context(
                        InProcess("convlab", _own_turn, folder / f"{title}-{used.digest}", *about)
                    )
                }
                for workers in options.workers:
                    for label, make in ((_loader(workers), _plain_turn), (_timms(workers), _timm_turn)):
                        candidates[label] = processes.enter_context(InProcess(label, make, folder, workers, *about))
                    if options.timm_train:
                        candidates[f"timm's train.py, {workers} workers"] = (
                            lambda workers=workers, used=used, design=design: timm_seconds(
                                options.timm_train,
                                design,
                                data,
                                used,
                                folder=folder,
                                device=str(device),
                                workers=workers,
                            )
                        )
                times = _rounds(candidates, options)
            row = {"design": title, "recipe": name, "macs": profile(design).macs}
            found.append({**row, **_told(f"{title}, {name}", times, GOALS["speed"])})
    return found


def _own_turn(folder: Path, design: Design, data: Dataset, used: Recipe, device: str, steps: int) -> Turn:
    own = _Own(design, data, used, folder, torch.device(device))
    return lambda: own.seconds(steps)


def _plain_turn(
    folder: Path, workers: int, design: Design, data: Dataset, used: Recipe, device: str, steps: int
) -> Turn:
    loader = plain_loader(folder, data, used, workers)
    return _turn(plain_steps(build(design, device=device, seed=0), loader, torch.device(device)), used, device, steps)


def _timm_turn(
    folder: Path, workers: int, design: Design, data: Dataset, used: Recipe, device: str, steps: int
) -> Turn:
    model, where = build(design, device=device, seed=0), torch.device(device)
    return _turn(timm_steps(model, folder, data, used, device=where, workers=workers), used, device, steps)


def _turn(stepping: Iterator[object], used: Recipe, device: str, steps: int) -> Turn:
    return lambda: timed(stepping, steps, torch.device(device)) / (steps * used.batch)


def _busy(
    designs: dict[str, Design], data: Dataset, device: torch.device, folder: Path, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """The share of the time in which the GPU computes while the loop runs."""
    found = []
    for title, design in designs.items():
        used = _recipes()["crop and flip"]
        own = _Own(design, data, used, folder / f"busy-{title}", device)
        own.seconds(options.steps)
        share = busy_share(lambda own=own: own.seconds(options.steps))
        own.close()
        print(f"busy, {title}: {share:.1%} of the time (goal: {GOALS['busy']:.0%})")
        found.append({"design": title, "share": share, "goal": GOALS["busy"]})
    return found


RUNNERS = {"data": _data, "speed": _speed, "busy": _busy}


class _Own:
    """convlab's loop, driven step by step as every face drives it."""

    def __init__(self, design: Design, data: Dataset, used: Recipe, folder: Path, device: torch.device) -> None:
        self.batch = used.batch
        self.device = device
        self.step = 0
        self.work = train_one(design, data, used, seed=0, folder=folder, device=str(device), resume=False)

    def seconds(self, count: int) -> float:
        """Seconds an image of at least so many steps; progress may be told less often than every step."""
        first, start = self.step, time.perf_counter()
        while self.step < first + count:
            self.step = int(next(self.work).figures.get("step", self.step))
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return (time.perf_counter() - start) / ((self.step - first) * self.batch)

    def close(self) -> None:
        """Stop the training."""
        self.work.close()


def _rounds(candidates: dict[str, Callable[[], float]], options: argparse.Namespace) -> Times:
    """Seconds an image of all candidates by turns; the first round, in which memory is found and workers start, does not count."""
    times: Times = {name: [] for name in candidates}
    for number in range(-1, options.rounds):
        for name, candidate in candidates.items():
            seconds = candidate()
            if number >= 0:
                times[name].append(seconds)
    return times


def _told(title: str, times: Times, goal: float) -> dict[str, Any]:
    """Images a second of each candidate, and by how much ours is quicker: round by round, median and quartiles."""
    print(f"{title}: convlab {1 / statistics.median(times['convlab']):,.0f} images/s")
    ratios = {}
    for name in list(times)[1:]:
        found = ratios[name] = ratio(times, name, "convlab")
        spread = f"[{found['quartile_1']:.2f}, {found['quartile_3']:.2f}]"
        rate = 1 / statistics.median(times[name])
        print(
            f"  {found['median']:6.2f} {spread:16} times {name} ({rate:,.0f} images/s), n = {found['n']}, goal {goal:g}"
        )
    return {"seconds_an_image": times, "ratios": ratios, "goal": goal}


def _accuracy(designs: dict[str, Design], data: Dataset, device: str, options: argparse.Namespace) -> None:
    """What sprint and run reach on the test split: mean and standard deviation over seeds, in pieces where time is short."""
    name = f"{options.write or 'smoke'}_accuracy"
    budgets = [
        changed(recipe(each), {"samples": options.samples}) if options.samples else recipe(each)
        for each in ("sprint", "run")
    ]
    members = [
        Member(title, design, used, seed)
        for used in budgets
        for title, design in designs.items()
        for seed in range(options.seeds)
    ]
    found = train_missing(name, members, data, device=device, minutes=options.minutes, jobs=options.jobs)
    table = []
    for used in budgets:
        for title in designs:
            kept = [
                found[each.key] for each in members if (each.name, each.recipe) == (title, used) and each.key in found
            ]
            shares = [row["test_accuracy"] for row in kept if row["test_accuracy"] is not None]
            mean, deviation = (
                (statistics.fmean(shares) if shares else None),
                (statistics.stdev(shares) if len(shares) > 1 else None),
            )
            table.append({"design": title, "recipe": used.name, "mean": mean, "deviation": deviation, "n": len(shares)})
            words = f"{mean:.2%}" if mean is not None else "-"
            words += f" +- {deviation:.2%}" if deviation is not None else ""
            print(f"accuracy, {title}, {used.name}: {words}, n = {len(shares)} of {options.seeds}")
    print(write_rows(name, rows(name), device, table=table))


def _loader(workers: int) -> str:
    return f"a DataLoader, {workers} workers"


def _timms(workers: int) -> str:
    return f"timm's parts, {workers} workers"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "parts", nargs="*", default=[], metavar="PART", help=f"{', '.join(PARTS)}; all where none is named"
    )
    parser.add_argument("--designs", nargs="+", default=["convnext_t", "resnet50"])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="0: torch's own number")
    parser.add_argument("--steps", type=int, default=40, help="a candidate's turn")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2], help="of the peers' DataLoaders, a row each")
    parser.add_argument("--timm-train", type=Path, help="timm's train.py, of version 1.0 or later")
    parser.add_argument("--seeds", type=int, default=3, help="of the accuracy")
    parser.add_argument(
        "--samples", type=int, default=0, help="another budget of the accuracy, to try the benchmark out"
    )
    parser.add_argument("--jobs", type=int, default=1, help="trainings of the accuracy at one time")
    parser.add_argument("--minutes", type=float, default=1e6, help="of the accuracy; the next start goes on")
    parser.add_argument("--write", default="training", help="name of the JSON file under results/; empty: none")
    options = parser.parse_args()
    options.parts = options.parts or list(PARTS)
    return options


if __name__ == "__main__":
    main()
