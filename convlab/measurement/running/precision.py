"""Arithmetic: threads, and how exactly a GPU multiplies float32, for as long as a network runs; afterwards as it was before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from convlab.measurement.running.conditions import Conditions


@contextmanager
def arithmetic(conditions: Conditions) -> Iterator[None]:
    """The threads and the precision of conditions. cuDNN looks for its fastest algorithm, as in a long training."""
    threads = torch.get_num_threads()
    if conditions.threads and conditions.threads != threads:
        torch.set_num_threads(conditions.threads)
    try:
        if conditions.device.startswith("cuda"):
            with _multiplying("tf32" if conditions.dtype == "tf32" else "ieee"):
                yield
        else:
            yield
    finally:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


@contextmanager
def _multiplying(precision: str) -> Iterator[None]:
    matmul, convolution = torch.backends.cuda.matmul, torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = matmul.fp32_precision, convolution.fp32_precision, torch.backends.cudnn.benchmark
    matmul.fp32_precision = convolution.fp32_precision = precision
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        matmul.fp32_precision, convolution.fp32_precision, torch.backends.cudnn.benchmark = before
