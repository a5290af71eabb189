"""The ceilings of a device: multiply-adds a second of a large matrix product, bytes a second of a large copy; and the optimizer's price."""

from __future__ import annotations

import statistics

import torch
from torch import Tensor

from convlab.measurement.running.clocks import Clock
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.precision import arithmetic
from convlab.prediction.fitting import fitted

SAMPLES = 5
SIDES = {"cpu": 1024, "cuda": 8192, "mps": 4096}
COPIED = {"cpu": 2**24, "cuda": 2**28, "mps": 2**26}
"""Elements of a copy, more than caches hold."""

OPTIMIZED = ((1, 4096), (16, 4096), (64, 4096), (8, 2**17), (64, 2**15), (4, 2**20), (32, 2**18), (128, 2**14))
"""How many tensors of how many parameters."""


def ceilings(conditions: Conditions, clock: Clock) -> dict[str, float]:
    """``macs_per_s`` and ``bytes_per_s``, each the best of a few."""
    kind = torch.device(conditions.device).type
    side, elements, dtype = SIDES[kind], COPIED[kind], conditions.torch_dtype
    one, other = (torch.randn(side, side).to(conditions.device, dtype) for _ in range(2))
    product = torch.empty_like(one)
    source = torch.ones(elements, device=conditions.device, dtype=dtype)
    target = torch.empty_like(source)

    def multiply() -> Tensor:
        return torch.mm(one, other, out=product)

    def copy() -> Tensor:
        return target.copy_(source)

    with arithmetic(conditions), torch.inference_mode():
        multiplied = min(_samples(multiply, clock))
        copied = min(_samples(copy, clock))
    return {"macs_per_s": side**3 / multiplied, "bytes_per_s": 2 * elements * dtype.itemsize / copied}


def optimizer(conditions: Conditions, clock: Clock) -> tuple[float, float, float]:
    """Seconds of a step of AdamW: once, for each tensor, for each parameter."""
    rows, seconds = [], []
    with arithmetic(conditions):
        for tensors, size in OPTIMIZED:
            weights = [torch.nn.Parameter(torch.ones(size, device=conditions.device)) for _ in range(tensors)]
            update = torch.optim.AdamW(weights, lr=1e-4, fused=True)
            for weight in weights:
                weight.grad = torch.ones_like(weight)
            seconds.append(statistics.median(_samples(update.step, clock)))
            rows.append((1.0, float(tensors), float(tensors * size)))
    once, tensor, parameter = fitted(rows, seconds)
    return once, tensor, parameter


def _samples(work: object, clock: Clock) -> list[float]:
    assert callable(work)
    work()
    for _ in range(SAMPLES):
        clock.mark()
        work()
        clock.mark()
    return list(clock.read()[::2])
