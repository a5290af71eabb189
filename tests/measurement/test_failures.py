"""Which errors say that memory was wanting, whoever says it."""

import pytest
import torch

from convlab.measurement.running.failures import failure_of, out_of_memory


@pytest.mark.parametrize(
    ("error", "wanting"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:116] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("could not create a primitive"), True),
        (RuntimeError("could not create a primitive descriptor for a convolution forward propagation"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_who_wants_memory_is_known(error, wanting):
    assert out_of_memory(error) is wanting
    assert (failure_of(error) == "out of memory") is wanting
