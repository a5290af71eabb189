"""Published weights: which of timm's models a preset is, and checkpoints of any layout as they come from timm's loader."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Final

import torch
from timm.models import PretrainedCfg, get_arch_pretrained_cfgs
from torch import Tensor

from convlab.language.design import Design
from convlab.language.turning import turn
from convlab.models.features import grid
from convlab.timm.configuration import configuration
from convlab.timm.model import TimmModel
from convlab.weights.converting import to_convlab
from convlab.weights.inheritance.resampling import position_grid

_CONVNEXT = {"t": "tiny", "s": "small", "b": "base", "l": "large", "xl": "xlarge", "h": "huge"}
_REGNET = {
    "200mf": "002", "400mf": "004", "600mf": "006", "800mf": "008", "1_6gf": "016", "3_2gf": "032",
    "4gf": "040", "6_4gf": "064", "8gf": "080", "12gf": "120", "16gf": "160", "32gf": "320",
}  # fmt: skip
_SWIN = {"t": "tiny_patch4_window7_224", "s": "small_patch4_window7_224", "b": "base_patch4_window7_224"}
_SWIN |= {"l": "large_patch4_window7_224", "b_384": "base_patch4_window12_384", "l_384": "large_patch4_window12_384"}
_RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnet200")
_RESNEXTS = ("resnext50_32x4d", "resnext101_32x4d", "resnext101_32x8d")

ARCHITECTURES: Final[dict[str, str]] = {
    **{f"convnext_{size}": f"convnext_{_CONVNEXT.get(size, size)}" for size in ("atto", "femto", "pico", "nano", *"tsbl", "xl")},
    **{f"convnext_v2_{size}": f"convnextv2_{_CONVNEXT.get(size, size)}" for size in ("atto", "femto", "pico", "nano", *"tblh")},
    **{name: name for name in (*_RESNETS, *_RESNEXTS)},
    **{f"regnet{letter}_{ours}": f"regnet{letter}_{theirs}" for letter in "xy" for ours, theirs in _REGNET.items()},
    **{f"efficientnet_b{size}": f"efficientnet_b{size}" for size in range(8)},
    **{f"efficientnet_v2_{size}": f"efficientnetv2_{size}" for size in "sml"},
    **{f"swin_{ours}": f"swin_{theirs}" for ours, theirs in _SWIN.items()},
    **{f"deit_{ours}": f"deit_{theirs}_patch16_224" for ours, theirs in (("s", "small"), ("b", "base"))},
    **{f"vit_{ours}16": f"vit_{theirs}_patch16_224" for ours, theirs in (("s", "small"), ("b", "base"), ("l", "large"))},
    "mobilenet_v2": "mobilenetv2_100",
}  # fmt: skip
"""The presets that are models of timm, by their names; timm's weights are theirs."""

AUTHORS: Final = ("fb_in1k", "fcmae_ft_in1k", "tv_in1k", "pycls_in1k", "ms_in1k")
"""The tags of weights as a network's paper describes them, which are a preset's own if there are any."""

_IMAGENET = re.compile(r"in(1|12|21|22)k")


def configurations(name: str, preset: str, design: Design) -> dict[str, PretrainedCfg]:
    """The configurations of a preset by tagged name: those of its published weights, or one without weights."""
    known = configuration(design)
    published = _published(ARCHITECTURES[preset]) if preset in ARCHITECTURES else {}
    if not published:
        return {name: known}
    own = next((tag for tag in AUTHORS if tag in published), "")
    return {
        f"{name}.{tag}{'*' if tag == own else ''}": dataclasses.replace(
            theirs,
            fixed_input_size=known.fixed_input_size,
            first_conv=known.first_conv,
            classifier=known.classifier,
            architecture=None,
        )
        for tag, theirs in published.items()
    }


def _published(architecture: str) -> dict[str, PretrainedCfg]:
    """The weights of one of timm's models that classify ImageNet's images, by tag, each from its place on the hub."""
    return {
        name.partition(".")[2]: dataclasses.replace(theirs, url=None, custom_load=False)
        for name, theirs in get_arch_pretrained_cfgs(architecture).items()
        if theirs.hf_hub_id and not theirs.hf_hub_filename and theirs.num_classes and _IMAGENET.search(name)
    }


def converted(state: Mapping[str, Tensor], model: TimmModel) -> dict[str, Tensor]:
    """A checkpoint of any known layout under the model's names; channels and classes are still those of the checkpoint.

    Position embeddings are resampled for the model's image size. Raises ConvlabError where the checkpoint is not one of its design.
    """
    source: dict[str, Any] = model.pretrained_cfg  # type: ignore[assignment]  # timm sets it
    channels, height, width = source["input_size"]
    design = model.design
    for path, value in {
        "head.classes": source["num_classes"],
        "image.channels": channels,
        "image.size": [height, width],
    }.items():
        design = turn(design, path, value)
    tensors = to_convlab(state, design)
    for path in tensors:
        if path.endswith(".position_embedding"):
            tensors[path] = _resampled(
                tensors[path], grid(design, design.image.shape), grid(model.design, model.design.image.shape)
            )
    return tensors


def _resampled(embedding: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """A position embedding for another map of patches; that of the class token stays."""
    if old == new:
        return embedding
    first = embedding.shape[1] - old[0] * old[1]
    return torch.cat([embedding[:, :first], position_grid(embedding[:, first:], old, new)], 1)
