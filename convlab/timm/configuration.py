"""timm's configuration of a pretrained network, from a design: what goes in, what comes out, which layers timm adapts."""

from __future__ import annotations

import dataclasses
from typing import Any

from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models import PretrainedCfg

from convlab.language.design import Design
from convlab.timm.outline import ends, has_fixed_size, last_map

ANY_DESIGN = PretrainedCfg(description="any design of convlab")
"""The configuration that timm knows of the entry point that takes a design."""


def configuration(design: Design) -> PretrainedCfg:
    """What timm knows of a design. The statistics are ImageNet's, as of all presets' published weights, or 0.5 for other channels."""
    image, last, found = design.image.shape, last_map(design), ends(design)
    of_color = image.channels == len(IMAGENET_DEFAULT_MEAN)
    half = (0.5,) * image.channels
    return PretrainedCfg(
        input_size=(image.channels, image.height, image.width),
        fixed_input_size=has_fixed_size(design),
        mean=IMAGENET_DEFAULT_MEAN if of_color else half,
        std=IMAGENET_DEFAULT_STD if of_color else half,
        num_classes=design.head.classes,
        pool_size=(last.height, last.width),
        first_conv=found.first[0] if len(found.first) == 1 else found.first,  # type: ignore[arg-type]  # timm takes several
        classifier=found.classifier,
        description=design.summary or None,
    )


def overlaid(design: Design, given: dict[str, Any] | PretrainedCfg | None) -> PretrainedCfg:
    """A design's configuration under what was given for it; timm gives whole configurations, so what says nothing new is left out."""
    plain = given if isinstance(given, dict) else dataclasses.asdict(given) if given else {}
    unsaid = dataclasses.asdict(ANY_DESIGN) | {"architecture": None}
    said = {name: value for name, value in plain.items() if value not in (unsaid.get(name), None)}
    return dataclasses.replace(configuration(design), **said)
