"""Capacity: the largest batch that fits a device, found by trying, and by counting first where trying would bring the machine down."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import final

import torch

from convlab.measurement.memory.attempts import attempt
from convlab.measurement.memory.reckoning import counted, largest_reckoned, reckoned, too_much
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.failures import failure_of, release
from convlab.measurement.running.subjects import Subject
from convlab.models.memory import free_bytes
from convlab.progress import Progress, Work

MOST = 16_384

EXACT = 32
"""The search ends where the batch is known to one part in so many, or to one image."""


@final
@dataclass(frozen=True, slots=True)
class Capacity:
    """The largest batch that was seen to fit (0: none), and the smallest that was seen or reckoned not to, with the reason.

    ``too_large`` is None where everything fits that was looked at.
    """

    batch: int
    too_large: int | None
    why: str = ""
    stopped: bool = False


def capacity(
    subject: Subject, conditions: Conditions, *, fits: int = 0, below: int | None = None, most: int = MOST
) -> Work[Capacity]:
    """Find the largest batch by doubling and bisection, in eager mode; that of ``conditions`` is not looked at.

    A compiled network would have to be compiled for each batch that is tried, for minutes each; as a rule it takes less memory than
    an eager one, which nothing here confirms.

    ``fits`` and ``below`` are what is known already: a batch that fits, and one that does not. A batch fits if two steps of it run.
    Stopped by Ctrl-C it returns what it knows.
    """
    conditions = replace(conditions, mode="eager")
    began = time.monotonic()
    found = Capacity(fits, below)
    tried = 0
    try:
        if conditions.device == "cpu":
            what = f"largest batch of {subject.name}: counting its memory"
            yield Progress(0, None, what, 0.0, subject=subject.name)
            found = _narrowed(found, _bound(subject, conditions, most if below is None else below - 1))
        batch = _next(found, most) if found.too_large is None else found.too_large - 1
        while batch is not None and batch > found.batch:
            what = f"largest batch of {subject.name}: trying {batch}"
            yield Progress(tried, None, what, time.monotonic() - began, subject=subject.name)
            why = _failure(subject, replace(conditions, batch=batch))
            found = replace(found, too_large=batch, why=why) if why else replace(found, batch=batch)
            batch = _next(found, most)
            tried += 1
    except KeyboardInterrupt:
        return replace(found, stopped=True)
    return found


def _narrowed(known: Capacity, bound: Capacity) -> Capacity:
    """What is known, with what was counted."""
    if bound.too_large is None or (known.too_large is not None and known.too_large <= bound.too_large):
        ceiling = known.too_large or bound.batch + 1
        return replace(known, batch=max(known.batch, min(bound.batch, ceiling - 1)))
    return Capacity(max(known.batch, min(bound.batch, bound.too_large - 1)), bound.too_large, bound.why)


def _next(found: Capacity, most: int) -> int | None:
    """The batch to be tried next; None where enough is known."""
    low, high = found.batch, found.too_large
    if high is None:
        return min(2 * low or 1, most) if low < most else None
    if high - low <= max(1, low // EXACT):
        return None
    return min(2 * low or 1, (low + high) // 2) if low < high // 4 else (low + high) // 2


def _failure(subject: Subject, conditions: Conditions) -> str:
    """Why a batch does not run; empty if it does. The optimizer's state is there from the second step on."""
    made = attempt(subject, conditions)
    if isinstance(made, str):
        return made
    try:
        made.run()
        return ""
    except (RuntimeError, MemoryError) as error:
        return failure_of(error)
    finally:
        made.close()
        release(conditions.device)


def _bound(subject: Subject, conditions: Conditions, most: int) -> Capacity:
    """What the CPU's free memory surely holds or does not hold: memory is counted for small batches, and larger ones reckoned from them."""
    free = free_bytes(torch.device("cpu"))
    found = counted(subject, conditions, most=most)
    fits = found.bytes[-1][0] if found.bytes else 0
    if found.failed is not None:
        return Capacity(fits, found.failed, found.why)
    largest = largest_reckoned(found.bytes, free) if len(found.bytes) > 1 and free is not None else most
    if free is None or largest >= most:
        return Capacity(fits, None)
    return Capacity(fits, largest + 1, too_much(reckoned(found.bytes, largest + 1), free))
