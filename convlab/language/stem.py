"""The stem: how an image becomes the first feature map."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from convlab.language.blocks import ACTIVATION_KINDS, NORM_KINDS, Block
from convlab.language.custom import lower_layers, own_stride
from convlab.language.knobs import AUTO, knob
from convlab.language.layer_text import parse_layer
from convlab.language.lowering import Lowered, Place, activation, norm
from convlab.layers import AveragePool, Chain, Convolution, Layer, MaxPool, Tokens

KINDS: dict[str, dict[str, Any]] = {
    "patchify": {"norm": "layer_norm", "bias": True},
    "conv": {"kernel_size": 7, "stride": 2, "norm": "batch_norm", "activation": "relu", "pool": "max"},
    "overlap": {"kernel_size": 7, "stride": 4, "norm": "layer_norm", "bias": True},
    "deep": {"kernel_size": 3, "stride": 2, "layers": 3, "norm": "batch_norm", "activation": "relu", "pool": "max"},
    "custom": {"kernel_size": 3, "norm": "batch_norm", "activation": "relu"},
}
"""The named kinds and their defaults, where they differ from those of the knobs."""


@dataclass(frozen=True)
class Stem:
    """The layers before the first stage. ``Stem.of(kind)`` gives a kind's defaults."""

    kind: str = knob(
        "patchify",
        "patches without overlap, one convolution, one whose kernel is wider than its stride, several 3x3 convolutions, "
        "or the layers that are written",
        choices=tuple(KINDS),
    )
    patch_size: int = knob(4, "side of a patch (patchify)", low=1, high=256, unit="px")
    kernel_size: int = knob(7, "side of the kernel (conv, overlap, deep)", low=1, high=255, unit="px")
    stride: int = knob(4, "stride of the first convolution (conv, overlap, deep)", low=1, high=64)
    layers: int = knob(
        1, "convolutions (deep); the first carries the stride, all but the last have half the width", low=1, high=8
    )
    width: int = knob(0, "width that goes out; 0: the first stage's", low=0, high=65536, unit="channels", zero=AUTO)
    norm: str = knob("layer_norm", "the norm after each convolution", choices=NORM_KINDS)
    activation: str = knob("none", "the activation after each norm", choices=ACTIVATION_KINDS)
    pool: str = knob("none", "a 3x3 pool of stride 2 at the end", choices=("none", "max", "average"))
    bias: bool = knob(False, "biases in the convolutions")
    class_token: bool = knob(
        False, "a learned token before the pixels, which become a column of tokens (ViT); for blocks of attention only"
    )
    position_embedding: bool = knob(False, "a learned number added to every channel of every pixel or token (ViT)")

    branch: tuple[str, ...] = knob(
        (), 'the layers of a custom stem: ["conv(3, 1x, stride=2)", "norm", "activation"]', kind="layers"
    )

    @property
    def strides(self) -> tuple[int, ...]:
        """By how much each part of the stem lowers the resolution."""
        if self.kind == "custom":
            return tuple(own_stride(parse_layer(text)) for text in self.branch)
        return (self.patch_size if self.kind == "patchify" else self.stride, 1 if self.pool == "none" else 2)

    @staticmethod
    def of(kind: str, **knobs: Any) -> Stem:
        """The stem of a named kind with some knobs set."""
        return dataclasses.replace(Stem(kind=kind, **KINDS[kind]), **knobs)


def lower_stem(stem: Stem, place: Place) -> Lowered:
    """The stem's layers, by index; the place has the image's channels and the width that goes out."""
    width, norm_eps = place.width, place.norm_eps
    if stem.kind == "custom":
        found = lower_layers(_block(stem), place, "stem")
        assert isinstance(found.tree, Chain)
        return found._replace(tree=_numbered([layer for _, layer in found.tree.children] + _tokens(stem)))
    layers: list[Layer | None] = []
    if stem.kind == "patchify":
        convolutions: list[Layer] = [Convolution(width, stem.patch_size, stem.patch_size, bias=stem.bias, same=False)]
    else:
        count = stem.layers if stem.kind == "deep" else 1
        convolutions = [
            Convolution(
                width if index == count - 1 else width // 2,
                stem.kernel_size,
                stem.stride if index == 0 else 1,
                bias=stem.bias,
            )
            for index in range(count)
        ]
    for convolution in convolutions:
        layers += [convolution, norm(stem.norm, norm_eps), activation(stem.activation)]
    if stem.pool != "none":
        layers.append(MaxPool(3, 2) if stem.pool == "max" else AveragePool(3, 2))
    return Lowered(_numbered([layer for layer in layers if layer is not None] + _tokens(stem)))


def _block(stem: Stem) -> Block:
    """A block with the layers of a custom stem and the stem's defaults for them."""
    defaults: dict[str, Any] = {"norm": stem.norm, "activation": stem.activation, "bias": stem.bias}
    return Block(kind="custom", kernel_size=stem.kernel_size, branch=stem.branch, **defaults)


def _tokens(stem: Stem) -> list[Layer]:
    there = stem.class_token or stem.position_embedding
    return [Tokens(stem.class_token, stem.position_embedding)] if there else []


def _numbered(layers: list[Layer]) -> Chain:
    return Chain(tuple((str(index), layer) for index, layer in enumerate(layers)))
