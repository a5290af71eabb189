"""Activation functions, by the names that the language uses. A new one is one entry of ``ACTIVATIONS``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

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


IN_PLACE = frozenset({"relu", "relu6", "silu", "hardswish"})
"""The activations that have a module for maps that nobody else needs: at inference it writes over its input."""

OF_OUTPUT = frozenset({"relu", "tanh", "sigmoid"})
"""The activations whose gradient torch computes from their output; the others keep their input."""


@layer
class Activation(Layer):
    """An elementwise activation function; ``kind`` is a key of ``ACTIVATIONS``."""

    kind: str
    hands_over: ClassVar[bool] = True

    def writes_over(self) -> bool:
        return self.kind in IN_PLACE

    def keeps_input(self, x: Shape) -> int:
        return int(self.kind not in OF_OUTPUT)

    def keeps_output(self) -> int:
        return int(self.kind in OF_OUTPUT)

    def module(self, x: Shape) -> nn.Module:
        from torch import nn

        from convlab.modules import GELU2d

        if self.kind == "gelu":
            return GELU2d()
        module: nn.Module = getattr(nn, ACTIVATIONS[self.kind])()
        return module

    def module_in_place(self, keeps_input: bool = False) -> nn.Module:
        """The torch module where the input may be written over, as ``writes_over`` says.

        ``keeps_input``: only at inference, because in training the layer before needs it for its gradient.
        """
        from convlab.modules import InPlaceHardswish, InPlaceReLU, InPlaceReLU6, InPlaceSiLU

        if self.kind == "relu":
            return InPlaceReLU(keeps_input)
        modules = {"relu6": InPlaceReLU6, "silu": InPlaceSiLU, "hardswish": InPlaceHardswish}
        return modules[self.kind]()

    def label(self) -> str:
        return ACTIVATIONS[self.kind]
