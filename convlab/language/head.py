"""The head: how the last feature map becomes class scores."""

from __future__ import annotations

from dataclasses import dataclass

from convlab.language.blocks import ACTIVATION_KINDS, NORM_KINDS
from convlab.language.knobs import knob
from convlab.language.lowering import activation, norm, off
from convlab.layers import Dropout, Flatten, GlobalAveragePool, GlobalMaxPool, Layer, Linear


@dataclass(frozen=True)
class Head:
    """Pool, norm, an optional hidden layer, dropout and the classifier."""

    pool: str = knob("average", "the global pool", choices=("average", "max"))
    norm: str = knob("layer_norm", "the norm before the classifier", choices=NORM_KINDS)
    norm_at: str = knob("after_pool", "where the norm stands", choices=("after_pool", "before_pool"))
    hidden: int = knob(0, "width of a hidden layer; 0: none", low=0, high=65536, unit="channels")
    activation: str = knob("gelu", "the activation of the hidden layer", choices=ACTIVATION_KINDS)
    dropout: float = knob(0.0, "rate of dropout before the classifier", low=0, high=0.99)
    classes: int = knob(1000, "classes; 0: none, the pooled features go out", low=0, high=10_000_000)
    bias: bool = knob(True, "biases in the linear layers")


def lower_head(head: Head) -> list[tuple[str, Layer]]:
    """The head's layers in order, by role: norm_before, pool, norm, flatten, hidden, activation, dropout, classifier."""
    roles: list[tuple[str, Layer | None]] = [
        ("norm_before", norm(head.norm) if head.norm_at == "before_pool" else None),
        ("pool", GlobalAveragePool() if head.pool == "average" else GlobalMaxPool()),
        ("norm", norm(head.norm) if head.norm_at == "after_pool" else None),
        ("flatten", Flatten()),
    ]
    if not off(head.hidden):
        roles += [("hidden", Linear(head.hidden, head.bias)), ("activation", activation(head.activation))]
    roles.append(("dropout", None if off(head.dropout) else Dropout(head.dropout)))
    roles.append(("classifier", None if off(head.classes) else Linear(head.classes, head.bias)))
    return [(role, layer) for role, layer in roles if layer is not None]
