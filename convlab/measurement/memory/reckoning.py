"""Reckoning: what a large batch would take of the CPU's memory, by what small ones take. Linux ends a process that takes all there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from convlab import units
from convlab.measurement.memory.attempts import attempt
from convlab.measurement.memory.peaks import Memory, peak_memory
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.failures import failure_of, release
from convlab.measurement.running.subjects import Subject
from convlab.models.memory import free_bytes

COUNTED_BATCHES = (1, 2, 4, 8)
"""Memory is counted at these batches; a larger one takes as much more an image as the last two say."""

RESERVE = 0.75
"""The share of the free memory that is used at most: kernels take workspaces that no allocator counts, and others grow meanwhile."""


class Counted(NamedTuple):
    """Bytes by batch, as far as small batches run; ``why`` says what stopped it at the batch ``failed``."""

    bytes: tuple[tuple[int, int], ...]
    failed: int | None = None
    why: str = ""


def counted(subject: Subject, conditions: Conditions, *, most: int) -> Counted:
    """The most memory that small batches hold, up to ``most`` images, as long as the CPU's memory surely suffices."""
    found: list[tuple[int, int]] = []
    for batch in (size for size in COUNTED_BATCHES if size <= most):
        free = free_bytes(torch.device("cpu"))
        if len(found) > 1 and free is not None and too_much(reckoned(found, batch), free):
            break
        made = attempt(subject, replace(conditions, batch=batch))
        if isinstance(made, str):
            return Counted(tuple(found), batch, made)
        try:
            memory = peak_memory(made)
        except (RuntimeError, MemoryError) as error:
            return Counted(tuple(found), batch, failure_of(error))
        finally:
            made.close()
            release(conditions.device)
        assert isinstance(memory, Memory)
        found.append((batch, memory.peak))
    return Counted(tuple(found))


def reckoned(known: Sequence[tuple[int, int]], batch: int) -> int:
    """Bytes of a larger batch: those of the last one counted, and as many more an image as between the last two."""
    (before, fewer), (last, more) = known[-2:]
    return more + max(0, more - fewer) * (batch - last) // (last - before)


def largest_reckoned(known: Sequence[tuple[int, int]], free: int) -> int:
    """The largest batch for which so many free bytes suffice."""
    (before, fewer), (last, more) = known[-2:]
    slope = max(1, (more - fewer) // (last - before))
    return max(0, last + (int(RESERVE * free) - more) // slope)


def too_much(needed: int, free: int) -> str:
    """Why so many bytes are not tried; empty where they are no more than what may be used."""
    if needed <= RESERVE * free:
        return ""
    used = f"of {units.size(free)} free no more than {RESERVE:.0%} are used"
    return f"out of memory: it would need {units.size(needed)}, and {used}"
