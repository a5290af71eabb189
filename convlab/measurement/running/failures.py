"""Failures: why a network does not run under given conditions, in a line, and the memory given back afterwards."""

from __future__ import annotations

import gc

import torch

from convlab.models.allocation import give_back

SAID = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED", "bad_alloc")
"""What is said without an exception of its own: by the CPU's allocator, by MPS, by CUDA and its libraries, by C++."""

PRIMITIVE = "could not create a primitive"
"""What oneDNN says without memory for a kernel; of one that it does not have it says "... a primitive descriptor ..."."""

OUT_OF_MEMORY = "out of memory"
"""How a failure for want of memory begins."""


def out_of_memory(error: BaseException) -> bool:
    """Whether a device had too little memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    said = str(error).strip()
    return isinstance(error, RuntimeError) and (said.endswith(PRIMITIVE) or any(words in said for words in SAID))


def failure_of(error: BaseException) -> str:
    """Why it failed: "out of memory", or the first line of what was said."""
    if out_of_memory(error):
        return OUT_OF_MEMORY
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
    else:
        give_back()
