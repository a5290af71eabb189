"""Compiling: a network as torch.compile makes it, and nothing that falls back to eager in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from convlab.measurement.conditions import Conditions

INDUCTOR_MODES = {"compiled": "default", "max-autotune": "max-autotune-no-cudagraphs"}
"""What torch.compile calls our modes. CUDA graphs are ours, so that eager and compiled networks are captured alike."""

MOST_NETWORKS = 1000
"""So many networks may be compiled in one process: they share one ``forward``, of which torch by itself compiles eight forms."""


def compiled(model: nn.Module, conditions: Conditions) -> Callable[..., Any]:
    """The network itself in eager mode, otherwise its compiled form, for one fixed shape; it is compiled when it is first called."""
    if conditions.mode == "eager":
        return model
    return torch.compile(model, mode=INDUCTOR_MODES[conditions.mode], dynamic=False)


@contextmanager
def compiling() -> Iterator[None]:
    """Let many networks be compiled; where torch gives up it says so, instead of running the network eagerly."""
    with torch._dynamo.config.patch(
        recompile_limit=MOST_NETWORKS, accumulated_recompile_limit=MOST_NETWORKS, fail_on_recompile_limit_hit=True
    ):
        yield
