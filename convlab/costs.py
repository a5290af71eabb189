"""What a design costs, exactly and without torch: parameters, multiply-adds, activations, receptive field, memory at inference."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, reduce
from typing import NamedTuple

from convlab import display
from convlab.errors import ConvlabError, Problem
from convlab.language.acceptance import accepted
from convlab.language.design import Design, Image, Network, Part, lower
from convlab.language.folding import folded_network
from convlab.language.knobs import Refused, knobs_of
from convlab.language.lowering import Adjustment
from convlab.language.validation import structural_faults, validated
from convlab.layers import Attention, Chain, Field, Layer, Live, Row, Shape, Window, saved
from convlab.layers.layer import POINTWISE, Copies
from convlab.layers.shape import Interval, counted, larger, largest, smallest
from convlab.metrics import METRICS

MOST_PLACES = 10_000
"""So many places among windows are tried for a receptive field; Swin has 7."""

MANY_PLACES = 64
"""From so many places on they are tried as one array: fewer are done before numpy is imported."""


class PartCost(NamedTuple):
    """What one part costs for one input shape: its rows in order and its totals."""

    part: Part
    input: Shape
    rows: tuple[Row, ...]
    output: Shape
    params: int
    macs: int
    activations: int

    @property
    def path(self) -> str:
        """The layer path."""
        return self.part.path

    @property
    def head(self) -> bool:
        """Whether the part follows the last feature map."""
        return self.part.head

    @property
    def field(self) -> Field:
        """The receptive field in the part's input."""
        return _field_once(self.part.tree)

    @property
    def live(self) -> Live:
        """Memory while the part runs, in elements."""
        return _live_once(self.part.tree, self.input)


@dataclass(frozen=True, repr=False)
class Profile:
    """The costs of a design for one image, as it trains or folded. MACs are multiply-adds; flops are twice as many."""

    design: Design
    image: Shape
    parts: tuple[PartCost, ...]
    params: int
    macs: int
    activations: int
    folded: bool = False

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty

    def __repr__(self) -> str:
        image = "x".join(map(str, self.image))
        form = ", folded" if self.folded else ""
        return f"<Profile of {self.design!r}{form} at {image}: {self.params:,} parameters, {self.macs:,} multiply-adds>"

    @property
    def flops(self) -> int:
        """Floating-point operations of convolutions and linear layers: two a multiply-add."""
        return 2 * self.macs

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every layer in order of execution; repeated blocks are one row with a count."""
        return tuple(row for part in self.parts for row in part.rows)

    @property
    def features(self) -> Shape:
        """The last feature map, before the head."""
        return next(part.output for part in reversed(self.parts) if not part.head)

    @cached_property
    def receptive_field(self) -> Field:
        """What one pixel of the last feature map sees, over all paths and wherever it stands among windows of attention."""
        return receptive_field(self.parts)

    @cached_property
    def peak_elements(self) -> int:
        """The most elements that are live at once for one image at inference, eager and out of place, the image included."""
        return peak_elements(self.image, [part.live for part in self.parts])

    def peak_bytes(self, batch: int = 1, element_bytes: int = 4) -> int:
        """The most activation memory that is live at once at inference; weights come on top."""
        return self.peak_elements * batch * element_bytes

    def saved_bytes(self, batch: int = 1) -> int:
        """What autograd keeps of a forward pass of a batch, eager in float32, the images included.

        Parameters, buffers and the masks of drop path (a number a block and image) are not counted.
        """
        found = saved(Chain(tuple((part.path, part.part.tree) for part in self.parts)), self.image)
        image: int = found.input * 4 * self.image.elements
        total: int = batch * (found.bytes + image) + found.once
        return total

    @property
    def training_macs(self) -> int:
        """Multiply-adds of forward and backward: three times the forward ones, less the first layer's gradient of the image."""
        first = next((row for row in self.rows if row.layer.multiplies), None)
        return 3 * self.macs - (0 if first is None else first.layer.macs(first.input))

    def total(self, metric: str) -> int:
        """The total of any metric by name; the figure of a network is its sum over all layers."""
        of_row = METRICS[metric].of_row
        return sum(of_row(row) * row.count for row in self.rows)

    @property
    def adjustments(self) -> tuple[Adjustment, ...]:
        """Sizes that were rounded on the way; 0.1 x 30, which is not quite 3 in binary, is not rounded."""
        found = lower(self.design).adjustments
        return tuple(dict.fromkeys(item for item in found if not math.isclose(item.asked, item.given, rel_tol=1e-9)))

    @property
    def dropped(self) -> tuple[tuple[Row, int, int], ...]:
        """The layers whose input has rows or columns that no window covers, and how many."""
        found = ((row, *row.layer.dropped(row.input)) for row in self.rows)
        return tuple((row, rows, columns) for row, rows, columns in found if rows or columns)


def profile(design: Design, *, image: int | tuple[int, int] | None = None, folded: bool = False) -> Profile:
    """The costs of a design, for its own image size or another one (pixels). Raises ConvlabError where it is no valid design.

    They are those of the design built for that size: a position embedding has as many positions as the image then has patches.
    ``folded`` costs the network that ``convlab.fold`` makes of it: batch norms, layer scales and parallel branches inside convolutions.
    """
    if structural_faults(design):
        validated(design)
    shape = design.image.shape if image is None else _image(image, design.image.channels)
    network = lower(design)
    found = cost(design, network, shape)
    least = 1 + design.stem.class_token  # the token is left of a map that has vanished
    if found.features.height < least or found.features.width < 1 or not all(check.holds for check in network.checks):
        validated(design, shape)
    return replace(cost(design, folded_network(network, shape).network, shape), folded=True) if folded else found


def _image(size: int | tuple[int, int], channels: int) -> Shape:
    found = accepted(knobs_of(Image)["size"], size)
    if isinstance(found, Refused):
        raise ConvlabError(Problem(found.code, found.message, label=found.label, help=found.help, path="image.size"))
    return Image(found, channels).shape


def cost(design: Design, network: Network, image: Shape) -> Profile:
    """The costs of a lowered design."""
    x, params, macs, activations = image, 0, 0, 0
    parts = []
    for part in network.parts:
        found = _part_once(part, x)
        parts.append(found)
        x = found.output
        params += found.params
        macs += found.macs
        activations += found.activations
    return Profile(design, image, tuple(parts), params, macs, activations)


def part_cost(part: Part, x: Shape) -> PartCost:
    """What one part costs; sizes may be arrays."""
    rows: list[Row] = []
    output = part.tree.trace(part.path, x, Copies(), rows)
    params = macs = activations = 0
    for row in rows:
        layer, before, count = row.layer, row.input, row.count
        params = params + layer.params(before) * count
        if layer.multiplies:
            macs = macs + layer.macs(before) * count
            activations = activations + layer.activations(before) * count
    return PartCost(part, x, tuple(rows), output, params, macs, activations)


_part_once = lru_cache(maxsize=512)(part_cost)


@lru_cache(maxsize=512)
def _field_once(tree: Layer) -> Field:
    return tree.field()


@lru_cache(maxsize=512)
def _live_once(tree: Layer, x: Shape) -> Live:
    return tree.live(x)


def receptive_field(parts: Sequence[PartCost]) -> Field:
    """What one pixel of the last feature map sees; of windows of attention, the hull over all places that it may have among them.

    Where windows are so different that there are more than ``MOST_PLACES`` of those places, the hull is that of each layer's own.
    """
    parts = [part for part in parts if not part.head]
    field = POINTWISE
    for part in parts:
        field = field.then(part.field)
    attention = (row.layer for part in parts for row in part.rows if isinstance(row.layer, Attention))
    places = math.lcm(*(layer.window for layer in attention))
    if field.widest is None or places == 1 or places > MOST_PLACES:
        return field
    hull = _seen_from([part.part.tree for part in parts], places, field.widest)
    return field._replace(widest=Window(hull.last - hull.first + 1, field.widest.stride, hull.first))


def _seen_from(trees: Sequence[Layer], places: int, window: Window) -> Interval:
    """What so many neighbouring pixels see, each one's interval moved back to where the first pixel stands, as one hull."""
    of_one = type(window.size) is int
    if of_one and places >= MANY_PLACES:
        pixels = counted(places)
        hulls = _seen_through(trees, Interval(pixels, pixels), _seen).moved(-pixels * window.stride)
        return Interval(smallest(hulls.first), largest(hulls.last))
    look = _seen_once if of_one else _seen
    seen = (_seen_through(trees, Interval(pixel, pixel), look) for pixel in range(places))
    return reduce(Interval.hull, (interval.moved(-pixel * window.stride) for pixel, interval in enumerate(seen)))


def _seen_through(trees: Sequence[Layer], pixels: Interval, look: Callable[[Layer, Interval], Interval]) -> Interval:
    """The pixels of the image that an interval behind all trees sees, which ``look`` tells of one tree."""
    for tree in reversed(trees):
        pixels = look(tree, pixels)
    return pixels


def _seen(tree: Layer, pixels: Interval) -> Interval:
    return tree.seen(pixels)


# Places of one window differ until its attention; from there on, towards the image, they see the same.
_seen_once = lru_cache(maxsize=2048)(_seen)


def peak_elements(image: Shape, parts: Sequence[Live]) -> int:
    """The most elements that are live at once when parts run one after the other, the image included."""
    extra, held = 0, 0
    for live in parts:
        extra = larger(extra, held + live.extra)
        held = live.output if type(live.output) is not int or live.output else held
    return image.elements + extra
