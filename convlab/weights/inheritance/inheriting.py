"""Inheriting: the weights of one network into another one of a changed design, as far as layers of the same role go."""

from __future__ import annotations

import os
from collections.abc import Mapping

import torch

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.language.design import Design
from convlab.models import ConvNet
from convlab.weights.given import Weights
from convlab.weights.inheritance.matching import NEW_BLOCKS
from convlab.weights.inheritance.pairing import Pair
from convlab.weights.inheritance.parents import Parent, nothing_in_common, parent_of, refuse_unusable
from convlab.weights.inheritance.report import Inheritance, Unused
from convlab.weights.inheritance.takeover import Taken, taken_over


@torch.no_grad()
def inherit_weights(
    model: ConvNet,
    source: Weights,
    *,
    source_design: Design | str | os.PathLike[str] | None = None,
    new_blocks: str = "identity",
) -> Inheritance:
    """Fill a model with the weights of a network of another design, and say what became of each tensor.

    ``source`` is a file or published name (as for ``load_weights``), tensors by name, or a model; ``source_design`` says which
    design they belong to where the source does not. Layers are matched by their role: stage to stage, block to block, convolution to
    convolution. Kernels grow by zeros and shrink to their middle, widths keep their first channels, blocks are left out evenly.
    ``new_blocks`` says what a new block of a deeper stage becomes: "identity" (a copy of its neighbour, whose branch starts silent, so
    that the network computes what it did), "copy" or "fresh". What cannot be inherited stays as it is in the model, so that
    ``build(design, seed=...)`` decides it.

    Raises ConvlabError where the source cannot be read, does not belong to ``source_design``, or has nothing in common with the model;
    the model is then as it was.
    """
    if new_blocks not in NEW_BLOCKS:
        help = f"{did_you_mean(str(new_blocks), NEW_BLOCKS)} choices: {', '.join(NEW_BLOCKS)}".strip()
        raise ConvlabError(Problem("out-of-range", f"new_blocks cannot be {quote(new_blocks)}", help=help), exit_code=2)
    refuse_unusable(model)
    weights = model.state_dict()
    parent = parent_of(source, source_design)
    pair = Pair.of(parent, model.design, weights)
    taken = taken_over(pair, weights, parent.tensors, new_blocks=new_blocks)
    if not _is_kin(pair, parent, taken):
        raise nothing_in_common(parent, model)
    _refuse_infinite(taken, parent)
    for name, item in taken.items():
        weights[name].copy_(item.tensor)
    used = {name for item in taken.values() for name in item.used}
    unused = (Unused(name, tuple(tensor.shape)) for name, tensor in parent.tensors.items() if name not in used)
    lines = tuple(item.line for item in taken.values())
    return Inheritance(parent.name, model.design.name, lines, tuple(unused))


def _is_kin(pair: Pair, parent: Parent, taken: Mapping[str, Taken]) -> bool:
    """Whether a weight is inherited; one of a block, where only names say what the tensors are: heads are called alike everywhere."""
    kept = (pair.now.sites[name].address for name, item in taken.items() if item.used and item.tensor.ndim > 1)
    return any(parent.design is not None or address.section == "block" for address in kept)


def _refuse_infinite(taken: Mapping[str, Taken], parent: Parent) -> None:
    """Raise ConvlabError where a tensor would hold infinities or NaN."""
    for name, item in taken.items():
        if not bool(torch.isfinite(item.tensor).all()):
            message = f"{name} would hold infinities or NaN"
            label = f"they come from {item.line.source} of {parent.name}" if item.line.source else ""
            help = "the numbers of the source are damaged, or too large for the model's dtype"
            if not item.line.source:
                help = "build the model with initialized=True: what is not inherited stays as it is"
            raise ConvlabError(Problem("not-finite", message, label=label, help=help, path=name))
