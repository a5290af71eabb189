"""Energy: joules an image, from a counter of the GPU or the processor, over many steps."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import pynvml
import torch

from convlab.measurement.machine.nvml import MILLI, asked, gpu_handle
from convlab.measurement.running.workloads import Workload
from convlab.measurement.unmeasured import Unmeasured

MICRO = 1e-6

POWER_CAP = Path("/sys/class/powercap")

LONGEST_TICK_S = 0.5
"""How long is waited for a counter to move; those of GPUs move ten times a second or more often."""

SAMPLE_S = 0.02


@final
@dataclass(frozen=True, slots=True)
class Energy:
    """What steps took, with everything else that ran on the device meanwhile.

    ``source`` says who counted, and what: the whole board of a GPU, the packages of the processors (mostly without their memory).
    """

    joules_per_image: float
    watts: float
    seconds: float
    steps: int
    source: str


class Meter(ABC):
    """Joules that a device has taken since some start."""

    source: str

    @abstractmethod
    def joules(self) -> float:
        """The counter now."""


@final
class BoardCounter(Meter):
    """The counter of an NVIDIA GPU (Volta or newer): its whole board."""

    source = "NVML, the energy of the GPU's board"

    def __init__(self, handle: Any):
        self._handle = handle

    def joules(self) -> float:
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) * MILLI


@final
class BoardPower(Meter):
    """The power of an NVIDIA GPU without a counter, looked at in a thread and summed up."""

    source = "NVML, samples of the power of the GPU's board"

    def __init__(self, handle: Any):
        self._handle = handle
        self._joules = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def joules(self) -> float:
        return self._joules

    def stop(self) -> None:
        """End the thread."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        last, power = time.monotonic(), asked(pynvml.nvmlDeviceGetPowerUsage, self._handle) or 0
        while not self._done.wait(SAMPLE_S):
            now, power_now = time.monotonic(), asked(pynvml.nvmlDeviceGetPowerUsage, self._handle) or power
            self._joules += (now - last) * (power + power_now) / 2 * MILLI
            last, power = now, power_now


@final
class PackageCounters(Meter):
    """The counters of Intel's and AMD's processors (RAPL), a file each; they start again from 0 where their range ends."""

    source = "RAPL, the energy of the CPU's packages"

    def __init__(self, folders: tuple[Path, ...]):
        self._folders = folders
        self._ranges = [int((folder / "max_energy_range_uj").read_text()) for folder in folders]
        self._last = self._read()
        self._total = 0

    def joules(self) -> float:
        now = self._read()
        for before, after, most in zip(self._last, now, self._ranges, strict=True):
            self._total += after - before if after >= before else after - before + most
        self._last = now
        return self._total * MICRO

    def _read(self) -> list[int]:
        return [int((folder / "energy_uj").read_text()) for folder in self._folders]


def energy(workload: Workload, *, seconds: float = 3.0) -> Energy | Unmeasured:
    """The energy of steps in a row, for so many seconds or a little longer, from one movement of the counter to another.

    Raises what the network raises.
    """
    with meter_of(workload.conditions.device) as meter:
        return meter if isinstance(meter, Unmeasured) else _metered(workload, meter, seconds)


@contextmanager
def meter_of(device: str | torch.device, power_cap: Path = POWER_CAP) -> Iterator[Meter | Unmeasured]:
    """The meter of a device, as long as it is open, or why there is none."""
    place = torch.device(device)
    if place.type == "cpu":
        yield _package_counters(power_cap)
        return
    with gpu_handle(place) as handle:
        if handle is None:
            kind = (
                "NVML, which counts energy, does not answer"
                if place.type == "cuda"
                else "it has no counter that can be read"
            )
            yield Unmeasured(f"no energy for {place}: {kind}")
        elif asked(pynvml.nvmlDeviceGetTotalEnergyConsumption, handle) is not None:
            yield BoardCounter(handle)
        elif asked(pynvml.nvmlDeviceGetPowerUsage, handle) is not None:
            sampler = BoardPower(handle)
            try:
                yield sampler
            finally:
                sampler.stop()
        else:
            yield Unmeasured(f"no energy for {place}: this GPU tells neither energy nor power")


def _package_counters(power_cap: Path) -> Meter | Unmeasured:
    found = tuple(folder for folder in sorted(power_cap.glob("*-rapl:*")) if _is_package(folder))
    if not found:
        return Unmeasured(f"no energy for the CPU: there is no RAPL counter under {power_cap}")
    try:
        return PackageCounters(found)
    except (OSError, ValueError) as error:
        reason = "only root may read" if isinstance(error, PermissionError) else "nobody can read"
        return Unmeasured(f"no energy for the CPU: {reason} {found[0] / 'energy_uj'}")


def _is_package(folder: Path) -> bool:
    """Whether a counter is that of a whole package: parts of it, and the whole computer, have their own."""
    try:
        return (folder / "name").read_text().startswith("package")
    except OSError:
        return False


def _metered(workload: Workload, meter: Meter, seconds: float) -> Energy | Unmeasured:
    start, _ = _moved(workload, meter)
    if start is None:
        return Unmeasured(f"the counter stood still for {LONGEST_TICK_S:g} s: {meter.source}")
    began, steps = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        workload.run()
        steps += 1
    end, more = _moved(workload, meter)
    elapsed = time.monotonic() - began
    if end is None:
        return Unmeasured(f"the counter stood still for {LONGEST_TICK_S:g} s: {meter.source}")
    joules, images = end - start, (steps + more) * workload.conditions.batch
    return Energy(joules / images, joules / elapsed, elapsed, steps + more, meter.source)


def _moved(workload: Workload, meter: Meter) -> tuple[float | None, int]:
    """Run until the counter moves: its reading then, and how many steps that took. None where it does not."""
    before, began, steps = meter.joules(), time.monotonic(), 0
    while time.monotonic() - began < LONGEST_TICK_S or steps < 2:
        workload.run()
        steps += 1
        now = meter.joules()
        if now > before:
            return now, steps
    return None, steps
