"""Activation functions, by the names that the language uses. A new one is one entry of ``ACTIVATIONS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convlab.layers.layer import Layer, layer
from convlab.layers.shape import Shape

if TYPE_CHECKING:
    from torch import nn

ACTIVATIONS: dict[str, str] = {
    "gelu": "GELU",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "silu": "SiLU",
    "hardswish": "Hardswish",
    "leaky_relu": "LeakyReLU",
    "mish": "Mish",
    "elu": "ELU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "hardsigmoid": "Hardsigmoid",
}
"""The language's name of each activation and its class in ``torch.nn``."""


OF_OUTPUT = frozenset({"relu", "tanh", "sigmoid"})
"""The activations whose gradient torch computes from their output; the others keep their input."""


@layer
class Activation(Layer):
    """An elementwise activation function; ``kind`` is a key of ``ACTIVATIONS``."""

    kind: str

    def keeps_input(self, x: Shape) -> int:
        return int(self.kind not in OF_OUTPUT)

    def keeps_output(self) -> int:
        return int(self.kind in OF_OUTPUT)

    def module(self, x: Shape) -> nn.Module:
        from torch import nn

        module: nn.Module = getattr(nn, ACTIVATIONS[self.kind])()
        return module

    def label(self) -> str:
        return ACTIVATIONS[self.kind]
