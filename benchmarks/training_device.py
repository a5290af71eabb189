"""For which share of the time a GPU computes, from the start and end of every kernel and copy that the profiler saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

Interval = tuple[int, int]


def busy_share(work: Callable[[], object]) -> float:
    """The share of the time from the first kernel's start to the last one's end in which at least one ran."""
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        work()
        torch.cuda.synchronize()
    events = seen.profiler.kineto_results.events()
    spans = [
        (event.start_ns(), event.start_ns() + event.duration_ns())
        for event in events
        if event.device_type() == DeviceType.CUDA
    ]
    return covered(spans)


def covered(spans: Iterable[Interval]) -> float:
    """The share of the stretch from the first start to the last end that intervals cover; they may overlap."""
    ordered = sorted(spans)
    if not ordered:
        return 0.0
    first = reached = ordered[0][0]
    total = 0
    for start, end in ordered:
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total / (reached - first)
