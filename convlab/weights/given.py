"""Weights as a caller gives them: a file or a published name, tensors by name, or a built model."""

from __future__ import annotations

import os
from collections.abc import Mapping

from torch import Tensor, nn

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.weights import FOLDED
from convlab.weights.reading import metadata, read, state_dict

Weights = str | os.PathLike[str] | Mapping[str, Tensor] | nn.Module
"""A file or published name, tensors by name, or a model that holds them, of any package."""

KINDS = "weights are a file, a published name such as timm:convnext_atto, a state dict, or a model"


def given(source: Weights) -> dict[str, Tensor]:
    """The tensors of a source by their own names. Raises ConvlabError where there are none, or they are those of a folded network."""
    if isinstance(source, nn.Module):
        refuse_without_memory(source)
        return dict(source.state_dict())
    if isinstance(source, Mapping):
        return state_dict(source, told(source))
    if not isinstance(source, str | os.PathLike):
        raise ConvlabError(Problem("usage", f"weights are due, not {_thing(source)}", help=KINDS), exit_code=2)
    if metadata(source).get(FOLDED) == "true":
        raise ConvlabError(_folded(os.fspath(source)))
    return read(source)


def told(source: Weights) -> str:
    """What a source is called in messages and reports."""
    if isinstance(source, nn.Module):
        return "the given model"
    return "the given tensors" if isinstance(source, Mapping) else os.fspath(source)


def refuse_other_models(model: object) -> None:
    """Raise ConvlabError for what is to be filled and is no model that convlab built."""
    if isinstance(model, nn.Module) and isinstance(getattr(model, "design", None), Design):
        return
    help = "fill build(design); a model of another package, or its state dict, can be what the weights are taken from"
    raise ConvlabError(
        Problem("usage", f"a model that convlab built is due, not {_thing(model)}", help=help), exit_code=2
    )


def refuse_without_memory(model: nn.Module) -> None:
    """Raise ConvlabError for a model that has the shapes of weights only."""
    if any(tensor.is_meta for tensor in model.state_dict().values()):
        message = "the model is on the meta device: it has no memory for weights"
        raise ConvlabError(Problem("usage", message, help='build(design) without device="meta"'), exit_code=2)


def _folded(source: str) -> Problem:
    message = f"{quote(source)} holds the weights of a folded network, which cannot be unfolded"
    help = (
        "take the weights from before folding (convlab build --save without --folded); or, to run the folded network, "
        "fold(build(design)).load_state_dict(safetensors.torch.load_file(FILE))"
    )
    return Problem("weights-do-not-fit", message, help=help)


def _thing(value: object) -> str:
    return f"a {type(value).__name__}" if isinstance(value, nn.Module) else quote(value)
