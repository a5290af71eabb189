"""Filling a built model with the weights of a checkpoint, all of them or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from convlab.errors import ConvlabError, Problem
from convlab.models import ConvNet
from convlab.models.features import FeatureMaps
from convlab.weights.fitting import fit
from convlab.weights.given import Weights, given, refuse_other_models, refuse_without_memory, told
from convlab.weights.layouts import paths_of
from convlab.weights.report import Report


def load_weights(
    model: ConvNet | FeatureMaps, source: Weights, *, layout: str = "auto", ignore: Iterable[str] = ()
) -> Report:
    """Fill a model, or a backbone of one, with weights, and say what became of each tensor.

    ``source`` is a file (safetensors, or a PyTorch checkpoint of tensors), a folder of transformers, or ``timm:NAME``,
    ``torchvision:NAME``, ``hf:OWNER/NAME``; tensors by name (a state dict) or a model of any package are taken as well. The layout,
    that is whose names the checkpoint uses, is found by its names. Weights whose paths begin with one of ``ignore`` (``["head"]``) are
    left as they are. The report is a ``convlab.weights.Report``. Raises ConvlabError where the checkpoint cannot be read or does not
    fit; the model is then as it was.
    """
    refuse_other_models(model)
    refuse_without_memory(model)
    return filled(model, given(source), source=told(source), layout=layout, ignore=ignore)


def filled(
    model: ConvNet | FeatureMaps,
    tensors: Mapping[str, Tensor],
    *,
    source: str,
    layout: str = "auto",
    ignore: Iterable[str] = (),
) -> Report:
    """``load_weights`` of tensors that were read already; ``source`` is what messages call them, such as the path of their file."""
    if getattr(model, "folded", False):
        problem = Problem(
            "usage", "the model was folded: it has other weights", help="load the weights first, fold then"
        )
        raise ConvlabError(problem, exit_code=2)
    weights = model.state_dict()
    whole = paths_of(model.design) | weights
    beyond = whole.keys() - weights.keys()  # what a backbone lacks of the whole network
    left = [*([ignore] if isinstance(ignore, str) else ignore), *beyond]
    found = fit(tensors, model.design, whole, layout=layout, ignore=left, source=source)
    with torch.no_grad():
        for path, tensor in found.tensors.items():
            weights[path].copy_(tensor)
    report = found.report
    return replace(
        report,
        missing=tuple(line for line in report.missing if line.path in weights),
        ignored=tuple(line for line in report.ignored if line.path in weights or not line.path),
    )
