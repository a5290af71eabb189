"""Tokens and attention as an exported file holds them: copied as text, never imported by convlab."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class SpaceToDepth(nn.Module):
    """Patches as channels: column of the patch, then row, then channel. A map that
    they do not tile is padded with zeros at its end."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        size = self.size
        x = functional.pad(x, (0, -x.shape[3] % size, 0, -x.shape[2] % size))
        batch, channels, height, width = x.shape
        x = x.view(batch, channels, height // size, size, width // size, size)
        return x.permute(0, 5, 3, 1, 2, 4).flatten(1, 3)


class Tokens(nn.Module):
    """A class token before the pixels, which become a column of tokens (N, C, 1 + HW,
    1), and a learned position embedding, resampled for maps of another size."""

    def __init__(
        self,
        width: int,
        size: tuple[int, int],
        class_token: bool = True,
        positions: bool = True,
    ) -> None:
        super().__init__()
        self.size = size
        self.prefix = int(class_token)
        if class_token:
            self.class_token = nn.Parameter(torch.empty(1, 1, width))
            nn.init.trunc_normal_(self.class_token, std=0.02)
        self.position_embedding: nn.Parameter | None = None
        if positions:
            count = self.prefix + size[0] * size[1]
            self.position_embedding = nn.Parameter(torch.empty(1, count, width))
            nn.init.trunc_normal_(self.position_embedding, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        batch, width, *size = x.shape
        tokens = x.flatten(2)
        if self.prefix:
            token = self.class_token.view(1, width, 1).expand(batch, width, 1)
            tokens = torch.cat([token, tokens], dim=2)
        if self.position_embedding is not None:
            tokens = tokens + self.resampled(self.position_embedding, size)
        return tokens.unsqueeze(3) if self.prefix else tokens.view(x.shape)

    def resampled(self, embedding: Tensor, size: Sequence[int]) -> Tensor:
        """The position embedding (1, C, tokens) for a map of a size."""
        embedding = embedding.transpose(1, 2)
        if tuple(size) == self.size:
            return embedding
        prefix, grid = embedding[:, :, : self.prefix], embedding[:, :, self.prefix :]
        grid = grid.reshape(1, -1, *self.size)
        grid = functional.interpolate(grid, size, mode="bicubic", antialias=True)
        return torch.cat([prefix, grid.flatten(2)], dim=2)


class FirstToken(nn.Module):
    """The class token, as a map of one pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, :1]


class Attention(nn.Module):
    """Every pixel attends to every pixel (Vaswani et al., 2017, arXiv:1706.03762)."""

    def __init__(self, width: int, heads: int, bias: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, width, *size = x.shape
        qkv = self.qkv(x.flatten(2).transpose(1, 2))
        qkv = qkv.view(batch, -1, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        y: Tensor = functional.scaled_dot_product_attention(q, k, v)
        y = self.proj(y.transpose(1, 2).flatten(2)).transpose(1, 2)
        return y.reshape(batch, width, *size)


class WindowAttention(nn.Module):
    """Every pixel attends to those of its window (Liu et al., 2021, arXiv:2103.14030).

    A map that windows do not tile is padded with zeros, an axis that is not longer than
    a window is one window. Shifted windows start half a window later.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        window: int,
        relative_position: bool = False,
        shifted: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.shift = window // 2 if shifted else 0
        self.relative_position_bias: nn.Parameter | None = None
        if relative_position:
            table = torch.empty((2 * window - 1) ** 2, heads)
            self.relative_position_bias = nn.Parameter(table)
            nn.init.trunc_normal_(self.relative_position_bias, std=0.02)
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        rows, columns = min(self.window, height), min(self.window, width)
        down = self.shift if height > self.window else 0
        right = self.shift if width > self.window else 0
        x = functional.pad(x, (0, -width % columns, 0, -height % rows))
        x = x.roll((-down, -right), (2, 3))
        mask = self.offset_bias(rows, columns)
        if down or right:
            mask = mask + seam_mask(x, (rows, columns), (down, right)).unsqueeze(2)
        y = self.attended(split_windows(x, rows, columns), mask)
        y = join_windows(y, x.shape, rows, columns)
        return y.roll((down, right), (2, 3))[:, :, :height, :width]

    def attended(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, count, pixels, width = x.shape
        qkv = self.qkv(x).view(batch, count, pixels, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)
        y = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        output: Tensor = self.proj(y.transpose(2, 3).flatten(3))
        return output

    def offset_bias(self, rows: int, columns: int) -> Tensor:
        """What is added to the logits of two pixels of a window, by their offset."""
        table = self.relative_position_bias
        if table is None:
            return self.qkv.weight.new_zeros(1, 1)
        down = torch.arange(rows).view(-1, 1, 1, 1) - torch.arange(rows).view(-1, 1)
        right = torch.arange(columns).view(-1, 1, 1) - torch.arange(columns)
        down, right = down + self.window - 1, right + self.window - 1
        index = (down * (2 * self.window - 1) + right).flatten().to(table.device)
        return table[index].t().reshape(-1, rows * columns, rows * columns)


def split_windows(x: Tensor, rows: int, columns: int) -> Tensor:
    """A map (N, C, H, W) as windows of tokens (N, windows, rows x columns, C)."""
    batch, width, down, across = x.shape
    x = x.view(batch, width, down // rows, rows, across // columns, columns)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, rows * columns, width)


def join_windows(x: Tensor, shape: Sequence[int], rows: int, columns: int) -> Tensor:
    """Windows of tokens as the map that they were split from."""
    batch, width, down, across = shape
    x = x.view(batch, down // rows, across // columns, rows, columns, width)
    return x.permute(0, 5, 1, 3, 2, 4).reshape(batch, width, down, across)


def seam_mask(x: Tensor, window: tuple[int, int], shift: tuple[int, int]) -> Tensor:
    """Minus infinity for two pixels of a window on two sides of the seam of a rolled
    map, where its borders meet; 0 for others."""
    down, right = map(seam_regions, x.shape[2:], window, shift)
    regions = (3 * down.view(-1, 1) + right).to(x.device)
    regions = split_windows(regions[None, None], *window)
    apart = regions != regions.transpose(2, 3)
    return torch.zeros_like(apart, dtype=x.dtype).masked_fill(apart, -torch.inf)


def seam_regions(length: int, window: int, shift: int) -> Tensor:
    """For each place of a rolled line: 0 before the last window, 1 in it and before the
    seam, 2 after the seam. A line that is not rolled has no seam."""
    places = torch.arange(length)
    if shift == 0:
        return torch.zeros_like(places)
    return (places >= length - window).long() + (places >= length - shift)
