"""The head: how the last feature map becomes class scores."""

from __future__ import annotations

from dataclasses import dataclass

from convlab.language.blocks import ACTIVATION_KINDS, NORM_KINDS
from convlab.language.knobs import knob
from convlab.language.lowering import activation, norm, off
from convlab.layers import Dropout, FirstToken, Flatten, GlobalAveragePool, GlobalMaxPool, Layer, Linear, Pointwise

POOLS: dict[str, type[Layer]] = {"average": GlobalAveragePool, "max": GlobalMaxPool, "token": FirstToken}
"""The global pools by name."""


@dataclass(frozen=True)
class Head:
    """An optional 1x1 convolution, pool, norm, an optional hidden layer, dropout and the classifier."""

    convolution: int = knob(
        0,
        "width of a 1x1 convolution before the pool (MobileNet, EfficientNet); 0: none",
        low=0,
        high=65536,
        unit="channels",
    )
    convolution_norm: str = knob("batch_norm", "the norm after the 1x1 convolution", choices=NORM_KINDS)
    convolution_activation: str = knob("silu", "the activation after that norm", choices=ACTIVATION_KINDS)
    pool: str = knob("average", "the global pool, or the class token alone", choices=tuple(POOLS))
    norm: str = knob("layer_norm", "the norm before the classifier", choices=NORM_KINDS)
    norm_at: str = knob("after_pool", "where the norm stands", choices=("after_pool", "before_pool"))
    hidden: int = knob(0, "width of a hidden layer; 0: none", low=0, high=65536, unit="channels")
    activation: str = knob("gelu", "the activation of the hidden layer", choices=ACTIVATION_KINDS)
    dropout: float = knob(0.0, "rate of dropout before the classifier", low=0, high=0.99)
    classes: int = knob(1000, "classes; 0: none, the pooled features go out", low=0, high=10_000_000)
    bias: bool = knob(True, "biases in the linear layers")


def lower_head(head: Head, norm_eps: float = 0.0) -> list[tuple[str, Layer]]:
    """The head's layers in order, by role: those of the convolution, norm_before, pool, norm, flatten, hidden, activation, ..."""
    roles: list[tuple[str, Layer | None]] = []
    if not off(head.convolution):
        roles += [
            ("convolution", Pointwise(head.convolution)),
            ("convolution_norm", norm(head.convolution_norm, norm_eps)),
            ("convolution_activation", activation(head.convolution_activation)),
        ]
    roles += [
        ("norm_before", norm(head.norm, norm_eps) if head.norm_at == "before_pool" else None),
        ("pool", POOLS[head.pool]()),
        ("norm", norm(head.norm, norm_eps) if head.norm_at == "after_pool" else None),
        ("flatten", Flatten()),
    ]
    if not off(head.hidden):
        roles += [("hidden", Linear(head.hidden, head.bias)), ("activation", activation(head.activation))]
    roles.append(("dropout", None if off(head.dropout) else Dropout(head.dropout)))
    roles.append(("classifier", None if off(head.classes) else Linear(head.classes, head.bias)))
    return [(role, layer) for role, layer in roles if layer is not None]
