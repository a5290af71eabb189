"""Memory: what a network holds from step to step, and the most that a step takes on top, as torch's allocator hands it out."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.profiler import ProfilerActivity, profile, record_function

from convlab.measurement.running.workloads import Workload
from convlab.measurement.unmeasured import Unmeasured

MEASURED_STEP = "convlab: the measured step"

QUIET = "99"
"""The level at which torch's profiler writes nothing to the terminal of its own accord."""


@final
@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a workload on its device, in bytes.

    ``held`` stays from step to step: weights and buffers, the optimizer's state, the batch; ``weights`` and ``images`` are among it.
    ``step`` is the most that a step takes on top: feature maps, gradients, and what kernels work in. ``reserved`` is what the process has
    taken from the GPU at most, for this and all other networks; None on the CPU.
    """

    weights: int
    images: int
    held: int
    step: int
    reserved: int | None = None

    @property
    def peak(self) -> int:
        """The most that is held at once."""
        return self.held + self.step

    @property
    def maps(self) -> int:
        """The step's part with the images, which is what ``Profile.peak_bytes`` predicts for eager inference."""
        return self.step + self.images


def peak_memory(workload: Workload) -> Memory | Unmeasured:
    """Measure the memory of one step after another one, by counting: no sampling, so that it is the same each time.

    On the CPU and on NVIDIA GPUs, eager and compiled. Takes two steps.
    """
    conditions = workload.conditions
    device = torch.device(conditions.device)
    if conditions.cuda_graphs:
        return Unmeasured("a CUDA graph holds its memory from its recording on: a step takes none")
    if device.type not in ("cpu", "cuda"):
        return Unmeasured(f"torch keeps no record of the most memory used on {device.type}")
    workload.run()
    kept = tuple(workload.held())
    weights = _bytes([*workload.model.parameters(), *workload.model.buffers()])
    images, held = workload.images.nbytes, _bytes(kept)
    if device.type == "cpu":
        return Memory(weights, images, held, _most_on_cpu(workload.run))
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    workload.run()
    most = torch.cuda.max_memory_allocated(device) - before
    return Memory(weights, images, held, most, torch.cuda.max_memory_reserved(device))


def saved_bytes(model: nn.Module, images: Tensor) -> int:
    """What autograd keeps of a forward pass for the backward pass: unique storages, parameters and buffers left out.

    ``Profile.saved_bytes`` predicts it for eager float32 on the CPU.
    """
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    kept: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept.append(tensor)  # alive until the end, so that no storage's address is used again
        return tensor

    with torch.enable_grad(), saved_tensors_hooks(pack, lambda tensor: tensor):
        model(images)
    return _bytes(kept)


def _bytes(tensors: Iterable[Tensor]) -> int:
    """The bytes of the storages that tensors lie in, each once."""
    storages = {storage.data_ptr(): storage.nbytes() for storage in (tensor.untyped_storage() for tensor in tensors)}
    return sum(storages.values())


def _most_on_cpu(run: Callable[[], object]) -> int:
    """The most that the CPU's allocator hands out in a step beyond what was there at its start.

    A step before, seen by the profiler too, makes what this one frees known to it. The caller holds what was there before.
    """
    gc.collect()  # torch warns of memory that is given back and that the profiler has not seen handed out
    os.environ.setdefault("KINETO_LOG_LEVEL", QUIET)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as seen:
        run()
        with record_function(MEASURED_STEP):
            run()
    events = seen.profiler.kineto_results.events()
    start = next(event.start_ns() for event in events if event.name() == MEASURED_STEP)
    changes = [(event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"]
    now = most = 0
    for time, change in sorted(changes, key=lambda pair: pair[0]):
        if time >= start:
            now += change
            most = max(most, now)
    return most
