"""Filling a built model with the weights of a checkpoint, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

import torch

from convlab.errors import ConvlabError, Problem
from convlab.models import ConvNet
from convlab.models.features import FeatureMaps
from convlab.weights.fitting import fit
from convlab.weights.layouts import paths_of
from convlab.weights.reading import read
from convlab.weights.report import Report


def load_weights(
    model: ConvNet | FeatureMaps, source: str | os.PathLike[str], *, layout: str = "auto", ignore: Iterable[str] = ()
) -> Report:
    """Fill a model, or a backbone of one, with the weights of a file or of a published name, and say what became of each tensor.

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
    whole = paths_of(model.design) | weights
    beyond = whole.keys() - weights.keys()  # what a backbone lacks of the whole network
    left = [*([ignore] if isinstance(ignore, str) else ignore), *beyond]
    found = fit(read(source), model.design, whole, layout=layout, ignore=left, source=os.fspath(source))
    with torch.no_grad():
        for path, tensor in found.tensors.items():
            weights[path].copy_(tensor)
    return replace(found.report, missing=tuple(line for line in found.report.missing if line.path in weights))
