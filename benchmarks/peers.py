"""convlab's networks beside those of timm, torchvision and transformers: inference and training, eager and compiled; on a CPU also as
ONNX Runtime and OpenVINO run them, on a GPU also the throughput and memory that the paper compares.

Every candidate runs in a process of its own, in turn with convlab's. Weights are random and drawn alike.
Run: python benchmarks/peers.py [NAME ...] [--only PART ...] [--resume] [--device cpu|cuda] [--smoke]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, final

from interleaved import RESULTS, commit, shown, write
from paper import detection_memory, throughput_table
from peer_networks import NETWORKS, Peers, parity, same, told
from peer_processes import CONTEXT, LEAST_ROUNDS, Candidate, Worker, elsewhere, in_turn, started
from peer_runtimes import RUNTIMES, export_ours, export_theirs

from convlab.measurement.machine.environment import environment
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.statistics import Estimate, estimate, ratio

PARITY, INFERENCE, RUNTIME, TRAINING = "parity", "inference", "runtimes", "training"
COMPILED, COMPILED_TRAINING = "compiled inference", "compiled training"
OF_NETWORKS = (PARITY, INFERENCE, RUNTIME, TRAINING, COMPILED, COMPILED_TRAINING)
OF_PAPER = {"paper": throughput_table, "detection": detection_memory}
USUAL = {
    "cpu": (PARITY, INFERENCE, RUNTIME, TRAINING, COMPILED),  # a training step takes minutes to compile for a CPU
    "cuda": (PARITY, INFERENCE, COMPILED, TRAINING, COMPILED_TRAINING, *OF_PAPER),
}
PRELOADED = ["torch", "timm", "torchvision", "transformers", "convlab.measurement.running.workloads"]

PROTOCOL = Protocol(window=2, warm_up_s=1.0)
"""How candidates are warmed up; their rounds are counted here."""

ON_PAR = 0.95
"""The lower end of the interval of our speed over the best peer's has to be above this."""


@final
@dataclass(frozen=True)
class Settings:
    """How the networks are run, and for how long; ``shared`` counts CPU time of one thread, for machines that do other work too."""

    conditions: Conditions
    rounds: int
    seconds_together: float
    shared: bool
    smoke: bool
    protocol: Protocol

    def image(self, peers: Peers) -> tuple[int, int]:
        """Height and width of the images; no smaller ones are taken by transformers' Swin."""
        side = 224 if self.smoke else peers.image
        return side, side

    def seconds(self, worker: Worker) -> list[float]:
        """What a step took, turn by turn."""
        return [turn.cpu_s if self.shared else turn.wall_s for turn in worker.turns]

    def speed(self, base: Worker, worker: Worker) -> Estimate:
        """How many times as fast the base is, which may have run in turn with others before."""
        seconds = self.seconds(worker)
        return ratio(seconds, self.seconds(base)[-len(seconds) :])


def measured(peers: Peers, part: str, settings: Settings) -> dict[str, Any]:
    """One part of what is measured of a network, by the labels of the candidates."""
    if part == PARITY:
        image = settings.image(peers)
        return {other: elsewhere(parity, peers.preset, other, image) for other in peers.others}
    if part == RUNTIME:
        with tempfile.TemporaryDirectory() as folder:
            return together(runtimes(peers, settings, folder), settings)
    task = "training" if part in (TRAINING, COMPILED_TRAINING) else "inference"
    mode = "compiled" if part in (COMPILED, COMPILED_TRAINING) else "eager"
    conditions = replace(settings.conditions, task=task, mode=mode)
    ours = Candidate(peers.preset, settings.image(peers), conditions, of="convlab")
    found: dict[str, Any] = {}
    with started(ours, settings.protocol) as base:
        for other in peers.others:
            found |= beside(base, others(other, ours), settings)
    return found


def others(source: str, ours: Candidate) -> Iterator[Candidate]:
    """Another package's network in both layouts; compiled in ours alone, since compiling takes longer than running."""
    layouts = (True, False) if ours.conditions.mode == "eager" else (True,)
    for channels_last in layouts:
        conditions = replace(ours.conditions, channels_last=channels_last)
        yield replace(ours, source=source, conditions=conditions, of=source.partition(":")[0], base=ours.label)


def runtimes(peers: Peers, settings: Settings, folder: str) -> Iterator[Candidate]:
    """Our network eager, and as each runtime runs ours and timm's from an ONNX file."""
    image = settings.image(peers)
    ours = Candidate(peers.preset, image, settings.conditions, of="convlab")
    yield ours
    files = {
        "convlab, folded": elsewhere(export_ours, peers.preset, image, folder),
        "timm": elsewhere(export_theirs, peers.others[0], image, folder),
    }
    for runtime in RUNTIMES:
        for of, file in files.items():
            yield replace(ours, runtime=runtime, file=file, of=of, base=ours.label)


def beside(base: Worker, candidates: Iterator[Candidate], settings: Settings) -> dict[str, Any]:
    """Our network, which runs already, in turn with some of another's."""
    with ExitStack() as stack:
        workers = [base, *(stack.enter_context(started(each, settings.protocol)) for each in candidates)]
        in_turn(workers, settings.rounds, settings.seconds_together)
        rows = {worker.candidate.label: row(worker, base, settings) for worker in workers}
    return rows


def together(candidates: Iterator[Candidate], settings: Settings) -> dict[str, Any]:
    """Candidates in turn, the first of which the others are compared with."""
    with started(next(candidates), settings.protocol) as base:
        return beside(base, candidates, settings)


def row(worker: Worker, base: Worker, settings: Settings) -> dict[str, Any]:
    """What was measured of a candidate, and how many times as fast ours is."""
    about = {
        "source": worker.candidate.source,
        "runtime": worker.candidate.runtime,
        **asdict(checked(worker.candidate.conditions)),
        "image": list(worker.candidate.image),
        "compile_s": worker.compile_s,
        "failure": worker.failure,
    }
    if worker.candidate.runtime != "torch":  # they choose layouts by themselves
        about["channels_last"] = about["mode"] = None
    if worker.failure or not worker.turns:
        return about
    seconds = settings.seconds(worker)
    about["step_s"] = asdict(estimate(seconds))
    if not settings.shared:  # parts are in wall time
        about["parts_s"] = {
            name: asdict(estimate([turn.parts[index] for turn in worker.turns]))
            for index, name in enumerate(worker.parts)
        }
    walls = sum(turn.wall_s for turn in worker.turns)
    about["cpu_time_over_wall_time"] = sum(turn.cpu_s for turn in worker.turns) / walls
    about["samples_s"] = seconds
    if worker is not base and base.turns and not base.failure:
        about["speed_of_convlab"] = asdict(settings.speed(base, worker))
    return about


def lines(found: dict[str, Any], part: str, different: set[str]) -> Iterator[str]:
    """The rows of the table, and whether ours is on par with the best other; ``different`` are other networks of the same name."""
    if part == PARITY:
        yield from (f"    {name.partition('{')[0]:<36} {told(proof)}" for name, proof in found.items())
        return
    for label, about in found.items():
        if about["failure"]:
            yield f"    {label:<36} {about['failure']}"
            continue
        step = about["step_s"]
        spread = f"{shown(step['quartile_1'])} to {shown(step['quartile_3'])}, n {step['n']}"
        rate = about["batch"] / step["median"]
        threads = f"CPU/wall {about['cpu_time_over_wall_time']:.2f}"
        compiling = f", compiled in {about['compile_s']:.0f} s" if about["mode"] not in ("eager", None) else ""
        speed = about.get("speed_of_convlab")
        compared = f"   convlab {speed['median']:.3f} ({speed['low']:.3f} to {speed['high']:.3f})" if speed else ""
        unlike = "   (another network)" if about["source"] in different else ""
        times = f"{shown(step['median']):>8} ({spread}) {rate:8.1f} images/s"
        yield f"    {label:<36} {times}  {threads}{compiling}{compared}{unlike}"
    best = best_other({label: about for label, about in found.items() if about["source"] not in different})
    if best and part != RUNTIME and found[best]["speed_of_convlab"]["n"] >= LEAST_ROUNDS:
        speed = Estimate(**found[best]["speed_of_convlab"])
        verdict = "on par" if speed.low > ON_PAR else "NOT ON PAR"
        yield f"    {verdict}: {speed.median:.3f} (from {speed.low:.3f}) times as fast as the best peer, {best}"


def best_other(found: dict[str, Any]) -> str:
    """The label of the quickest candidate that is not ours, by its time relative to ours of the same rounds; "" where there is none."""
    speeds = {
        label: about["speed_of_convlab"]["median"]
        for label, about in found.items()
        if "speed_of_convlab" in about and not label.startswith("convlab")
    }
    return min(speeds, key=lambda label: speeds[label]) if speeds else ""


@final
class Results:
    """The JSON file: parts that were measured before stay until they are measured again."""

    def __init__(self, name: str, *, written: bool):
        self.name, self.written = name, written
        path = RESULTS / f"{name}.json"
        there = json.loads(path.read_text()) if written and path.exists() else {}
        self.parts: dict[str, Any] = there.get("parts", {})

    def has(self, subject: str, part: str) -> bool:
        """Whether a part is there."""
        return part in self.parts.get(subject, {})

    def different(self, subject: str) -> set[str]:
        """The networks of other packages that are known to be other networks, in spite of their names."""
        proofs = self.parts.get(subject, {}).get(PARITY, {}).get("found", {})
        return {name for name, proof in proofs.items() if not same(proof)}

    def put(self, subject: str, part: str, found: Any, settings: Settings) -> None:
        """Keep a part, with what its figures belong to."""
        around = environment(checked(settings.conditions).device)
        about = {
            "measured": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "clock": "CPU time" if settings.shared else "wall time",
            "interval": "95 %, order statistics of the ratios of the same rounds",
            "environment": around.to_json(),
        }
        self.parts.setdefault(subject, {})[part] = {**about, "found": found}
        if self.written:
            write(self.name, {"command": " ".join(["python", *sys.argv]), "parts": self.parts})


def main() -> None:
    """Measure, print tables, write JSON after each part."""
    options = _options()
    settings = _settings(options)
    CONTEXT.set_forkserver_preload(PRELOADED)
    warnings.simplefilter("ignore")
    kind = settings.conditions.device.partition(":")[0]
    name = options.output or ("peers" if kind == "cpu" else f"peers_{kind}")
    results = Results(name, written=bool(options.output) or not settings.smoke)
    parts = options.only or (OF_NETWORKS[:-2] + tuple(OF_PAPER) if settings.smoke else USUAL[kind])
    chosen = [peers for peers in NETWORKS if peers.preset in (options.names or [peers.preset])]
    began = time.monotonic()
    for part in parts:
        for peers in [None] if part in OF_PAPER else chosen:
            subject = "paper" if peers is None else peers.preset
            if options.resume and results.has(subject, part):
                continue
            if options.minutes and time.monotonic() - began > 60 * options.minutes:
                print(
                    f"\n{subject}, {part}: left out, {options.minutes:g} minutes are over; --resume goes on", flush=True
                )
                continue
            print(f"\n{subject}, {part} ({time.monotonic() - began:.0f} s so far)", flush=True)
            found: Any
            if peers is None:
                found = OF_PAPER[part](settings.conditions, settings.protocol, settings.smoke)
            else:
                found = measured(peers, part, settings)
                different = results.different(subject) if part != PARITY else set()
                print(*lines(found, part, different), sep="\n", flush=True)
            results.put(subject, part, found, settings)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(each.preset for each in NETWORKS)}")
    parser.add_argument("--only", action="append", choices=(*OF_NETWORKS, *OF_PAPER), help="a part; may be repeated")
    parser.add_argument("--resume", action="store_true", help="leave parts out that the JSON file has already")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--batch", type=int, help="2 on a CPU, 64 elsewhere")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=6.0, help=f"after which {LEAST_ROUNDS} rounds are enough")
    parser.add_argument("--minutes", type=float, help="after which no part is begun; 20 on a CPU, 0: no limit")
    parser.add_argument("--shared", action="store_true", help="CPU time on one thread: other work runs on the machine")
    parser.add_argument("--smoke", action="store_true", help="tiny images and few rounds, to see that all of it runs")
    parser.add_argument("--output", help="the JSON file's name, without its ending")
    options = parser.parse_args()
    if options.minutes is None:
        options.minutes = 20 if options.device == "cpu" else 0
    unknown = {*options.names} - {each.preset for each in NETWORKS}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


def _settings(options: argparse.Namespace) -> Settings:
    batch = options.batch or (1 if options.smoke else 2 if options.device == "cpu" else 64)
    threads = 1 if options.shared else options.threads
    conditions = Conditions(device=options.device, dtype=options.dtype, batch=batch, threads=threads)
    rounds = 3 if options.smoke else options.rounds
    protocol = Protocol(seconds=1, least_rounds=3, most_rounds=3, warm_up_s=0.1) if options.smoke else PROTOCOL
    return Settings(checked(conditions), rounds, options.seconds, options.shared, options.smoke, protocol)


if __name__ == "__main__":
    main()
