"""Caution: what may fill the memory of the CPU is counted at small batches before it is tried, since Linux would end the process."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from convlab.measurement.memory.attempts import attempt
from convlab.measurement.memory.peaks import Memory, peak_memory
from convlab.measurement.memory.reckoning import reckoned, too_much
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.subjects import Subject
from convlab.measurement.running.workloads import Workload
from convlab.models.memory import free_bytes

MOST_COPIES = {"inference": 100, "training": 2000}
"""So many times the bytes of its images is what no known network takes."""

COUNTED = (1, 2)


def cautious_attempt(subject: Subject, conditions: Conditions) -> Workload | str:
    """The subject ready to run, or why it is not; a network without a design is counted first where its batch is large."""
    return _too_much(subject, conditions) or attempt(subject, conditions)


def _too_much(subject: Subject, conditions: Conditions) -> str:
    if conditions.device != "cpu" or subject.design is not None or conditions.batch <= COUNTED[-1]:
        return ""
    free = free_bytes(torch.device("cpu"))
    images = conditions.batch * math.prod(subject.image) * conditions.torch_dtype.itemsize
    if free is None or MOST_COPIES[conditions.task] * images < free:
        return ""
    counted: list[tuple[int, int]] = []
    for batch in COUNTED:
        made = attempt(subject, replace(conditions, batch=batch, mode="eager"))
        if isinstance(made, str):
            return made
        try:
            memory = peak_memory(made)
        finally:
            made.close()
        assert isinstance(memory, Memory)
        counted.append((batch, memory.peak))
    return too_much(reckoned(counted, conditions.batch), free)
