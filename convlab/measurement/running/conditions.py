"""Conditions: how a network is run while it is measured. Two rows may be compared where their conditions are equal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import torch

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.models.builder import available

TASKS = ("inference", "training")
DTYPES = ("float32", "tf32", "bfloat16", "float16")
MODES = ("eager", "compiled", "max-autotune")


@final
@dataclass(frozen=True)
class Conditions:
    """How a network is run.

    ``dtype`` is that of weights and feature maps at inference; in training it is that of autocast, the weights stay float32, and float16
    scales the loss. "float32" is exact arithmetic; "tf32" lets a GPU round inputs of multiplications to 10 bits. ``threads`` 0 is torch's
    own number.
    """

    task: str = "inference"
    device: str = "cpu"
    dtype: str = "float32"
    channels_last: bool = True
    mode: str = "eager"
    cuda_graphs: bool = False
    batch: int = 1
    threads: int = 0

    @property
    def layout(self) -> str:
        """The layout of feature maps in memory, as torch calls it."""
        return "channels_last" if self.channels_last else "contiguous"

    @property
    def memory_format(self) -> torch.memory_format:
        """The layout as torch takes it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype as torch takes it; that of tf32 is float32."""
        return torch.float32 if self.dtype == "tf32" else getattr(torch, self.dtype)


def checked(conditions: Conditions) -> Conditions:
    """The conditions with the device by its full name and the number of threads. Raises ConvlabError for what cannot be run."""
    problems = list(_problems(conditions))
    if problems:
        raise ConvlabError(*problems, exit_code=2)
    device = available(conditions.device)
    if device.type == "meta":
        raise ConvlabError(
            Problem("usage", "the meta device computes nothing: there is nothing to measure"), exit_code=2
        )
    name = f"cuda:{device.index or 0}" if device.type == "cuda" else device.type
    found = replace(conditions, device=name, threads=conditions.threads or torch.get_num_threads())
    if unable := _unable(found, device.type):
        raise ConvlabError(unable, exit_code=2)
    return found


def _problems(conditions: Conditions) -> list[Problem]:
    found = []
    for name, choices in (("task", TASKS), ("dtype", DTYPES), ("mode", MODES)):
        value = getattr(conditions, name)
        if value not in choices:
            help = f"choose from: {', '.join(choices)}"
            label = did_you_mean(str(value), choices)
            found.append(Problem("usage", f"{name} cannot be {quote(value)}", label=label, help=help, path=name))
    for name, least in (("batch", 1), ("threads", 0)):
        value = getattr(conditions, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            message = f"{name} must be an integer of at least {least}, not {quote(value)}"
            found.append(Problem("usage", message, path=name))
    return found


def _unable(conditions: Conditions, kind: str) -> Problem | None:
    """What this kind of device cannot do."""
    if conditions.dtype == "tf32" and kind != "cuda":
        return Problem("usage", "tf32 is a format of NVIDIA GPUs", help="--dtype float32 or bfloat16", path="dtype")
    if conditions.cuda_graphs and kind != "cuda":
        return Problem("usage", "CUDA graphs need an NVIDIA GPU", help="leave --cuda-graphs out", path="cuda_graphs")
    if conditions.cuda_graphs and conditions.task == "training" and conditions.dtype == "float16":
        message = "a training step in float16 decides on the host whether it counts: no CUDA graph can hold it"
        return Problem("usage", message, help="--dtype bfloat16, or leave --cuda-graphs out", path="cuda_graphs")
    return None
