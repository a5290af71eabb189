"""The stem: how an image becomes the first feature map."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from convlab.language.blocks import ACTIVATION_KINDS, NORM_KINDS
from convlab.language.knobs import knob
from convlab.language.lowering import activation, norm
from convlab.layers import AveragePool, Chain, Convolution, Layer, MaxPool

KINDS: dict[str, dict[str, Any]] = {
    "patchify": {"norm": "layer_norm", "bias": True},
    "conv": {"kernel_size": 7, "stride": 2, "norm": "batch_norm", "activation": "relu", "pool": "max"},
    "overlap": {"kernel_size": 7, "stride": 4, "norm": "layer_norm", "bias": True},
    "deep": {"kernel_size": 3, "stride": 2, "layers": 3, "norm": "batch_norm", "activation": "relu", "pool": "max"},
}
"""The named kinds and their defaults, where they differ from those of the knobs."""


@dataclass(frozen=True)
class Stem:
    """The layers before the first stage. ``Stem.of(kind)`` gives a kind's defaults."""

    kind: str = knob(
        "patchify",
        "patches without overlap, one convolution, one whose kernel is wider than its stride, or several 3x3 convolutions",
        choices=tuple(KINDS),
    )
    patch_size: int = knob(4, "side of a patch (patchify)", low=1, high=256, unit="px")
    kernel_size: int = knob(7, "side of the kernel (conv, overlap, deep)", low=1, high=255, unit="px")
    stride: int = knob(4, "stride of the first convolution (conv, overlap, deep)", low=1, high=64)
    layers: int = knob(
        1, "convolutions (deep); the first carries the stride, all but the last have half the width", low=1, high=8
    )
    width: int = knob(0, "width that goes out; 0: the first stage's", low=0, high=65536, unit="channels")
    norm: str = knob("layer_norm", "the norm after each convolution", choices=NORM_KINDS)
    activation: str = knob("none", "the activation after each norm", choices=ACTIVATION_KINDS)
    pool: str = knob("none", "a 3x3 pool of stride 2 at the end", choices=("none", "max", "average"))
    bias: bool = knob(False, "biases in the convolutions")

    @staticmethod
    def of(kind: str, **knobs: Any) -> Stem:
        """The stem of a named kind with some knobs set."""
        return dataclasses.replace(Stem(kind=kind, **KINDS[kind]), **knobs)


def lower_stem(stem: Stem, width: int) -> Chain:
    """The stem's layers, by index; ``width`` is what goes out."""
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
        layers += [convolution, norm(stem.norm), activation(stem.activation)]
    if stem.pool != "none":
        layers.append(MaxPool(3, 2) if stem.pool == "max" else AveragePool(3, 2))
    there = [layer for layer in layers if layer is not None]
    return Chain(tuple((str(index), layer) for index, layer in enumerate(there)))
