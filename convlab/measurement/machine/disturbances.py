"""What disturbed a measurement: from two looks at a machine, one before and one after, sentences on why the figures may not hold."""

from __future__ import annotations

from collections.abc import Iterator

from convlab import units
from convlab.measurement.machine.environment import Environment
from convlab.measurement.machine.moments import Gpu, Moment

BUSY_SHARE = 0.05
"""The share of the machine's CPU time, used by others, from which it is told."""

STOLEN_SHARE = 0.01
"""The share of the machine's CPU time, taken by its hypervisor, from which it is told."""

HELD_BACK_SHARE = 0.01
"""The share of the time that a quota or a limit held the processors back, from which it is told."""

LOWER_CLOCK = 0.9
"""The clock after over the clock before, below which it is told."""

SHORTEST_S = 0.05
"""Two looks within less time say nothing of shares: the system counts CPU time in hundredths of a second."""


def disturbances(before: Environment, after: Environment, *, threads: int = 0) -> tuple[str, ...]:
    """Sentences on what makes figures doubtful that were measured between two looks; none where nothing is known against them.

    ``threads`` is how many ran the network, 0 for torch's own number.
    """
    return (
        *_changed(before, after),
        *_of_settings(after, threads or after.software.threads),
        *_of_processors(before.moment, after.moment),
        *_of_gpu(before, after),
    )


def _changed(before: Environment, after: Environment) -> Iterator[str]:
    if before.digest != after.digest:
        yield "the environment itself changed meanwhile (threads, settings, limits or packages)"


def _of_settings(now: Environment, threads: int) -> Iterator[str]:
    host, on_gpu = now.host, now.device.kind == "cuda"
    allowed = min(host.cpus, host.quota or host.cpus)
    if not on_gpu and threads > allowed:
        yield f"{threads} threads share {allowed:g} CPUs: they wait for each other"
    if not on_gpu and host.governor == "powersave" and now.moment.on_battery is not False:
        yield "the CPU's governor is powersave, which may hold its clocks down"
    if now.moment.on_battery:
        yield "the machine runs on battery, which may hold its clocks down"
    if now.software.variables.get("CUDA_LAUNCH_BLOCKING", "0") != "0":
        yield "CUDA_LAUNCH_BLOCKING is set: the host waits for every kernel"


def _of_processors(before: Moment, after: Moment) -> Iterator[str]:
    elapsed = after.elapsed_s - before.elapsed_s
    if elapsed < SHORTEST_S:
        return
    cpus = after.cpus * elapsed
    others = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    if others > BUSY_SHARE * cpus:
        yield f"other processes kept {others / elapsed:.1f} of {after.cpus} CPUs busy"
    stolen = after.stolen_s - before.stolen_s
    if stolen > STOLEN_SHARE * cpus:
        yield f"the hypervisor gave {100 * stolen / cpus:.0f} % of the CPU time to other machines"
    if before.held_back_s is not None and after.held_back_s is not None:
        held = after.held_back_s - before.held_back_s
        if held > HELD_BACK_SHARE * elapsed:
            yield f"a quota of CPU time held this process back for {held:.1f} of {elapsed:.1f} s"
    if before.heat_events is not None and after.heat_events is not None and after.heat_events > before.heat_events:
        yield f"the CPU was too hot: it slowed its cores down {after.heat_events - before.heat_events} times"
    yield from _clock("CPU's", before.cpu_clock_mhz, after.cpu_clock_mhz)


def _of_gpu(before: Environment, after: Environment) -> Iterator[str]:
    first, last = before.moment.gpu, after.moment.gpu
    if first is None or last is None:
        if after.device.kind == "cuda":
            yield "NVML is missing: whether the GPU was shared, hot or held back is not known"
        return
    most = max(first.other_processes or 0, last.other_processes or 0)
    if most:
        held = max(first.other_bytes or 0, last.other_bytes or 0)
        memory = f", with {units.size(held)} of its memory" if held else ""
        yield f"{most} other process{'es' * (most > 1)} used the GPU{memory}"
    yield from _limits(first, last, after.moment.elapsed_s - before.moment.elapsed_s)
    yield from _clock("GPU's", first.clock_mhz, last.clock_mhz)
    yield from _clock("GPU memory's", first.memory_clock_mhz, last.memory_clock_mhz)


def _limits(first: Gpu, last: Gpu, elapsed: float) -> Iterator[str]:
    told = {
        "the power limit": (first.power_limited_s, last.power_limited_s),
        "heat": (first.heat_limited_s, last.heat_limited_s),
    }
    counted = {cause: end - start for cause, (start, end) in told.items() if start is not None and end is not None}
    for cause, held in counted.items():
        if held > HELD_BACK_SHARE * elapsed:
            yield f"{cause} held the GPU back for {held:.1f} of {elapsed:.1f} s"
    if not counted and last.slowed_by:
        at = "" if last.temperature_c is None else f" at {last.temperature_c} °C"
        yield f"the GPU was held back by {' and '.join(last.slowed_by)}{at}"


def _clock(whose: str, before: float | None, after: float | None) -> Iterator[str]:
    if before and after and after < LOWER_CLOCK * before:
        yield f"the {whose} clock fell from {before:.0f} to {after:.0f} MHz"
