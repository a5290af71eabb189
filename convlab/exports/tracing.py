"""A model as torch's program of operations, for any batch size, without the places in source files that it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.export import ExportedProgram

    from convlab.models import ConvNet

BATCH = "batch"


def trace(model: ConvNet) -> ExportedProgram:
    """The program of an evaluated model for images of its design's size."""
    import torch
    from torch.export import Dim, export

    images = torch.zeros(2, *model.design.image.shape)  # of two images: torch takes a size of 1 for a constant
    program = export(model, (images,), dynamic_shapes=({0: Dim(BATCH)},))
    program.example_inputs = None
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                node.meta.pop("stack_trace", None)  # paths of this machine, of no use elsewhere
    return program
