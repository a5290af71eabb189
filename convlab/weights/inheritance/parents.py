"""Weights to inherit from: read, brought under our names, and their design found where something says it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import NamedTuple, final

from torch import Tensor

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.language.files import load
from convlab.models import ConvNet
from convlab.models.features import FeatureMaps
from convlab.weights.fitting import fit
from convlab.weights.given import Weights, given, refuse_other_models, refuse_without_memory, told
from convlab.weights.layouts import classifier_of, detect, naming, paths_of
from convlab.weights.origins import design_inside
from convlab.weights.recognition import recognized


@final
class Parent(NamedTuple):
    """Tensors under our names; the design they belong to, None where nothing says it; what both are called."""

    tensors: Mapping[str, Tensor]
    design: Design | None
    name: str


def parent_of(source: Weights, source_design: Design | str | os.PathLike[str] | None = None) -> Parent:
    """The weights of a source under our names.

    The design is the given one, that of the built model, the one that a safetensors file of ours holds, or the preset whose names and
    shapes all tensors have. Raises ConvlabError where the weights cannot be read or are not those of the given design.
    """
    if isinstance(source, ConvNet):
        refuse_unusable(source)
        return Parent(source.state_dict(), source.design, source.design.name or "the given model")
    state, name = given(source), told(source)
    design = design_inside(source) if isinstance(source, str | os.PathLike) else None
    if source_design is not None:
        design = source_design if isinstance(source_design, Design) else load(source_design)
    layout = "auto"
    if design is None and (found := recognized(state)) is not None and found.share == 1:
        design, layout = found.design, found.layout
    if design is None:
        return Parent(state, None, f"{name} (of an unknown design)")
    design = _with_classes(design, state, layout)
    full_name = f"{name} ({design.name})" if design.name else name
    return Parent(fit(state, design, paths_of(design), layout=layout, source=name).tensors, design, full_name)


def _with_classes(design: Design, state: Mapping[str, Tensor], layout: str) -> Design:
    """The design with as many classes as the weights have; none where they come without a classifier."""
    if not design.head.classes:
        return design
    known = naming(design, detect(state, design) if layout == "auto" else layout)
    names = known[f"{classifier_of(design)}.weight"].names
    weight = state.get(names[0]) if names else None
    classes = 0 if weight is None else int(weight.shape[0])
    return dataclasses.replace(design, head=dataclasses.replace(design.head, classes=classes))


def refuse_unusable(model: ConvNet | FeatureMaps) -> None:
    """Raise ConvlabError for a model without memory for weights, or with others than those of its design."""
    refuse_other_models(model)
    refuse_without_memory(model)
    if isinstance(model, FeatureMaps):
        message = "a backbone holds a part of its design's weights, and only whole networks inherit"
        help = "inherit into model = build(design), then load_weights(backbone, model)"
        raise ConvlabError(Problem("usage", message, help=help), exit_code=2)
    if _shapes(model.state_dict()) != _shapes(paths_of(model.design)):
        message = "the model does not have the weights that its design has: it was folded, or its layers were replaced"
        help = "inherit first, and fold the model then"
        raise ConvlabError(Problem("usage", message, help=help), exit_code=2)


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in weights.items()}


def nothing_in_common(parent: Parent, model: ConvNet) -> ConvlabError:
    """The error for weights of which no layer of a model takes any."""
    beginnings = list(dict.fromkeys(name.partition(".")[0] for name in parent.tensors))
    message = f"nothing of {parent.name} fits {model.design.name or 'the model'}"
    label = f"its {len(parent.tensors)} tensors begin with {', '.join(map(quote, beginnings[:8]))}"
    help = "say which design they were trained with (--from DESIGN, source_design), or check that it is the file that you mean"
    return ConvlabError(Problem("weights-do-not-fit", message, label=label, help=help))
