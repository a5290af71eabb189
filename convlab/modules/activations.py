"""Activation functions: one that keeps to the order of memory, and those that write over a map which nobody else needs.

A forward hook that keeps the output of the layer before them has to clone it.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch._jit_internal import is_scripting
from torch.fx import Proxy
from torch.nn import functional


def is_traced(x: Tensor) -> bool:
    """Whether a map stands for those of a graph that torch.fx traces: nothing is known of it, and somebody may want to see it."""
    if not is_scripting():
        return isinstance(x, Proxy)
    return False


def is_spare(x: Tensor) -> bool:
    """Whether a map that only the next layer needs may be written over now: no gradients are recorded that could need it."""
    return not torch.is_grad_enabled() and not is_traced(x)


def is_spare_in_training(x: Tensor) -> bool:
    """As ``is_spare``, of a map that autograd does not need: it must be no view, such as hooks of the backward pass make.

    Where a graph is compiled in training, its compiler finds out by itself what may be written over.
    """
    if not torch.is_grad_enabled():
        return not is_traced(x)
    if not is_scripting():
        return not is_traced(x) and not torch.compiler.is_compiling() and not x._is_view()
    return False


@final
class GELU2d(nn.GELU):
    """GELU of a channels-last map (or a vector): oneDNN, twice as fast on CPUs, takes only what lies in memory in the order of its axes."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(x.movedim(1, -1), approximate=self.approximate).movedim(-1, 1)


@final
class InPlaceReLU(nn.ReLU):
    """ReLU, in its input's place at inference; in training too, since its gradient needs its output alone."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x, inplace=is_spare_in_training(x))


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
