"""convlab's networks beside those of timm, torchvision and transformers: inference and training, eager and compiled; on a CPU also as
ONNX Runtime and OpenVINO run them, on a GPU also the throughput and memory that the paper compares.

What torch runs takes turns in one process, each other runtime has one of its own; ``--restarts`` starts all of them several times,
since two processes of the same program differ by some percent. Weights are random and drawn alike.
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
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any, final

from interleaved import RESULTS, commit, write
from paper import detection_memory, throughput_table
from peer_networks import NETWORKS, Peers, parity, same
from peer_processes import CONTEXT, LEAST_ROUNDS, Candidate, elsewhere, in_turn, started
from peer_rows import INTERVAL, Gathered, lines, proofs
from peer_runtimes import RUNTIMES, export_ours, export_theirs

from convlab.measurement.machine.environment import environment
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import Conditions, checked

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


@final
@dataclass(frozen=True)
class Settings:
    """How the networks are run, and for how long; ``shared`` counts CPU time of one thread, for machines that do other work too."""

    conditions: Conditions
    rounds: int
    seconds_together: float
    restarts: int
    shared: bool
    smoke: bool
    protocol: Protocol

    def image(self, peers: Peers) -> tuple[int, int]:
        """Height and width of the images; no smaller ones are taken by transformers' Swin."""
        side = 224 if self.smoke else peers.image
        return side, side


def measured(peers: Peers, part: str, settings: Settings, different: set[str]) -> dict[str, Any]:
    """One part of what is measured of a network, by the labels of the candidates; ``different`` are other networks of the same name.

    All processes are started anew as often as the settings say; those that are far from the quickest only once.
    """
    if part == PARITY:
        image = settings.image(peers)
        return {other: elsewhere(parity, peers.preset, other, image) for other in peers.others}
    gathered = Gathered(shared=settings.shared, different=different)
    with tempfile.TemporaryDirectory() as folder:
        base = ours(peers, part, settings)
        rest = list(runtimes(peers, base, folder) if part == RUNTIME else others(peers, base))
        for restart in range(settings.restarts):
            kept = [each for each in rest if restart == 0 or gathered.is_close(each.label)]
            with ExitStack() as stack:
                processes = [[base], *([each] for each in kept)] if part == RUNTIME else [[base, *kept]]
                started_ones = [stack.enter_context(started(each, settings.protocol)) for each in processes]
                workers = [worker for each in started_ones for worker in each]
                in_turn(workers, settings.rounds, settings.seconds_together)
                for worker in workers:
                    gathered.add(worker, workers[0])
    return gathered.rows()


def ours(peers: Peers, part: str, settings: Settings) -> Candidate:
    """Our network as a part runs it."""
    task = "training" if part in (TRAINING, COMPILED_TRAINING) else "inference"
    mode = "compiled" if part in (COMPILED, COMPILED_TRAINING) else "eager"
    conditions = replace(settings.conditions, task=task, mode=mode)
    return Candidate(peers.preset, settings.image(peers), conditions, of="convlab")


def others(peers: Peers, base: Candidate) -> Iterator[Candidate]:
    """Other packages' networks in both layouts; compiled in ours alone, since compiling takes longer than running."""
    layouts = (True, False) if base.conditions.mode == "eager" else (True,)
    for source, channels_last in product(peers.others, layouts):
        conditions = replace(base.conditions, channels_last=channels_last)
        yield replace(base, source=source, conditions=conditions, of=source.partition(":")[0], base=base.label)


def runtimes(peers: Peers, base: Candidate, folder: str) -> Iterator[Candidate]:
    """Our network and timm's as each runtime runs them from an ONNX file."""
    files = {
        "convlab, folded": elsewhere(export_ours, peers.preset, base.image, folder),
        "timm": elsewhere(export_theirs, peers.others[0], base.image, folder),
    }
    for runtime in RUNTIMES:
        for of, file in files.items():
            yield replace(base, runtime=runtime, file=file, of=of, base=base.label)


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
            "interval": INTERVAL,
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
                different = results.different(subject) if part != PARITY else set()
                found = measured(peers, part, settings, different)
                shown = proofs(found) if part == PARITY else lines(found, different, judged=part != RUNTIME)
                print(*shown, sep="\n", flush=True)
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
    parser.add_argument("--restarts", type=int, default=1, choices=range(1, 9), help="of every process, 1 to 8")
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
    return Settings(
        checked(conditions), rounds, options.seconds, options.restarts, options.shared, options.smoke, protocol
    )


if __name__ == "__main__":
    main()
