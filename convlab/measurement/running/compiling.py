"""Compiling: a network as torch.compile makes it, and nothing that falls back to eager in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import nn

from convlab.measurement.running.conditions import Conditions

INDUCTOR_MODES = {"compiled": "default", "max-autotune": "max-autotune-no-cudagraphs"}
"""What torch.compile calls our modes. CUDA graphs are ours, so that eager and compiled networks are captured alike."""

MOST_NETWORKS = 1000
"""So many networks may be compiled in one process: they share one ``forward``, of which torch by itself compiles eight forms."""


def compiled(model: nn.Module, conditions: Conditions) -> Callable[..., Any]:
    """The network itself in eager mode, otherwise its compiled form, for one fixed shape; it is compiled when it is first called."""
    if conditions.mode == "eager":
        return model
    return torch.compile(model, mode=INDUCTOR_MODES[conditions.mode], dynamic=False)


@final
@dataclass
class Compilation:
    """What torch counted while it compiled: graphs, the breaks between them, and which of them came from a cache."""

    graphs: int = 0
    breaks: int = 0
    cached: int = 0
    """Graphs that the compile cache of an earlier run had, or of a network before."""
    made: int = 0
    """Graphs that inductor made anew."""

    @property
    def cache(self) -> str:
        """Whether all of it was made anew ("cold"), nothing ("warm"; the process may have had the very graph), or some."""
        if not self.made:
            return "warm"
        return "partly warm" if self.cached else "cold"


@contextmanager
def compiling() -> Iterator[Compilation]:
    """Let many networks be compiled; where torch gives up it says so, instead of running the network eagerly.

    What is yielded is filled in at the end.
    """
    found = Compilation()
    before = _counted()
    with torch._dynamo.config.patch(
        recompile_limit=MOST_NETWORKS, accumulated_recompile_limit=MOST_NETWORKS, fail_on_recompile_limit_hit=True
    ):
        yield found
    found.graphs, found.breaks, found.cached, found.made = (
        now - then for now, then in zip(_counted(), before, strict=True)
    )


def _counted() -> tuple[int, int, int, int]:
    """Torch's counters, which grow for as long as the process lasts."""
    counters = torch._dynamo.utils.counters
    return (
        counters["stats"]["unique_graphs"],
        sum(counters["graph_break"].values()),
        counters["inductor"]["fxgraph_cache_hit"],
        counters["inductor"]["fxgraph_cache_miss"] + counters["inductor"]["fxgraph_cache_bypass"],
    )
