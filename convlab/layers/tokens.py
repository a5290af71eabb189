"""Leaves between maps and tokens: position embedding and class token, the token that is classified, patches as channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convlab.layers.layer import Field, Layer, Live, layer
from convlab.layers.shape import POINT, Shape, Window, smaller

if TYPE_CHECKING:
    from torch import nn


@layer
class Tokens(Layer):
    """A learned position embedding, a class token before the pixels, or both (Dosovitskiy et al., 2021, arXiv:2010.11929).

    With a class token the map becomes a column of 1 + height x width tokens.
    """

    class_token: bool
    position_embedding: bool

    def output(self, x: Shape) -> Shape:
        return Shape(x.channels, 1 + x.positions, 1) if self.class_token else x

    def params(self, x: Shape) -> int:
        token = x.channels if self.class_token else 0
        return token + self.output(x).elements if self.position_embedding else token

    def live(self, x: Shape) -> Live:
        output = self.output(x).elements
        both = self.class_token and self.position_embedding
        return Live(2 * output if both else output, output)  # tokens side by side, then their sum with the embedding

    def keeps_input(self, x: Shape) -> int:
        return 0

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import Tokens2d

        return Tokens2d(x.channels, (x.height, x.width), self.class_token, self.position_embedding)

    def label(self) -> str:
        words = ["Class token"] * self.class_token + ["Position embedding"] * self.position_embedding
        return " and ".join([words[0], *(word.lower() for word in words[1:])])


@layer
class FirstToken(Layer):
    """The first of a column of tokens, which is the class token; height and width 1 remain."""

    def output(self, x: Shape) -> Shape:
        return Shape(x.channels, 1, 1)

    def field(self) -> Field:
        return Field(None, POINT)

    def live(self, x: Shape) -> Live:
        return Live(0, 0)

    def keeps_input(self, x: Shape) -> int:
        return 0

    def is_view(self) -> int:
        return 1

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import FirstToken2d

        return FirstToken2d()


@layer
class SpaceToDepth(Layer):
    """Square patches of ``size`` pixels as channels (Swin's patch merging); what does not fill a patch is padded with zeros."""

    size: int

    def output(self, x: Shape) -> Shape:
        return Shape(x.channels * self.size * self.size, -(-x.height // self.size), -(-x.width // self.size))

    def field(self) -> Field:
        window = Window(self.size, self.size, 0)
        return Field(window, window)

    def workspace(self, x: Shape) -> int:
        padded = self.output(x).elements
        return smaller(padded - x.elements, 1) * padded

    def keeps_input(self, x: Shape) -> int:
        return 0

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import SpaceToDepth2d

        return SpaceToDepth2d(self.size)

    def label(self) -> str:
        return f"SpaceToDepth {self.size}x{self.size}"
