"""Arithmetic of a training: number formats, and kernels that give the same numbers again, for as long as it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from convlab.models.allocation import keep_memory
from convlab.training.recipes.recipe import Recipe

CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
"""What cuBLAS is told its workspaces by; without it, its sums may be taken in another order in every call."""


def autocast(recipe: Recipe, device: torch.device) -> torch.autocast:
    """The context of forward passes: weights stay float32, layers compute in the recipe's number format where that is safe."""
    dtype: torch.dtype = getattr(torch, recipe.dtype)
    enabled = dtype != torch.float32
    return torch.autocast(device.type, dtype if enabled else torch.bfloat16, enabled=enabled)


def scaler(recipe: Recipe, device: torch.device) -> torch.amp.GradScaler:
    """What keeps float16's gradients from vanishing; it does nothing with other number formats."""
    return torch.amp.GradScaler(device.type, enabled=recipe.dtype == "float16")


def sow(seed: int, device: torch.device) -> None:
    """Seed what layers on a device draw from: of torch's global generators those alone, which takes a microsecond in place of 300."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[_index(device)].manual_seed(seed)
    elif device.type != "cpu":
        torch.manual_seed(seed)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads of the CPU, and afterwards as many as before; 0 leaves them as they are."""
    before = torch.get_num_threads()
    if count and count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


@contextmanager
def kernels(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Kernels as the recipe asks for them, and afterwards as they were.

    On the CPU torch's kernels give the same numbers for the same number of threads, and memory stays with the process. On a GPU
    ``deterministic`` takes slower ones that do; a layer without any is warned of by torch. Otherwise cuDNN looks for its fastest.
    """
    if device.type == "cpu":
        keep_memory()
    if device.type != "cuda":
        yield
        return
    cudnn = torch.backends.cudnn
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    before_cudnn = cudnn.benchmark, cudnn.deterministic
    filling: Any = torch.utils.deterministic
    fill, workspaces = filling.fill_uninitialized_memory, os.environ.get(CUBLAS)
    if recipe.deterministic:
        os.environ.setdefault(CUBLAS, ":4096:8")
    filling.fill_uninitialized_memory = False  # nothing here reads memory before it was written
    torch.use_deterministic_algorithms(recipe.deterministic, warn_only=True)
    cudnn.benchmark, cudnn.deterministic = not recipe.deterministic, recipe.deterministic
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        cudnn.benchmark, cudnn.deterministic = before_cudnn
        filling.fill_uninitialized_memory = fill
        if workspaces is None:
            os.environ.pop(CUBLAS, None)


def _index(device: torch.device) -> int:
    index: int | None = device.index  # "cuda" alone has none
    return torch.cuda.current_device() if index is None else index
