"""torch.export: the network as a program of torch's operations, which runs without convlab."""

from __future__ import annotations

import io

from convlab.exports.comparison import compare
from convlab.exports.origin import Origin, Steps, Written
from convlab.exports.targets import Target
from convlab.exports.tracing import trace
from convlab.weights.provenance import provenance


def write(origin: Origin, target: Target) -> Steps:
    """Trace, save, load again and compare. ``torch.export.load(FILE).module()`` runs it."""
    import torch

    target.refuse_occupied_file()
    yield "building the model"
    model, random = origin.build()
    yield "tracing the model"
    program = trace(model)
    with target.staged() as draft:
        yield "writing"
        # By way of memory: torch's own writer ends the process where the disk is full.
        content = io.BytesIO()
        torch.export.save(program, content, extra_files=provenance(origin.design, folded=origin.folded))
        draft.write_bytes(content.getbuffer())
        loaded = torch.export.load(draft).module()
        checks = yield from compare(model, loaded, what=f"torch.export {torch.__version__}")
    return Written((target.path,), checks, random)
