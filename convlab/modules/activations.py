"""Activation functions: one that keeps to the order of memory, and those that write over a map which nobody else needs.

A forward hook that keeps the output of the layer before them has to clone it.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch._jit_internal import is_scripting
from torch.autograd import forward_ad
from torch.fx import Proxy
from torch.nn import functional


def is_traced(x: Tensor) -> bool:
    """Whether a map stands for those of a graph that torch.fx traces: nothing is known of it, and somebody may want to see it."""
    if not is_scripting():
        return isinstance(x, Proxy)
    return False


def is_spare(x: Tensor) -> bool:
    """Whether a map that only the next layer needs may be written over now: no gradients are recorded that could need it.

    A map that requires gradients nevertheless is what a checkpointed segment starts from, and starts from again in the backward pass.
    """
    if torch.is_grad_enabled() or _is_recorded(x):
        return False
    return not x.requires_grad


def is_spare_in_training(x: Tensor) -> bool:
    """As ``is_spare``, of a map that autograd does not need: it must be no view, such as hooks of the backward pass make.

    A leaf that requires gradients, and any map where hooks take what is saved, may be what a checkpointed segment starts from.
    """
    if not torch.is_grad_enabled():
        return is_spare(x)
    if not is_scripting():
        if _is_recorded(x) or x._is_view() or (x.is_leaf and x.requires_grad):
            return False
        return torch._C._autograd._top_saved_tensors_default_hooks(False) is None
    return False


def _is_recorded(x: Tensor) -> bool:
    """Whether somebody writes the operations down to run them elsewhere, or transforms them: nothing is known of who needs a map.

    A compiler finds out by itself what may be written over; derivatives of forward mode do not know whether gradients are recorded.
    """
    if not is_scripting():
        return (
            torch.compiler.is_compiling()
            or is_traced(x)
            or torch._C._get_tracing_state() is not None
            or torch._C._functorch.peek_interpreter_stack() is not None
            or forward_ad._current_level >= 0
        )
    return False


def _is_in_order(x: Tensor) -> bool:
    """Whether a map is known to lie in memory in the order of its axes, and only in that one."""
    return not is_traced(x) and x.is_contiguous() and not x.is_contiguous(memory_format=torch.channels_last)


@final
class GELU2d(nn.GELU):
    """GELU of a channels-last map (or a vector): oneDNN, twice as fast on CPUs, takes only what lies in memory in the order of its axes."""

    def forward(self, x: Tensor) -> Tensor:
        if _is_in_order(x):
            return functional.gelu(x, approximate=self.approximate)
        return functional.gelu(x.movedim(1, -1), approximate=self.approximate).movedim(-1, 1)


@final
class InPlaceReLU(nn.ReLU):
    """ReLU, in its input's place at inference; in training too, since its gradient needs its output alone.

    Not so in training where the layer before needs the input for its gradient (``keeps_input``).
    """

    def __init__(self, keeps_input: bool = False) -> None:
        super().__init__()
        self.keeps_input = keeps_input

    def forward(self, x: Tensor) -> Tensor:
        here = is_spare(x) if self.keeps_input else is_spare_in_training(x)
        return functional.relu(x, inplace=here)


@final
class InPlaceReLU6(nn.ReLU6):
    """ReLU6, in its input's place at inference."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu6(x, inplace=is_spare(x))


@final
class InPlaceSiLU(nn.SiLU):
    """SiLU, in its input's place at inference."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(x, inplace=is_spare(x))


@final
class InPlaceHardswish(nn.Hardswish):
    """Hardswish, in its input's place at inference."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.hardswish(x, inplace=is_spare(x))
