"""Workloads: a network made ready to run under given conditions, step by step, with a clock between the parts of a step."""

from __future__ import annotations

import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convlab.measurement.running.alike import alike
from convlab.measurement.running.clocks import Clock, clock_of, synchronize
from convlab.measurement.running.compiling import Compilation, compiled, compiling
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.failures import release
from convlab.measurement.running.graphs import captured
from convlab.measurement.running.precision import arithmetic
from convlab.measurement.running.subjects import Subject
from convlab.models.allocation import keep_memory

Part = Callable[[], object]
"""One part of a step: it asks the device for work and does not wait for it."""

SEED = 0
"""What images and labels are drawn from."""

STEPS_AFTER_FIRST = 2
"""Steps to which the first is compared for the time that compiling takes."""


class Workload(ABC):
    """A network that runs step by step. ``parts`` are what a step consists of, in order.

    Networks of all packages are made ``alike``: no dropout, no stochastic depth, weights drawn alike. Images of one shape are the same
    random numbers for every network.
    """

    subject: Subject
    conditions: Conditions
    model: nn.Module
    images: Tensor
    parts: tuple[str, ...]
    compile_s: float
    compilation: Compilation

    def run(self, steps: int = 1, clock: Clock | None = None) -> tuple[float, ...]:
        """Seconds of each part, the mean over so many steps in a row; the device is waited for at the end alone.

        Another ``clock`` than the device's may be given, such as the host's.
        """
        clock = clock or clock_of(self.conditions.device)
        with arithmetic(self.conditions):
            clock.mark()
            for _ in range(steps):
                for part in self._steps:
                    part()
                    clock.mark()
        laps = clock.read()
        count = len(self.parts)
        return tuple(sum(laps[index::count]) / steps for index in range(count))

    def step(self) -> tuple[float, ...]:
        """Seconds of each part of one step."""
        return self.run()

    def close(self) -> None:
        """Let go of the network and of the memory that it holds on the device."""
        device = self.conditions.device
        self.__dict__.clear()
        release(device)

    @abstractmethod
    def held(self) -> Iterator[Tensor]:
        """The tensors that stay from step to step: weights, buffers, the batch, the optimizer's state; some share a storage."""

    @property
    @abstractmethod
    def _steps(self) -> tuple[Part, ...]:
        """A function a part."""

    def _started(self) -> float:
        """Seconds by which the first step outlasts those after it, where something is compiled in it."""
        synchronize(self.conditions.device)
        began = time.perf_counter()
        with compiling() as self.compilation:
            self.run()
        first = time.perf_counter() - began
        if self.conditions.mode == "eager":
            return 0.0
        return max(0.0, first - statistics.median(sum(self.run()) for _ in range(STEPS_AFTER_FIRST)))


@final
class Inference(Workload):
    """A forward pass on one batch of random images, in evaluation mode."""

    parts = ("forward",)

    def __init__(self, subject: Subject, conditions: Conditions):
        self.subject, self.conditions = subject, conditions
        self.model = _placed(alike(subject.build()).eval(), conditions, conditions.torch_dtype)
        self.images = _images(subject, conditions, conditions.torch_dtype)
        self._network = compiled(self.model, conditions)
        self._forward: Part = torch.inference_mode()(self._predict)
        self.compile_s = self._started()
        if conditions.cuda_graphs:
            (self._forward,) = captured((self._forward,), conditions.device)

    def _predict(self) -> None:
        self.output: Tensor = self._network(self.images)

    def held(self) -> Iterator[Tensor]:
        yield from (*self.model.parameters(), *self.model.buffers(), self.images, self.output)

    @property
    def _steps(self) -> tuple[Part, ...]:
        return (self._forward,)


@final
class Training(Workload):
    """A training step on one batch of random images and labels: forward with the loss, backward, AdamW.

    Dropout and stochastic depth are off: the packages have different rates by default, and unlike work would be compared.
    """

    parts = ("forward", "backward", "optimizer")

    def __init__(self, subject: Subject, conditions: Conditions):
        self.subject, self.conditions = subject, conditions
        place = torch.device(conditions.device)
        self.model = _placed(alike(subject.build()).train(), conditions, torch.float32)
        self.images = _images(subject, conditions, torch.float32)
        self._labels: Tensor | None = None
        self._network = compiled(self.model, conditions)
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=1e-4, fused=True, capturable=conditions.cuda_graphs
        )
        self._scaler = torch.amp.GradScaler(place.type, enabled=conditions.dtype == "float16")
        self._autocast = torch.autocast(
            place.type, conditions.torch_dtype, enabled=conditions.dtype in ("bfloat16", "float16"), cache_enabled=False
        )
        self._parts: tuple[Part, ...] = (self._forward, self._backward, self._update)
        self.compile_s = self._started()
        if conditions.cuda_graphs:
            self._parts = captured(self._parts, conditions.device)

    def _forward(self) -> None:
        with self._autocast:
            scores = self._network(self.images)
        if self._labels is None:
            numbers = torch.Generator(scores.device).manual_seed(SEED)
            self._labels = torch.randint(scores.shape[1], scores.shape[:1], device=scores.device, generator=numbers)
        self.loss = F.cross_entropy(scores.float(), self._labels)

    def _backward(self) -> None:
        self._scaler.scale(self.loss).backward()  # type: ignore[no-untyped-call]

    def _update(self) -> None:
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)
        del self.loss

    def held(self) -> Iterator[Tensor]:
        assert self._labels is not None
        yield from (*self.model.parameters(), *self.model.buffers(), self.images, self._labels)
        for state in self._optimizer.state.values():
            yield from (value for value in state.values() if isinstance(value, Tensor))

    @property
    def _steps(self) -> tuple[Part, ...]:
        return self._parts


def workload(subject: Subject, conditions: Conditions) -> Workload:
    """The subject ready to run under conditions that were ``checked``; it has run a few steps. Raises what the network raises.

    On the CPU the process keeps its memory from then on (``models.allocation``): what the system makes of fresh pages is no network's.
    """
    if conditions.device == "cpu":
        keep_memory()
    with arithmetic(conditions):
        return Inference(subject, conditions) if conditions.task == "inference" else Training(subject, conditions)


def _placed(model: nn.Module, conditions: Conditions, dtype: torch.dtype) -> nn.Module:
    return model.to(conditions.device, dtype).to(memory_format=conditions.memory_format)


def _images(subject: Subject, conditions: Conditions, dtype: torch.dtype) -> Tensor:
    numbers = torch.Generator(conditions.device).manual_seed(SEED)
    shape = (conditions.batch, *subject.image)
    images = torch.randn(shape, device=conditions.device, dtype=dtype, generator=numbers)
    return images.to(memory_format=conditions.memory_format)
