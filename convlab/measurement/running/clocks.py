"""Clocks: the time between marks on a device, waited for where the device works on its own."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import final

import torch


class Clock(ABC):
    """Marks on the way of a device's work. The device has done all that was asked of it when ``read`` returns."""

    @abstractmethod
    def mark(self) -> None:
        """The work asked for so far ends here."""

    @abstractmethod
    def read(self) -> tuple[float, ...]:
        """Seconds between the marks since the last reading, which are then forgotten."""


@final
class HostClock(Clock):
    """The host's clock; before each mark the device is waited for."""

    def __init__(self, synchronize: Callable[[], None] | None = None, now: Callable[[], float] = time.perf_counter):
        self._synchronize = synchronize
        self._now = now
        self._marks: list[float] = []

    def mark(self) -> None:
        if self._synchronize is not None:
            self._synchronize()
        self._marks.append(self._now())

    def read(self) -> tuple[float, ...]:
        marks, self._marks = self._marks, []
        return tuple(after - before for before, after in pairwise(marks))


@final
class EventClock(Clock):
    """Events in a CUDA stream: the GPU notes the time when it comes to them, and the host waits once, at the end."""

    def __init__(self, device: torch.device):
        self._device = device
        self._events: list[torch.cuda.Event] = []

    def mark(self) -> None:
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self._device))
        self._events.append(event)

    def read(self) -> tuple[float, ...]:
        torch.cuda.synchronize(self._device)
        events, self._events = self._events, []
        return tuple(before.elapsed_time(after) / 1e3 for before, after in pairwise(events))


def clock_of(device: str | torch.device) -> Clock:
    """The clock for a device: events on an NVIDIA GPU, the host's clock elsewhere."""
    place = torch.device(device)
    if place.type == "cuda":
        return EventClock(place)
    if place.type == "mps":
        return HostClock(torch.mps.synchronize)
    return HostClock()


def host_clock(device: str | torch.device) -> HostClock:
    """The host's clock, which waits for the device at every mark: the time that a caller waits for a result."""
    return HostClock(partial(synchronize, device))


def synchronize(device: str | torch.device) -> None:
    """Wait until a device has done all that was asked of it."""
    place = torch.device(device)
    if place.type == "cuda":
        torch.cuda.synchronize(place)
    elif place.type == "mps":
        torch.mps.synchronize()
