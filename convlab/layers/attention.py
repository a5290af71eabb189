"""Multi-head self-attention with its projections, of the whole map or within windows, as one leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from convlab.layers.layer import Field, Layer, layer
from convlab.layers.shape import POINT, Interval, Shape, Window, larger, smaller

if TYPE_CHECKING:
    from torch import nn


class Tiling(NamedTuple):
    """A map in windows: how many, how many pixels each has, and the pixels of all with the padding that fills the last ones."""

    windows: int
    pixels: int
    padded: int

    @property
    def several(self) -> int:
        """1 where there is more than one window, else 0."""
        return smaller(self.windows - 1, 1)


@layer
class Attention(Layer):
    """Every pixel attends to all pixels (Vaswani et al., 2017, arXiv:1706.03762) or to those of its window.

    Windows are those of Swin (Liu et al., 2021, arXiv:2103.14030): ``window`` is a window's side in pixels, 0 for the whole map; a map
    smaller than that is one window. ``shifted`` windows start ``window // 2`` pixels later. ``relative_position`` adds a learned number
    a head to each logit by the two pixels' offset. MACs hold the projections to queries, keys and values and back, and the two
    products of attention; windows that padding fills are counted in full.
    """

    heads: int
    window: int = 0
    shifted: bool = False
    relative_position: bool = False
    bias: bool = True
    multiplies: ClassVar[bool] = True
    hands_over: ClassVar[bool] = True

    def tiling(self, x: Shape) -> Tiling:
        """The windows of a map."""
        if self.is_global:
            return Tiling(1, x.positions, x.positions)
        # At least one pixel: in a population some members' maps may vanish, which is told elsewhere.
        rows, columns = smaller(self.window, larger(x.height, 1)), smaller(self.window, larger(x.width, 1))
        down, across = -(-x.height // rows), -(-x.width // columns)
        return Tiling(down * across, rows * columns, down * rows * across * columns)

    @property
    def is_global(self) -> bool:
        """Whether every pixel sees the whole map."""
        return type(self.window) is int and self.window == 0

    def params(self, x: Shape) -> int:
        weights = 4 * x.channels * x.channels + x.channels
        if self.bias:
            weights = weights + 3 * x.channels
        table = (2 * self.window - 1) ** 2 * self.heads
        return weights + table if self.relative_position else weights

    def macs(self, x: Shape) -> int:
        tiling = self.tiling(x)
        projections = 4 * x.channels * x.channels
        return tiling.padded * (projections + 2 * tiling.pixels * x.channels)

    def activations(self, x: Shape) -> int:
        return 4 * self.tiling(x).padded * x.channels  # queries, keys, values and the output

    def field(self) -> Field:
        if self.is_global:
            return Field(None, POINT)
        return Field(Window(2 * self.window - 1, 1, 1 - self.window), POINT)

    def seen(self, pixels: Interval) -> Interval:
        shift = self.window // 2 if self.shifted else 0
        first = (pixels.first - shift) // self.window * self.window + shift
        last = (pixels.last - shift) // self.window * self.window + shift + self.window - 1
        return Interval(first, last)

    def workspace(self, x: Shape) -> int:
        """The most that is live beside input and output, in the order of the steps: pad, sort by window, project, attend, project, undo."""
        tiling = self.tiling(x)
        elements = tiling.padded * x.channels
        in_windows = tiling.several * elements  # a single window lies in memory as it is
        most = larger(self._is_padded(x) * elements + in_windows, in_windows + 3 * elements)
        bias, mask = self._bias_and_mask(tiling)
        most = larger(most, 3 * elements + bias + mask + smaller(mask, 1))  # a mask is made with one number beside it
        attending = 4 * elements + self.heads * tiling.padded  # with the sum of each pixel's exponentials
        most = larger(most, attending + larger(mask, (1 - smaller(mask, 1)) * bias))
        return larger(most, 2 * elements) - x.elements

    def keeps_input(self, x: Shape) -> int:
        return 1 - self.tiling(x).several

    def kept(self, x: Shape) -> int:
        """Input and output of the projections, and what attention itself keeps: its fused kernel takes no bias that is learned."""
        tiling = self.tiling(x)
        elements = tiling.padded * x.channels
        if (
            self.relative_position
        ):  # queries, keys, values and weights, each by itself; the values of a single head with the other two
            one_head = 1 - smaller(self.heads - 1, 1)
            attention = (3 + 2 * one_head) * elements + self.heads * tiling.padded * tiling.pixels
        else:
            attention = 3 * elements + self.heads * tiling.padded + self._bias_and_mask(tiling)[1]
        return 4 * (tiling.several * elements + attention + elements)

    def _is_padded(self, x: Shape) -> int:
        return smaller(self.tiling(x).padded - x.positions, 1)

    def _bias_and_mask(self, tiling: Tiling) -> tuple[int, int]:
        """Elements of what is added to the logits: a learned bias that all windows share, and one for each that sets pixels apart."""
        one = self.heads * tiling.pixels * tiling.pixels
        bias = one if self.relative_position else 0
        moved = smaller(self.window // 2, 1) if self.shifted else 0
        return bias, moved * tiling.several * tiling.windows * one

    def module(self, x: Shape) -> nn.Module:
        from convlab.modules import GlobalAttention2d, WindowAttention2d

        if self.is_global:
            return GlobalAttention2d(x.channels, self.heads, self.bias)
        size = (x.height, x.width)
        return WindowAttention2d(
            x.channels, self.heads, self.window, size, self.shifted, self.relative_position, self.bias
        )

    def label(self) -> str:
        if self.is_global:
            return f"Attention, {self.heads} heads"
        shifted = ", shifted" if self.shifted else ""
        return f"Attention in windows {self.window}x{self.window}{shifted}, {self.heads} heads"
