"""What every layer knows of itself: a closed set of facts, each a function of the shape that comes in.

Structure branches, size multiplies. Code in this folder and in the language's lowering may branch on what kind of thing something
is. It may never branch on how big something is, because whole populations are costed by the same lines with int64 arrays in the
places of the ints. Where structure hangs on a size (an identity or a projection shortcut: width in == width out) it is part of the
group that is costed together; rounding and clamping use ``rounded``, ``larger`` and ``smaller``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, dataclass_transform

from convlab.layers.shape import POINT, Interval, Shape, Window, larger, narrower, smaller, united

if TYPE_CHECKING:
    from torch import nn


Concrete = TypeVar("Concrete", bound="Layer")


class Field(NamedTuple):
    """The receptive field over all paths: the widest (None where a path sees the whole map) and the narrowest."""

    widest: Window | None
    narrowest: Window

    def then(self, outer: Field) -> Field:
        """The field of a layer with field ``outer`` that runs after this one."""
        widest = None if self.widest is None or outer.widest is None else self.widest.then(outer.widest)
        return Field(widest, self.narrowest.then(outer.narrowest))

    def beside(self, other: Field) -> Field:
        """The field over the paths of this layer and of one that sees the same input."""
        widest = None if self.widest is None or other.widest is None else united(self.widest, other.widest)
        return Field(widest, narrower(self.narrowest, other.narrowest))


class Live(NamedTuple):
    """Memory while a layer runs, in elements: the most that is live beside its input, and what is left of it as its output.

    ``output`` is 0 where the output shares its input's storage.
    """

    extra: int
    output: int

    def repeated(self, count: int) -> Live:
        """The same layer ``count`` times in a row; from the second on, the output of the one before is live as well."""
        again = smaller(larger(count - 1, 0), 1)
        return Live(self.extra + again * self.output, self.output)


POINTWISE = Field(POINT, POINT)


class Copies(NamedTuple):
    """How often a layer is repeated, and how its path changes: the index that stands at ``place`` counts up by ``step``."""

    count: int = 1  # type: ignore[assignment]  # the word of the field; it is not searched as a tuple
    place: int = -1
    step: int = 1


class Row(NamedTuple):
    """One leaf of the tree in order of execution: where it stands, what comes in and goes out, how often it is repeated.

    ``path`` is that of the first instance; the others follow by counting up the index that stands at ``place`` by ``step``.
    """

    path: str
    layer: Layer
    input: Shape
    output: Shape
    count: int  # type: ignore[assignment]  # the word of the field; a row is not searched as a tuple
    place: int
    step: int = 1

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of every instance."""
        if self.place < 0:
            return (self.path,)
        parts = self.path.split(".")
        first = int(parts[self.place])
        before, after = parts[: self.place], parts[self.place + 1 :]
        indices = range(first, first + self.count * self.step, self.step)
        return tuple(".".join([*before, str(index), *after]) for index in indices)


class Layer:
    """A node of the layer tree: a leaf (a layer with facts) or a combinator of layers. Frozen; compared by identity."""

    multiplies: ClassVar[bool] = False
    """Whether the layer is a convolution or a linear layer, whose outputs count as activations."""

    hands_over: ClassVar[bool] = False
    """Whether the output is a new map that only the next layer needs: at inference that one may write over it."""

    appearance: ClassVar[frozenset[str]] = frozenset()
    """Fields that say how a layer is realised, not what it is: costs and keys do not see them."""

    def output(self, x: Shape) -> Shape:
        """The shape that goes out."""
        return x

    def params(self, x: Shape) -> int:
        """Trainable parameters."""
        return 0

    def macs(self, x: Shape) -> int:
        """Multiply-adds for one image."""
        return 0

    def activations(self, x: Shape) -> int:
        """Outputs of convolutions and linear layers, in elements."""
        return self.output(x).elements if self.multiplies else 0

    def field(self) -> Field:
        """The receptive field of one output pixel in the layer's input, wherever the pixel stands."""
        return POINTWISE

    def seen(self, pixels: Interval) -> Interval:
        """The input pixels that an interval of output pixels sees along an axis without end; only where the field is not global."""
        window = self.field().widest
        assert window is not None
        start = pixels.first * window.stride + window.start
        return Interval(start, start + (pixels.last - pixels.first) * window.stride + window.size - 1)

    def workspace(self, x: Shape) -> int:
        """Elements allocated for the time of the call, beside the output."""
        return 0

    def keeps_input(self, x: Shape) -> int:
        """Whether autograd keeps the layer's input for the backward pass: 0 or 1."""
        return 1

    def keeps_output(self) -> int:
        """Whether autograd keeps the layer's output for the backward pass: 0 or 1."""
        return 0

    def is_view(self) -> int:
        """Whether the output shares its input's storage, also while training: 0 or 1."""
        return 0

    def kept(self, x: Shape) -> int:
        """Bytes that autograd keeps of one image beside input and output; parameters and buffers are not counted."""
        return 0

    def kept_once(self, x: Shape) -> int:
        """Bytes that autograd keeps of a batch, however large."""
        return 0

    def live(self, x: Shape) -> Live:
        """Memory at inference, eager; the layer by itself leaves its input as it is."""
        output = self.output(x).elements
        return Live(output + self.workspace(x), output)

    def gives_own_map(self) -> bool:
        """Whether the output at inference is a map that nobody else holds, as ``hands_over`` says it of a leaf."""
        return self.hands_over

    def writes_over(self) -> bool:
        """Whether the layer can put its output in its input's place at inference."""
        return False

    def dropped(self, x: Shape) -> tuple[int, int]:
        """Rows and columns at the end of the map that no window covers."""
        return 0, 0

    def trace(self, path: str, x: Shape, copies: Copies, rows: list[Row]) -> Shape:
        """Append a row for every leaf in order of execution and give the shape that goes out."""
        y = self.output(x)
        rows.append(Row(path, self, x, y, *copies))
        return y

    def signature(self) -> list[Any]:
        """Plain data that is equal for equal layers: the class's name and the fields that say what it is; empty for dropout."""
        plain: list[Any] = [type(self).__name__]
        for field in fields(self):  # type: ignore[arg-type]  # every concrete layer is a dataclass
            if field.name not in self.appearance:
                plain.append([field.name, getattr(self, field.name)])
        return plain

    def module(self, x: Shape) -> nn.Module:
        """The torch module, for an input of shape ``x``. Imports torch."""
        raise AssertionError(f"{type(self).__name__} is built by its container")

    def label(self) -> str:
        """The layer in a few words, for tables."""
        return type(self).__name__


Named = tuple[str, Layer]
"""A layer and its name among its neighbours."""


@dataclass_transform(frozen_default=True, eq_default=False)
def layer(concrete: type[Concrete]) -> type[Concrete]:
    """The decorator of concrete layers: a frozen dataclass, compared by identity, because fields may hold arrays and trees key caches."""
    return dataclass(frozen=True, eq=False, slots=True)(concrete)
