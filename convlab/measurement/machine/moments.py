"""A moment of a machine: what changes from one reading to the next, such as clocks, heat, and the work of others."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

import psutil
import pynvml
import torch

from convlab.measurement.machine.nvml import MILLI, asked, gpu_handle
from convlab.models.control_groups import held_back_seconds

NANO = 1e-9

SLOWED_BY = {
    pynvml.nvmlClocksEventReasonHwSlowdown: "a hardware slowdown",
    pynvml.nvmlClocksEventReasonHwThermalSlowdown: "heat (hardware limit)",
    pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown: "the power brake",
    pynvml.nvmlClocksEventReasonSwThermalSlowdown: "heat (driver limit)",
    pynvml.nvmlClocksEventReasonSwPowerCap: "the power limit",
    pynvml.nvmlClocksEventReasonSyncBoost: "the clocks of other GPUs (sync boost)",
    pynvml.nvmlClocksEventReasonApplicationsClocksSetting: "application clocks set by somebody",
}
"""Why a GPU may run below its highest clock, by NVML's bits; an idle GPU does so too, and that is left out."""


@final
@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU at a moment; what it or its driver does not tell is None. Energy and the seconds held back count up from some start."""

    clock_mhz: int | None
    memory_clock_mhz: int | None
    temperature_c: int | None
    power_w: float | None
    slowed_by: tuple[str, ...]
    power_limited_s: float | None
    heat_limited_s: float | None
    other_processes: int | None
    other_bytes: int | None


@final
@dataclass(frozen=True, slots=True)
class Moment:
    """A machine at a moment. Seconds and counts of events count up from some start: two moments say what happened between them."""

    taken: str
    elapsed_s: float
    cpus: int
    cpu_clock_mhz: float | None
    load: float | None
    busy_s: float
    stolen_s: float
    own_s: float
    held_back_s: float | None
    heat_events: int | None
    free_bytes: int
    on_battery: bool | None
    gpu: Gpu | None


def moment(device: torch.device) -> Moment:
    """The machine now: its processors, and the GPU if that is the device. Takes some milliseconds; nothing is waited for."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    stolen = getattr(times, "steal", 0.0)
    # Linux counts a guest's time as the user's as well.
    doubled = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return Moment(
        taken=datetime.now(UTC).isoformat(timespec="milliseconds"),
        elapsed_s=time.monotonic(),
        cpus=psutil.cpu_count() or 1,
        cpu_clock_mhz=_cpu_clock(),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        busy_s=sum(times) - idle - stolen - doubled,
        stolen_s=stolen,
        own_s=_own_seconds(),
        held_back_s=held_back_seconds(),
        heat_events=_heat_events(),
        free_bytes=psutil.virtual_memory().available,
        on_battery=None if battery is None else not battery.power_plugged,
        gpu=_gpu(device),
    )


def _own_seconds() -> float:
    """CPU seconds of this process and of its children: compilers and loaders of data are not a disturbance from outside."""
    spent = os.times()
    total = spent.user + spent.system + spent.children_user + spent.children_system
    for child in psutil.Process().children(recursive=True):
        try:
            of_child = child.cpu_times()
        except psutil.Error:
            continue
        total += of_child.user + of_child.system
    return total


def _cpu_clock() -> float | None:
    """The clock of the fastest core in MHz: the others may rest."""
    try:
        clocks = [clock.current for clock in psutil.cpu_freq(percpu=True)]
    except (AttributeError, NotImplementedError, OSError, RuntimeError, TypeError):
        return None
    return max(clocks, default=0.0) or None


def _heat_events() -> int | None:
    """How often cores were slowed down because they were too hot."""
    files = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle/core_throttle_count")
    try:
        counts = [int(file.read_text()) for file in files]
    except (OSError, ValueError):
        return None
    return sum(counts) if counts else None


def _gpu(device: torch.device) -> Gpu | None:
    with gpu_handle(device) as handle:
        if handle is None:
            return None
        power = asked(pynvml.nvmlDeviceGetPowerUsage, handle)
        reasons = asked(pynvml.nvmlDeviceGetCurrentClocksEventReasons, handle)
        processes = asked(pynvml.nvmlDeviceGetComputeRunningProcesses, handle)
        return Gpu(
            clock_mhz=asked(pynvml.nvmlDeviceGetClockInfo, handle, pynvml.NVML_CLOCK_SM),
            memory_clock_mhz=asked(pynvml.nvmlDeviceGetClockInfo, handle, pynvml.NVML_CLOCK_MEM),
            temperature_c=asked(pynvml.nvmlDeviceGetTemperature, handle, pynvml.NVML_TEMPERATURE_GPU),
            power_w=None if power is None else power * MILLI,
            slowed_by=tuple(text for bit, text in SLOWED_BY.items() if (reasons or 0) & bit),
            power_limited_s=_limited(handle, pynvml.NVML_PERF_POLICY_POWER),
            heat_limited_s=_limited(handle, pynvml.NVML_PERF_POLICY_THERMAL),
            other_processes=None if processes is None else _others(processes, device),
            other_bytes=_other_bytes(handle, processes),
        )


def _limited(handle: Any, policy: int) -> float | None:
    """Seconds for which the GPU was kept below its clocks, since the driver was loaded."""
    found = asked(pynvml.nvmlDeviceGetViolationStatus, handle, policy)
    return None if found is None else found.violationTime * NANO


def _others(processes: list[Any], device: torch.device) -> int:
    """Processes on the GPU beside this one, which a container may list under a number that is not its own."""
    pids = {process.pid for process in processes}
    ours = os.getpid() in pids or (bool(pids) and torch.cuda.memory_reserved(device) > 0)
    return len(pids) - ours


def _other_bytes(handle: Any, processes: list[Any] | None) -> int | None:
    """Memory of the GPU that processes known by number hold, this one left out."""
    if not processes or os.getpid() not in {process.pid for process in processes}:
        return None
    used = [process.usedGpuMemory for process in processes if process.pid != os.getpid()]
    return sum(size or 0 for size in used)
