"""Folding a built model: the same function at inference with norms, layer scales and parallel branches inside its convolutions."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import lower
from convlab.language.folding import folded_network
from convlab.layers import walk
from convlab.models.builder import assembled, build
from convlab.models.containers import ConvNet
from convlab.models.merging import merged


def fold(model: nn.Module) -> ConvNet:
    """A new model that gives what a built one gives in evaluation mode, with fewer layers; the model itself stays as it is.

    Batch norms (by their running statistics, also where the model is in training mode) and layer scales go into the convolutions beside
    them, parallel linear branches become one convolution. The new model is in evaluation mode, on the same device, in the same dtype;
    its weights are computed in float64, and all of them require gradients. Hooks do not come along. Raises ConvlabError for what is no
    model of ``build``, for a folded one, and where the weights are not those that its design has, because layers were replaced.
    """
    if not isinstance(model, ConvNet):
        help = "convlab.build gives the model of a design"
        message = f"a built model is due, not {quote(type(model).__name__)}"
        raise ConvlabError(Problem("usage", message, help=help), exit_code=2)
    if model.folded:
        help = "fold a model once; convlab.build gives it as it trains"
        raise ConvlabError(Problem("usage", "the model is folded already", help=help), exit_code=2)
    design, weights = model.design, model.state_dict()
    _refuse_others(weights, build(design, device="meta", initialized=False).state_dict())
    network, sources = folded_network(lower(design), design.image.shape)
    some = next(model.parameters(), torch.zeros(()))
    made: dict[str, Tensor] = {}
    for row in walk(network.tree, design.image.shape):
        if row.layer in sources:
            made |= {key: weight.to(some.dtype) for key, weight in merged(row, sources[row.layer], weights).items()}
    found = assembled(design, network, some.device).to(some.dtype)
    if _is_channels_last(model):
        found = found.to(memory_format=torch.channels_last)
    found.load_state_dict({key: made[key] if key in made else weights[key] for key in found.state_dict()})
    found.folded = True
    return found.eval()


def _refuse_others(weights: Mapping[str, Tensor], due: Mapping[str, Tensor]) -> None:
    """Say so where the weights are not those of the design as it is built."""
    for key in (*due, *weights):
        here, there = (_shown(some.get(key)) for some in (weights, due))
        if here != there:
            message = f"the model is not as its design is built: {quote(key)} is {here}, not {there}"
            help = "fold a model before its layers are replaced, or build a design that has the others"
            raise ConvlabError(Problem("usage", message, help=help), exit_code=2)


def _shown(weight: Tensor | None) -> str:
    if weight is None:
        return "missing"
    return "x".join(map(str, weight.shape)) or "one number"


def _is_channels_last(model: nn.Module) -> bool:
    """Whether the weights lie so in memory; of some (1x1 kernels, single channels) it cannot be told."""
    maps = [weight for weight in model.parameters() if weight.dim() == 4]
    return any(map_.is_contiguous(memory_format=torch.channels_last) and not map_.is_contiguous() for map_ in maps)
