"""Tokens as timm has them, and as the column of a map that they are inside of the network; both are views of one memory."""

from torch import Tensor


def as_tokens(x: Tensor) -> Tensor:
    """A column [batch, channels, tokens, 1] as tokens [batch, tokens, channels]."""
    return x.flatten(2).transpose(1, 2)


def as_column(x: Tensor) -> Tensor:
    """Tokens [batch, tokens, channels] as a column [batch, channels, tokens, 1]."""
    return x.transpose(1, 2).unsqueeze(3)
