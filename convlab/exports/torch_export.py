"""torch.export: the network as a program of torch's operations, which runs without convlab."""

from __future__ import annotations

import io

from convlab.errors import ConvlabError, Problem, quote
from convlab.exports.comparison import compare
from convlab.exports.origin import Origin, Steps, Written
from convlab.exports.targets import Target
from convlab.exports.tracing import trace
from convlab.weights.provenance import provenance

ENDING = ".pt2"


def write(origin: Origin, target: Target) -> Steps:
    """Trace, save, load again and compare. ``torch.export.load(FILE).module()`` runs it."""
    import torch

    _refuse_other_ending(target)
    target.refuse_occupied_file()
    yield "building the model"
    model, random = origin.build()
    yield "tracing the model"
    program = trace(model)
    with target.staged() as draft:
        yield "writing"
        # By way of memory: torch's own writer ends the process where the disk is full.
        content = io.BytesIO()
        torch.export.save(program, content, extra_files=provenance(origin.design))
        draft.write_bytes(content.getbuffer())
        loaded = torch.export.load(draft).module()
        checks = yield from compare(model, loaded, what=f"torch.export {torch.__version__}")
    return Written((target.path,), checks, random)


def _refuse_other_ending(target: Target) -> None:
    """``torch.export.load`` goes by the name."""
    if target.path.suffix != ENDING:
        message = f"torch.export reads files whose names end in {ENDING}, not {quote(target.path.name)}"
        raise ConvlabError(Problem("usage", message, help=f"name it {target.path.stem}{ENDING}"), exit_code=2)
