"""Filling a built model with the weights of a checkpoint, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch

from convlab.errors import ConvlabError, Problem
from convlab.models import ConvNet
from convlab.weights.fitting import fit
from convlab.weights.reading import read
from convlab.weights.report import Report


def load_weights(
    model: ConvNet, source: str | os.PathLike[str], *, layout: str = "auto", ignore: Iterable[str] = ()
) -> Report:
    """Fill a model with the weights of a file or of a published name, and say what became of each tensor.

    ``source`` is a file (safetensors, or a PyTorch checkpoint of tensors), a folder of transformers, or ``timm:NAME``,
    ``torchvision:NAME``, ``hf:OWNER/NAME``. The layout, that is whose names the checkpoint uses, is found by its names. Weights whose
    paths begin with one of ``ignore`` (``["head"]``) are left as they are. Raises ConvlabError where the checkpoint cannot be read or
    does not fit; the model is then as it was.
    """
    weights = model.state_dict()
    if any(tensor.is_meta for tensor in weights.values()):
        problem = Problem(
            "usage", "the model is on the meta device: it has no memory for weights", help="build(design) without it"
        )
        raise ConvlabError(problem, exit_code=2)
    found = fit(read(source), model.design, weights, layout=layout, ignore=ignore, source=os.fspath(source))
    with torch.no_grad():
        for path, tensor in found.tensors.items():
            weights[path].copy_(tensor)
    return found.report
