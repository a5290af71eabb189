"""The machine at hand as far as it decides how fast torch runs, found out without importing torch."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import final

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@final
@dataclass(frozen=True, slots=True)
class Machine:
    """A device, the torch that runs on it, and what torch takes its number of threads from."""

    device: str
    """cpu, cuda:0 or mps."""
    name: str
    """The processor's, as its maker calls it."""
    cpus: int
    """How many CPUs this process may use."""
    thread_settings: str
    torch: str
    """torch's version without what it was built for."""


def here(device: str, name: str = "") -> Machine:
    """This machine; the name of its device is looked up where it is not given ("": nobody says it without torch)."""
    settings = " ".join(f"{key}={os.environ[key]}" for key in THREAD_VARIABLES if os.environ.get(key))
    return Machine(device, name or device_name(device), _cpus(), settings, torch_version())


@lru_cache(maxsize=1)
def torch_version() -> str:
    """The version of the torch that is installed, "" where there is none."""
    try:
        return metadata.version("torch").partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""


@lru_cache(maxsize=8)
def device_name(device: str) -> str:
    """The processor's name; "" where it cannot be told without torch."""
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return _line(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine()
    if kind == "mps":
        return f"Apple {platform.machine()}"
    cards = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    names = [_line(card, "Model") for card in cards]
    place = int(index or 0)
    same = len(set(names)) == 1  # CUDA may count GPUs in another order than the bus
    return names[place] if place < len(names) and same and "CUDA_VISIBLE_DEVICES" not in os.environ else ""


def torch_threads() -> int:
    """The number of threads that torch takes here by itself; asked of torch only where it is imported already.

    By itself it takes what OMP_NUM_THREADS or MKL_NUM_THREADS says, else a thread a core, of those that this process may use.
    """
    if (torch := sys.modules.get("torch")) is not None:
        return int(torch.get_num_threads())
    for name in reversed(THREAD_VARIABLES):  # what MKL says decides for both
        first = os.environ.get(name, "").partition(",")[0].strip()
        if first.isdecimal() and int(first):
            return int(first)
    return _cores()


def _line(path: Path, key: str) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _cores() -> int:
    """Cores that this process may use: CPUs that share one count once."""
    if not hasattr(os, "sched_getaffinity"):
        return _cpus()
    siblings = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
    shared = [_text(Path(siblings.format(cpu))) or str(cpu) for cpu in os.sched_getaffinity(0)]
    return len(set(shared))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
