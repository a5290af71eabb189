"""Maps as tokens: position embedding and class token, the token that is classified, and patches of pixels as channels."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional


@final
class Tokens2d(nn.Module):
    """Adds a learned position embedding, and puts a class token before the pixels (Dosovitskiy et al., 2021, arXiv:2010.11929).

    With a class token a map [batch, channels, height, width] becomes a column [batch, channels, 1 + height x width, 1]. For a map of
    another size than that of the construction the embedding is resampled (bicubic).
    """

    def __init__(self, channels: int, size: tuple[int, int], has_class_token: bool, has_positions: bool) -> None:
        super().__init__()
        self.height, self.width = size
        self.prefix = int(has_class_token)
        self.class_token: nn.Parameter | None
        self.position_embedding: nn.Parameter | None
        token = nn.Parameter(torch.zeros(1, 1, channels)) if has_class_token else None
        self.register_parameter("class_token", token)
        count = self.height * self.width + self.prefix
        positions = nn.Parameter(torch.zeros(1, count, channels)) if has_positions else None
        self.register_parameter("position_embedding", positions)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        x = x.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
        if self.class_token is not None:
            x = torch.cat([self.class_token.expand(batch, 1, channels), x], 1)
        if self.position_embedding is not None:
            x = x + self._positions(self.position_embedding, height, width)
        if self.class_token is not None:
            return x.unsqueeze(2).permute(0, 3, 1, 2)
        return x.view(batch, height, width, channels).permute(0, 3, 1, 2)

    def _positions(self, embedding: Tensor, height: int, width: int) -> Tensor:
        if height == self.height and width == self.width:
            return embedding
        channels = embedding.shape[2]
        grid = embedding[:, self.prefix :].view(1, self.height, self.width, channels).permute(0, 3, 1, 2)
        grid = functional.interpolate(grid.float(), (height, width), mode="bicubic", antialias=True).to(grid.dtype)
        return torch.cat([embedding[:, : self.prefix], grid.flatten(2).transpose(1, 2)], 1)

    def extra_repr(self) -> str:
        return f"{self.height}x{self.width}, class_token={self.prefix > 0}"


@final
class FirstToken2d(nn.Module):
    """The first token of a column, which is the class token; height and width 1 remain."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, :1]


@final
class SpaceToDepth2d(nn.Module):
    """Patches of pixels as channels, in the order of Swin's patch merging: column of the patch, then row, then channel.

    A map that patches do not tile is padded with zeros at its end.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        size = self.size
        x = x.permute(0, 2, 3, 1)
        below, right = -height % size, -width % size
        if below + right > 0:
            x = functional.pad(x, (0, 0, 0, right, 0, below))
        rows, columns = (height + below) // size, (width + right) // size
        x = x.reshape(batch, rows, size, columns, size, channels).permute(0, 1, 3, 4, 2, 5)
        return x.reshape(batch, rows, columns, size * size * channels).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        return f"{self.size}x{self.size}"
