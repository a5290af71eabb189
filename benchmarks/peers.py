"""How fast convlab's networks are built and run beside timm's of the same name: eager, float32, on the CPU, candidates in turn.

Run: python benchmarks/peers.py [--rounds N] [--batch N] [--shared] [NAME ...]
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import timm
import torch
from interleaved import Times, interleaved, interval, shown, summary, surroundings, write

import convlab

PACKAGES = ("convlab", "torch", "timm")


Clock = Callable[[], float]


class Peer(NamedTuple):
    """One network under both names, and the side of its images in pixels."""

    ours: str
    timm: str
    image: int


PEERS = (
    Peer("convnext_t", "convnext_tiny", 224),
    Peer("convnext_b", "convnext_base", 224),
    Peer("resnet50", "resnet50", 224),
    Peer("regnety_4gf", "regnety_040", 224),
    Peer("efficientnet_b4", "efficientnet_b4", 380),
    Peer("swin_t", "swin_tiny_patch4_window7_224", 224),
    Peer("deit_s", "deit_small_patch16_224", 224),
)


def building(peer: Peer, rounds: int, clock: Clock) -> Times:
    """Seconds to build each network with initial weights."""
    design = convlab.load(peer.ours)
    candidates = {"convlab": lambda: convlab.build(design), "timm": lambda: timm.create_model(peer.timm)}
    return interleaved(candidates, rounds, clock=clock)


def running(peer: Peer, batch: int, rounds: int, clock: Clock) -> Times:
    """Seconds of a forward pass at inference; timm's network in both layouts of memory, ours in the one that it is built in."""
    ours = convlab.build(convlab.load(peer.ours)).eval()
    theirs = {layout: timm.create_model(peer.timm).eval().to(memory_format=layout) for layout in LAYOUTS.values()}
    images = torch.randn(batch, 3, peer.image, peer.image)

    def candidate(model: torch.nn.Module, layout: torch.memory_format) -> Callable[[], Any]:
        laid_out = images.to(memory_format=layout)
        return torch.inference_mode()(lambda: model(laid_out))

    candidates = {"convlab": candidate(ours, torch.channels_last)}
    candidates |= {name: candidate(theirs[layout], layout) for name, layout in LAYOUTS.items()}
    return interleaved(candidates, rounds, warm_up=2, clock=clock)


LAYOUTS = {"timm": torch.contiguous_format, "timm, channels-last": torch.channels_last}
"""Timm's network as it is made, and in the layout of convlab's."""


def compared(times: Times, ours: str = "convlab") -> dict[str, Any]:
    """The times of each candidate, and how many times ours runs in the time of each other."""
    found: dict[str, Any] = {name: summary(values) for name, values in times.items()}
    for name in times:
        if name != ours:
            found[f"speed convlab / {name}"] = interval(times, name, ours)
    return found


def measured(peer: Peer, batch: int, rounds: int, clock: Clock) -> dict[str, Any]:
    """Everything about one network."""
    return {
        "timm": peer.timm,
        "image_px": peer.image,
        "batch": batch,
        "build": compared(building(peer, rounds, clock)),
        "inference": compared(running(peer, batch, rounds, clock)),
    }


def line(name: str, what: str, found: dict[str, Any]) -> str:
    """One row of the table: our time, and each ratio with its interval."""
    ratios = ", ".join(
        f"{key.removeprefix('speed convlab / ')} {value['median']:.2f} ({value['low']:.2f}-{value['high']:.2f})"
        for key, value in found.items()
        if key.startswith("speed")
    )
    return f"{name:16} {what:10} {shown(found['convlab']['median_s']):>8}   speed of convlab over {ratios}"


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="presets to measure; all by default")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument(
        "--shared", action="store_true", help="seconds of the processor on one thread: other work runs too"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    threads = 1 if options.shared else os.cpu_count() or 1
    torch.set_num_threads(threads)
    clock = time.process_time if options.shared else time.perf_counter
    found: dict[str, Any] = {}
    for peer in PEERS:
        if peer.ours in (options.names or [peer.ours]):
            found[peer.ours] = measured(peer, options.batch, options.rounds, clock)
            for what in ("build", "inference"):
                print(line(peer.ours, what, found[peer.ours][what]), flush=True)
    if not options.names:
        about = {
            "threads": threads,
            "clock": clock.__name__,
            "dtype": "float32",
            "mode": "eager",
            "interval": "95 % of the median",
        }
        print(write("peers", {**surroundings(PACKAGES), **about, "networks": found}))


if __name__ == "__main__":
    main()
