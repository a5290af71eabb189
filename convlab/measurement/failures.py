"""Failures: why a network does not run under given conditions, in a line, and the memory given back afterwards."""

from __future__ import annotations

import gc

import torch

CPU_ALLOCATOR = ("can't allocate memory", "not enough memory")
"""What the CPU's allocator says: it has no exception of its own."""


def out_of_memory(error: BaseException) -> bool:
    """Whether a device had too little memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in CPU_ALLOCATOR)


def failure_of(error: BaseException) -> str:
    """Why it failed: "out of memory", or the first line of what was said."""
    if out_of_memory(error):
        return "out of memory"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def release(device: str) -> None:
    """Give memory that nothing uses any more back to the device."""
    gc.collect()
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.empty_cache()
    elif kind == "mps":
        torch.mps.empty_cache()
