"""Muon on dense weights and AdamW on the others: timm's Newton-Schulz iteration, in float32 on a CPU, and torch's fused AdamW."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, final

import torch
from timm.optim.muon import zeropower_via_newtonschulz
from torch import Tensor
from torch.optim.adamw import adamw

ITERATIONS: Final = 5

COEFFICIENTS: Final = [(3.4445, -4.7750, 2.0315)] * ITERATIONS
"""Of the quintic of Jordan (2024), https://kellerjordan.github.io/posts/muon."""

EPSILON: Final = 1e-7


@final
class Muon(torch.optim.Optimizer):
    """Muon (Jordan, 2024) on the groups whose ``kind`` is "muon", convolutions as matrices of their outputs; AdamW on the others.

    It steps as timm's and torch's do, matrices of one shape together. Groups have ``lr``, ``weight_decay`` and ``kind``.
    """

    def __init__(
        self, groups: list[dict[str, Any]], *, momentum: float, beta2: float, epsilon: float, fused: bool | None
    ) -> None:
        super().__init__(groups, {"momentum": momentum, "beta2": beta2, "eps": epsilon, "fused": fused})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Step every parameter that has a gradient; what ``closure`` returns, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if group["kind"] == "muon":
                self._step_matrices(parameters, group)
            elif parameters:
                self._step_others(parameters, group)
        return loss

    def _step_matrices(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        directions = [self._direction(parameter, group["momentum"]) for parameter in parameters]
        for parameter, turned in zip(parameters, _orthogonal(directions), strict=True):
            rows, columns = turned.shape
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(turned.view_as(parameter), alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)

    def _direction(self, parameter: Tensor, momentum: float) -> Tensor:
        """Nesterov's direction, as a matrix of a row an output."""
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        average: Tensor = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        return gradient.lerp(average, momentum).flatten(1)

    def _step_others(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        states = [self._averages(parameter, group["fused"]) for parameter in parameters]
        adamw(
            parameters,
            [parameter.grad for parameter in parameters if parameter.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=group["fused"],
            amsgrad=False,
            beta1=group["momentum"],
            beta2=group["beta2"],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )

    def _averages(self, parameter: Tensor, fused: bool | None) -> dict[str, Tensor]:
        state = self.state[parameter]
        if "step" not in state:
            state["step"] = torch.zeros((), device=parameter.device if fused else "cpu")
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        return dict(state)


def _orthogonal(matrices: list[Tensor]) -> Iterator[Tensor]:
    """Of every matrix the orthogonal one that is nearest to it, roughly: its singular values are between about 0.7 and 1.2."""
    alike: dict[tuple[torch.Size, torch.device], list[int]] = {}
    for index, matrix in enumerate(matrices):
        alike.setdefault((matrix.shape, matrix.device), []).append(index)
    found = list(matrices)
    for (_, device), members in alike.items():
        # Products of small matrices take a CPU four times as long in bfloat16.
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        stack = torch.stack([matrices[index] for index in members])
        turned = zeropower_via_newtonschulz(stack, ITERATIONS, COEFFICIENTS, eps=EPSILON, dtype=dtype)
        for index, one in zip(members, turned.to(stack.dtype).unbind(), strict=True):
            found[index] = one.contiguous()
    return iter(found)
