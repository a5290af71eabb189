"""What a training changes from step to step, and how it becomes a checkpoint and again the same, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import torch
from safetensors.torch import save
from torch import Tensor, nn

from convlab.models.containers import ConvNet
from convlab.training.keeping.checkpoints import Checkpoint
from convlab.training.keeping.trained import Point
from convlab.training.optimization.averaging import ExponentialAverage
from convlab.weights.packing import packed
from convlab.weights.provenance import provenance


@final
@dataclass(eq=False)
class State:
    """All that a step changes. Whatever is random is a function of (seed, step), so that no generator's state belongs to it."""

    model: ConvNet
    network: nn.Module
    """The model as steps call it: compiled, or wrapped for several processes."""
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    average: ExponentialAverage | None
    step: int = 0
    """Steps that were taken."""
    curve: list[Point] = field(default_factory=list)
    loss_sum: float = 0.0
    loss_count: int = 0
    """Of the steps since the last point of the curve."""
    seconds: float = 0.0
    training_seconds: float = 0.0
    samples_timed: int = 0
    """The images of ``training_seconds``."""
    stepping_seconds: float = 0.0
    """In steps, with the first of a process, which is not timed."""
    evaluating_seconds: float = 0.0
    cue_accuracy: dict[str, float] = field(default_factory=dict)
    """Of the last look at the validation split."""
    notes: tuple[str, ...] = ()
    last_loss: float = math.nan
    whole: bool = True
    """Whether no step is half taken: only then is there anything to save."""

    @property
    def judged(self) -> nn.Module:
        """The network that is evaluated: the average of the weights, where there is one."""
        return self.model if self.average is None else self.average.model

    @property
    def images_per_second(self) -> float:
        """The rate of training alone; NaN where nothing was timed."""
        return self.samples_timed / self.training_seconds if self.training_seconds else math.nan

    def files(self) -> dict[str, bytes]:
        """The tensors, as the files of a checkpoint."""
        about = provenance(self.model.design)
        found = {"model.safetensors": packed(self.model.state_dict(), about)}
        if self.average is not None:
            found["average.safetensors"] = packed(self.average.state(), about)
        tensors = {name: value.contiguous() for name, value in self._moments() if isinstance(value, Tensor)}
        return {**found, "optimizer.safetensors": save(tensors)}

    def figures(self) -> dict[str, Any]:
        """What is no tensor, as JSON holds it."""
        return {
            "optimizer": {name: value for name, value in self._moments() if not isinstance(value, Tensor)},
            "scaler": self.scaler.state_dict(),
            "curve": [[getattr(point, name) for name in Point.__slots__] for point in self.curve],
            "loss_sum": self.loss_sum,
            "loss_count": self.loss_count,
            "seconds": self.seconds,
            "training_seconds": self.training_seconds,
            "samples_timed": self.samples_timed,
            "stepping_seconds": self.stepping_seconds,
            "evaluating_seconds": self.evaluating_seconds,
            "cue_accuracy": self.cue_accuracy,
            "notes": list(self.notes),
        }

    def take(self, checkpoint: Checkpoint) -> None:
        """Become what the checkpoint holds. It has to be of the same design and recipe."""
        figures = checkpoint.state
        self.model.load_state_dict(checkpoint.tensors["model"])
        if self.average is not None:
            self.average.load(checkpoint.tensors["average"])
        self._take_moments({**checkpoint.tensors["optimizer"], **figures["optimizer"]})
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(figures["scaler"])
        self.step = checkpoint.step
        self.curve = [Point(*values) for values in figures["curve"]]
        self.loss_sum, self.loss_count = figures["loss_sum"], figures["loss_count"]
        self.seconds, self.notes = figures["seconds"], tuple(figures["notes"])
        self.cue_accuracy = figures["cue_accuracy"]
        self.training_seconds, self.samples_timed = figures["training_seconds"], figures["samples_timed"]
        self.stepping_seconds = figures.get("stepping_seconds", self.training_seconds)
        self.evaluating_seconds = figures.get("evaluating_seconds", 0.0)

    def first_not_finite(self) -> str:
        """The name of the first weight that is not finite; empty where all are."""
        named = [(name, tensor) for name, tensor in self.model.state_dict().items() if tensor.is_floating_point()]
        finite = torch.stack([tensor.isfinite().all() for _, tensor in named]).tolist()
        return next((name for (name, _), good in zip(named, finite, strict=True) if not good), "")

    def _moments(self) -> Iterator[tuple[str, Any]]:
        """What the optimizer keeps of each parameter, as "<name of the parameter>|<what>"."""
        state = self.optimizer.state_dict()["state"]
        for number, name in enumerate(self._names()):
            for what, value in state.get(number, {}).items():
                yield f"{name}|{what}", value

    def _take_moments(self, moments: Mapping[str, Any]) -> None:
        state: dict[int, dict[str, Any]] = {}
        numbers = {name: number for number, name in enumerate(self._names())}
        parameters = dict(self.model.named_parameters())
        for key, value in moments.items():
            name, _, what = key.partition("|")
            state.setdefault(numbers[name], {})[what] = _laid_out(value, parameters[name])
        self.optimizer.load_state_dict({"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]})

    def _names(self) -> list[str]:
        return [name for group in self.optimizer.param_groups for name in group["names"]]


def _laid_out(value: Any, parameter: Tensor) -> Any:
    """A moment in its parameter's layout: files hold rows, and fused kernels go through weight and moments in one order of memory."""
    if isinstance(value, Tensor) and value.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)
    return value
