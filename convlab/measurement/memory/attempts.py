"""Attempts: a network made ready under conditions, or why it cannot be, found out before the machine is brought to its knees."""

from __future__ import annotations

import torch

from convlab import units
from convlab.costs import profile
from convlab.errors import ConvlabError
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.failures import OUT_OF_MEMORY, failure_of, release
from convlab.measurement.running.subjects import Subject
from convlab.measurement.running.workloads import Workload, workload
from convlab.models.memory import free_bytes

COPIES_IN_TRAINING = 4
"""Weights, gradients and AdamW's two moments, all of them float32."""


def attempt(subject: Subject, conditions: Conditions) -> Workload | str:
    """The subject ready to run, or why it is not, in a line. Raises ConvlabError for what is wrong with the design itself."""
    if too_big := _too_big(subject, conditions):
        return too_big
    try:
        return workload(subject, conditions)
    except ConvlabError as error:
        if error.problems[0].code != "too-big":
            raise
        return f"{OUT_OF_MEMORY}: {error.problems[0].message}"
    except (RuntimeError, ValueError, MemoryError) as error:  # most devices' lack of memory is a RuntimeError
        return failure_of(error)
    except Exception as error:
        if subject.design is not None:
            raise
        return failure_of(error)  # what others' networks raise is theirs to choose
    finally:
        release(conditions.device)


def _too_big(subject: Subject, conditions: Conditions) -> str:
    """Why a design surely does not fit; empty where it may. On the CPU, Linux would rather end the process than say no."""
    device = torch.device(conditions.device)
    free = free_bytes(device)
    if subject.design is None or free is None:
        return ""
    found = profile(subject.design, folded=subject.folded)
    element = conditions.torch_dtype.itemsize
    if conditions.task == "training":
        # Autocast keeps some maps in 4 bytes: half of all is what it cannot do without.
        needed = COPIES_IN_TRAINING * found.params * 4 + found.saved_bytes(conditions.batch) * element // 4
    else:
        needed = found.params * element + found.peak_bytes(conditions.batch, element_bytes=element)
    if needed <= free:
        return ""
    return f"{OUT_OF_MEMORY}: it needs {units.size(needed)} at least, {conditions.device} has {units.size(free)} free"
