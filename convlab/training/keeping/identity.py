"""What a training is: the design, recipe, data and seed that a checkpoint belongs to, and the refusal to go on with others."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from convlab import __version__
from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.language.writing import text_in_full
from convlab.measurement.machine.machines import cpu_name
from convlab.training.recipes.recipe import Recipe, values

if TYPE_CHECKING:
    from convlab.training.data.datasets import Dataset

FREE = frozenset({"summary", "seed", "evaluations", "data", "name"})
"""Knobs that may change: they leave the weights as they are. The data are compared by their checksum, the seed by itself."""

MOST_TOLD = 6


def identity(
    design: Design, recipe: Recipe, data: Dataset, *, seed: int, weights: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What decides the weights, as JSON holds it; ``weights`` are the source and the sha256 of what the network begins from."""
    return {
        "design": text_in_full(design),
        "key": design.key,
        "recipe": values(recipe),
        "data": {"name": data.name, "checksum": data.checksum},
        "seed": seed,
        "weights": dict(weights or {}),
    }


def refuse_other(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise ConvlabError where a training that is resumed is another than the one that was begun, naming every knob."""
    problems = [
        *told("design", differences(tomllib.loads(before["design"]), tomllib.loads(now["design"]))),
        *told("recipe", differences(before["recipe"], now["recipe"])),
    ]
    if before["data"]["checksum"] != now["data"]["checksum"]:
        problems.append(_other_data(before["data"]["name"], now["data"]["name"]))
    if before["seed"] != now["seed"]:
        problems += told("seed", [("seed", before["seed"], now["seed"])])
    problems += other_weights(before.get("weights", {}), now["weights"])
    if problems:
        raise ConvlabError(*problems, exit_code=2)


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The knobs of two tables whose values differ: path, before, now; None where there is no such knob."""
    old, new = dict(_flat(before)), dict(_flat(now))
    paths = [path for path in dict.fromkeys((*old, *new)) if path not in FREE]
    return [(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def told(noun: str, found: list[tuple[str, Any, Any]], *, begun: str = "") -> list[Problem]:
    """The refusal of a design, recipe or seed that differs; nothing where nothing does. ``begun`` says with which of two names."""
    if not found:
        return []
    listed = ", ".join(f"{path} = {_word(old)} is now {_word(new)}" for path, old, new in found[:MOST_TOLD])
    more = f", and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    help = "resume without naming it, or train anew in another folder"
    what = f"the training was begun {begun}" if begun else f"this is another {noun} than the training was begun with"
    message = f"{what}: {listed}{more}"
    return [Problem("other-training", message, help=help, path=found[0][0])]


def other_weights(before: Mapping[str, str], now: Mapping[str, str]) -> list[Problem]:
    """The refusal of other weights to begin from; another place of the same ones is none."""
    if before.get("sha256") == now.get("sha256"):
        return []
    message = f"the training was begun from {_weights(before)}, not from {_weights(now)}"
    if before.get("source") == now.get("source"):
        message = f"{_weights(now)} has changed since the training was begun from it"
    help = "resume without naming weights, where those are that it was begun from, or train anew in another folder"
    return [Problem("other-training", message, help=help, path="weights")]


def _weights(origin: Mapping[str, str]) -> str:
    return f"{quote(Path(origin['source']).name)} (sha256 {origin['sha256'][:8]}...)" if origin else "no weights"


def circumstances(device: torch.device, world: int) -> dict[str, Any]:
    """What may change the last bits of every sum: resumed under others, a training goes on, but not bit for bit."""
    found = {"torch": str(torch.__version__), "timm": _timm(), "convlab": __version__, "processes": world}
    if device.type != "cpu":
        return {**found, "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type}
    kernels = torch.backends.cpu.get_cpu_capability()
    return {**found, "device": _processor(), "kernels": kernels, "threads": torch.get_num_threads()}


@cache
def _processor() -> str:
    return cpu_name()


@cache
def _timm() -> str:
    return version("timm")


def note_of(before: Mapping[str, Any], now: Mapping[str, Any], step: int) -> str:
    """A sentence where circumstances changed; empty where the rest of the training is what it would have been."""
    both = [name for name in now if name in before]  # a GPU's say nothing of threads
    changed = [f"{name} {before[name]} is now {now[name]}" for name in both if before[name] != now[name]]
    if not changed:
        return ""
    return f"resumed at step {step} under other circumstances, so not bit for bit: {', '.join(changed)}"


def _other_data(before: str, now: str) -> Problem:
    message = f"these are other data than the training was begun with: {quote(now)} in place of {quote(before)}"
    if before == now:
        message = f"the files of {quote(now)} have changed since the training was begun"
    help = "put the data back that it was begun with, or train anew in another folder"
    return Problem("other-training", message, help=help, path="data")


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        path = f"{above}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        else:
            yield path, list(value) if isinstance(value, tuple | list) else value


def _word(value: Any) -> str:
    return "not set" if value is None else quote(value) if isinstance(value, str) else str(value)
