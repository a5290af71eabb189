"""Fine-tuning: a training that begins from loaded weights, at the design's full size, with a head for the data's classes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import torch
from torch import Tensor

from convlab.errors import ConvlabError
from convlab.language.design import HEAD_NAMES, Design
from convlab.models import ConvNet
from convlab.paths import expanded
from convlab.training.data.datasets import Dataset
from convlab.training.data.registry import known
from convlab.training.recipes.recipe import Recipe
from convlab.weights import Report
from convlab.weights.given import Weights, given, told
from convlab.weights.loading import filled

RECIPE: Final = "convnext_finetune"
"""The recipe of a training with weights, where none is named."""

IMAGENET_SIDE: Final = 224
"""Designs for images of so many px a side are meant for pictures like ImageNet's, which ``RECIPE`` enlarges."""

NOT_FITTING: Final = "weights-do-not-fit"


@final
@dataclass(frozen=True, slots=True)
class Start:
    """What a network began from: what became of every tensor, and whether its classifier is a new one."""

    report: Report
    new_head: bool

    @property
    def note(self) -> str:
        """A sentence for people."""
        head = "the classifier is new" if self.new_head else "the classifier's weights are the checkpoint's"
        return f"{len(self.report.loaded)} tensors of {self.report.source} were loaded; {head}"


def unshrunk(recipe: Recipe) -> Recipe:
    """The recipe for a training that begins from weights: they fit the design as it is, so it is not made smaller for the data."""
    return dataclasses.replace(recipe, shrink="never")


def at_own_size(
    recipe: Recipe, designs: Sequence[Design], data: str | os.PathLike[str] | Dataset | None = None
) -> Recipe:
    """``RECIPE`` where nobody named it: its 384 px are for ImageNet's pictures and designs for them.

    Designs for smaller images, and the sets that are known by name, whose images are small, are trained at the size of the largest
    design's images. A size that was set by hand stays.
    """
    name = data.name if isinstance(data, Dataset) else os.fspath(data or recipe.data)
    side = max((min(design.image.shape[1:]) for design in designs), default=0)
    small = side < IMAGENET_SIDE or name == "auto" or known(name) is not None
    if not side or not small or "image_size" in recipe.by_hand:
        return recipe
    return dataclasses.replace(recipe, image_size=min(side, recipe.image_size or side))


def lasting_weights(source: str | os.PathLike[str] | None) -> str:
    """What weights are found by later, from any folder: the whole path of a file, or the published name; empty for none."""
    if not source:
        return ""
    text = os.fspath(source)
    path = expanded(text)
    return str(path.resolve()) if path.exists() else text


def origin_of(source: Weights | None) -> dict[str, str]:
    """What an identity says of weights: their source, and the sha256 of their tensors in whatever file they lie; empty for none."""
    if source is None:
        return {}
    digest = hashlib.sha256()
    for name, tensor in sorted(given(source).items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return {"source": told(source), "sha256": digest.hexdigest()}


def begin_from(model: ConvNet, source: Weights, *, head_scale: float = 1.0, name: str = "") -> Start:
    """Fill a freshly built network with a checkpoint's weights, all but a classifier of another number of classes.

    A classifier that fits is taken over as it is; another starts as the network's initialisation has it, times ``head_scale``
    (ConvNeXt: 0.001, arXiv:2201.03545v2, table 6), so that the first steps do not shake what was learned. Nothing is frozen.
    ``name`` is what messages call the weights where ``source`` is the tensors of a file that was read already. Raises ConvlabError
    where the weights do not fit in any other place; the network is then as it was.
    """
    weights, name = given(source), name or told(source)
    try:
        return Start(filled(model, weights, source=name), new_head=False)
    except ConvlabError as error:
        if not _is_misfit(error) or not classifier(model):
            raise
    report = filled(model, weights, source=name, ignore=[_path(model)])
    scale_head(model, head_scale)
    return Start(report, new_head=True)


def scale_head(model: ConvNet, factor: float) -> None:
    """Multiply the classifier's weight and bias, as ConvNeXt's and timm's ``head_init_scale`` do."""
    with torch.no_grad():
        for tensor in classifier(model).values():
            tensor.mul_(factor)


def classifier(model: ConvNet) -> dict[str, Tensor]:
    """The parameters of the last linear layer, by name; none where the design ends in features."""
    path = _path(model)
    return {name: tensor for name, tensor in model.named_parameters() if name.startswith(f"{path}.")}


def _path(model: ConvNet) -> str:
    return HEAD_NAMES[model.design.names]["classifier"]


def _is_misfit(error: ConvlabError) -> bool:
    return all(problem.code == NOT_FITTING for problem in error.problems)
