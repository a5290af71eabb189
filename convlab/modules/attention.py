"""Multi-head self-attention over NCHW maps: of the whole map, or within windows that may be shifted."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional


@final
class GlobalAttention2d(nn.Module):
    """Every pixel attends to every pixel (Vaswani et al., 2017, arXiv:1706.03762); fastest where the map is channels-last in memory."""

    def __init__(self, channels: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels, bias=bias)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        y = self.qkv(x.permute(0, 2, 3, 1).reshape(batch, height * width, channels))
        y = _attended(y, self.heads, None)
        return self.proj(y).view(batch, height, width, channels).permute(0, 3, 1, 2)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"heads={self.heads}"


@final
class WindowAttention2d(nn.Module):
    """Every pixel attends to those of its window (Liu et al., 2021, arXiv:2103.14030).

    A map smaller than a window is one window. Otherwise the map is padded with zeros to whole windows, as published; with a shift the
    windows start ``window // 2`` pixels later, and what lies before them at the borders attends to itself. The orders and masks of
    maps of the size given at construction are kept, others are made when they come.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        window: int,
        size: tuple[int, int],
        shifted: bool,
        relative_position: bool,
        bias: bool,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.shift = window // 2 if shifted else 0
        self.qkv = nn.Linear(channels, 3 * channels, bias=bias)
        self.proj = nn.Linear(channels, channels)
        self.relative_position_bias: nn.Parameter | None
        table = torch.zeros((2 * window - 1) ** 2, heads) if relative_position else None
        self.register_parameter("relative_position_bias", None if table is None else nn.Parameter(table))
        self.height, self.width = size
        self.order: Tensor
        self.back: Tensor
        self.apart: Tensor
        self.offsets: Tensor
        order, apart = window_order(self.height, self.width, window, self.shift)
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("back", order.argsort(), persistent=False)
        self.register_buffer("apart", apart, persistent=False)
        self.register_buffer("offsets", window_offsets(self.height, self.width, window), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        order, back, apart, offsets = self.order, self.back, self.apart, self.offsets
        if height != self.height or width != self.width:
            order, apart = window_order(height, width, self.window, self.shift)
            order, apart = order.to(x.device), apart.to(x.device)
            back = order.argsort()
            offsets = window_offsets(height, width, self.window).to(x.device)
        rows, columns = min(self.window, height), min(self.window, width)
        below, right = -height % rows, -width % columns
        x = x.permute(0, 2, 3, 1)
        if below + right > 0:
            x = functional.pad(x, (0, 0, 0, right, 0, below))
        positions = (height + below) * (width + right)
        windows = positions // (rows * columns)
        x = x.reshape(batch, positions, channels)
        if windows > 1:
            x = x.index_select(1, order)
        x = self.qkv(x.view(batch * windows, rows * columns, channels))
        x = _attended(x, self.heads, self._mask(batch, apart, offsets))
        x = self.proj(x).view(batch, positions, channels)
        if windows > 1:
            x = x.index_select(1, back)
        x = x.view(batch, height + below, width + right, channels)
        if below + right > 0:
            x = x[:, :height, :width].contiguous()
        return x.permute(0, 3, 1, 2)

    def _mask(self, batch: int, apart: Tensor, offsets: Tensor) -> Tensor | None:
        """What is added to the logits: [1 or batch x windows, heads, pixels, pixels], pixels those of a window."""
        bias: Tensor | None = self.relative_position_bias
        pixels = apart.shape[-1]
        if bias is not None:
            bias = bias.t().index_select(1, offsets).view(1, 1, self.heads, pixels, pixels)
            if self.shift == 0 or apart.shape[0] == 1:
                return bias[0]
        elif self.shift == 0 or apart.shape[0] == 1:
            return None
        else:
            bias = torch.zeros((), dtype=self.qkv.weight.dtype, device=apart.device)
        windows = apart.shape[0]
        apart = apart.view(1, windows, 1, pixels, pixels).expand(batch, windows, self.heads, pixels, pixels)
        return torch.where(apart, float("-inf"), bias).view(batch * windows, self.heads, pixels, pixels)

    def extra_repr(self) -> str:
        return f"heads={self.heads}, window={self.window}, shift={self.shift}"


def window_order(height: int, width: int, window: int, shift: int) -> tuple[Tensor, Tensor]:
    """The pixels of a padded map window by window, and for each window the pairs of pixels that must not see each other.

    An axis that is not longer than a window is not shifted: it is one window.
    """
    rows, columns = min(window, height), min(window, width)
    padded = height + -height % rows, width + -width % columns
    down, right = (shift if height > window else 0), (shift if width > window else 0)
    places = torch.arange(padded[0] * padded[1]).view(padded[0], padded[1]).roll((-down, -right), (0, 1))
    vertical, horizontal = _regions(padded[0], rows, down), _regions(padded[1], columns, right)
    regions = vertical.view(-1, 1) * 3 + horizontal.view(1, -1)
    tiles = (padded[0] // rows, rows, padded[1] // columns, columns)
    order = places.view(tiles).transpose(1, 2).reshape(-1)
    by_window = regions.view(tiles).transpose(1, 2).reshape(-1, rows * columns)
    return order, by_window.unsqueeze(1) != by_window.unsqueeze(2)


def _regions(length: int, window: int, shift: int) -> Tensor:
    """For each pixel of a rolled line: whether its window is whole (0), the last before (1) or the first after (2) the roll's seam."""
    places = torch.arange(length)
    if shift == 0:
        return torch.zeros_like(places)
    return (places >= length - window).long() + (places >= length - shift).long()


def window_offsets(height: int, width: int, window: int) -> Tensor:
    """For each pair of pixels of a window the row of the relative position table, which has (2 x window - 1)^2 of them."""
    rows, columns = torch.arange(min(window, height)), torch.arange(min(window, width))
    down = rows.view(-1, 1, 1, 1) - rows.view(1, 1, -1, 1) + window - 1
    right = columns.view(1, -1, 1, 1) - columns.view(1, 1, 1, -1) + window - 1
    return (down * (2 * window - 1) + right).reshape(-1)


def _attended(qkv: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """Queries, keys and values [batch, pixels, 3 x channels] to what was attended [batch, pixels, channels]."""
    batch, pixels, channels = qkv.shape
    q, k, v = qkv.view(batch, pixels, 3, heads, channels // (3 * heads)).permute(2, 0, 3, 1, 4).unbind(0)
    y = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return y.transpose(1, 2).reshape(batch, pixels, channels // 3)
