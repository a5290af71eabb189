"""Published models as the bubbles of the paper's Figure 1: accuracy against multiply-adds, by family, for one kind of training data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from convlab import facts
from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.facts import PublishedModel

DATA: Mapping[str, tuple[str, ...]] = {
    "ImageNet-1K": ("IN-1K (none)", "IN-1K supervised", "FCMAE on IN-1K"),
    "ImageNet-22K": ("IN-22K", "IN-21K", "FCMAE on IN-1K + IN-22K supervised"),
}
"""What was learned from, labels aside, by what the facts call the pre-training."""

FAMILIES: Mapping[str, str] = {
    "ConvNeXt": "ConvNeXt",
    "ConvNeXtV2": "ConvNeXt V2",
    "Swin": "Swin",
    "ViT": "ViT, DeiT",
    "DeiT": "ViT, DeiT",
    "EfficientNet": "EfficientNet",
    "EfficientNetV2": "EfficientNet V2",
    "RegNet": "RegNet",
    "ResNet": "ResNet, ResNeXt",
    "ResNeXt": "ResNet, ResNeXt",
    "ResNet-BiT": "ResNet, ResNeXt",
}
"""The families that are shown, in this order, by what the facts call them."""

ALIKE = 0.04
"""Two rows of one family and image size whose parameters differ by less than this are one network."""


@final
@dataclass(frozen=True, slots=True)
class Bubble:
    """A published model at one image size: multiply-adds in G, parameters in millions, ImageNet-1K top-1 in percent."""

    model: str
    family: str
    gmacs: float
    params_millions: float
    top1: float
    image_size: int
    pretraining: str
    source: str


def bubbles(data: str = "ImageNet-1K") -> tuple[Bubble, ...]:
    """The models that were trained with these data, by family; of several published figures of a network the first in the facts.

    Raises ConvlabError for data that there are not.
    """
    if data not in DATA:
        help = did_you_mean(data, DATA) or f"there are {' and '.join(DATA)}"
        raise ConvlabError(
            Problem("out-of-range", f"no models are known by data {quote(data)}", help=help), exit_code=2
        )
    taken: dict[tuple[str, int], list[float]] = {}
    found = []
    for row in facts.models():
        params, gmacs = _params(row), row.printed_gmacs if row.gmacs is None else row.gmacs
        if row.family not in FAMILIES or row.pretraining not in DATA[data] or params is None or gmacs is None:
            continue
        known = taken.setdefault((row.family, row.image_size), [])
        if all(abs(params - other) > ALIKE * other for other in known):
            known.append(params)
            family = FAMILIES[row.family]
            found.append(
                Bubble(row.model, family, gmacs, params, row.top1, row.image_size, row.pretraining, row.source)
            )
    order = list(dict.fromkeys(FAMILIES.values()))
    return tuple(sorted(found, key=lambda bubble: (order.index(bubble.family), bubble.gmacs)))


def _params(row: PublishedModel) -> float | None:
    return row.printed_params_millions if row.params is None else row.params / 1e6
