"""CUDA graphs: the parts of a step recorded once and replayed, so that the host launches one graph instead of each kernel."""

from __future__ import annotations

from collections.abc import Callable

import torch

WARM_UP_STEPS = 3
"""Steps in a stream of their own before recording, as PyTorch asks for: libraries allocate their workspaces in them."""


def captured(parts: tuple[Callable[[], object], ...], device: str) -> tuple[Callable[[], object], ...]:
    """Parts that replay what ``parts`` do, one graph a part, in one pool of memory. They have to be replayed in their order."""
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP_STEPS):
            for part in parts:
                part()
    torch.cuda.current_stream(device).wait_stream(stream)
    pool = torch.cuda.graph_pool_handle()
    graphs = []
    for part in parts:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, stream=stream):
            part()
        graphs.append(graph)
    return tuple(graph.replay for graph in graphs)
