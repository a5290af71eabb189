"""safetensors: the weights alone, under the names of the layer tree, with the design that they belong to as metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from convlab.errors import ConvlabError, Problem
from convlab.exports.origin import Check, Origin, Steps, Written
from convlab.exports.targets import Target
from convlab.language.files import write_whole
from convlab.weights.provenance import provenance

if TYPE_CHECKING:
    from torch import Tensor

    from convlab.models import ConvNet


def write(origin: Origin, target: Target) -> Steps:
    """Save the state dict, and compare what is read back bit by bit."""
    from safetensors.torch import load

    target.refuse_occupied_file()
    yield "building the model"
    model, random = origin.build()
    yield "writing"
    content = packed(model)
    refuse_other_weights(load(content), model)
    write_whole(target.path, content)
    return Written((target.path,), (Check("read back, bits of the weights", 0.0),), random)


def packed(model: ConvNet) -> bytes:
    """A model's weights as the bytes of a safetensors file."""
    from convlab.weights import packing

    return packing.packed(model.state_dict(), provenance(model.design, folded=model.folded))


def refuse_other_weights(found: Mapping[str, Tensor], model: ConvNet) -> None:
    """Raise ConvlabError where a name or a bit differs from the weights of a model."""
    expected = model.state_dict()
    if found.keys() == expected.keys() and all(_same_bits(found[name], expected[name]) for name in expected):
        return
    message = "the weights that are read back are not those of the model"
    raise ConvlabError(Problem("differs", message, help="pip install -U safetensors timm"))


def _same_bits(one: Tensor, other: Tensor) -> bool:
    """Equality of bits: it also holds where both are NaN."""
    import torch

    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    bits = [tensor.contiguous().view(-1).view(torch.uint8) for tensor in (one, other)]
    return torch.equal(*bits)
