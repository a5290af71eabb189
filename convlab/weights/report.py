"""What became of a checkpoint's tensors: one line a tensor, and the report that a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

SHOWN = 4
"""Tensors of each kind that a text names; it counts the others."""


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One tensor: our path and shape, the checkpoint's names and shapes; the side where it does not exist is empty.

    Several names stand for one tensor of ours that the checkpoint keeps in pieces (query, key and value).
    """

    path: str
    names: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    their_shapes: tuple[tuple[int, ...], ...] = ()
    dtype: str = ""
    their_dtype: str = ""

    def __str__(self) -> str:
        ours = f"{self.path} {size(self.shape)}" if self.path else ""
        names = ["" if name == self.path else f"{name} " for name in self.names]
        shapes = [*map(size, self.their_shapes), *[""] * (len(names) - len(self.their_shapes))]
        theirs = ", ".join(f"{name}{shape}".strip() for name, shape in zip(names, shapes, strict=True))
        casts = f" ({self.their_dtype} to {self.dtype})" if self.dtype != self.their_dtype else ""
        return " <- ".join(filter(None, (ours, theirs))) + casts


@final
@dataclass(frozen=True, slots=True)
class Report:
    """What loading did: ``loaded`` holds every tensor that was filled; of these, ``reshaped`` and ``cast`` changed on the way.

    ``missing`` are weights of ours that were left as they were, ``unexpected`` tensors of the checkpoint that nothing took;
    ``ignored`` are those of both that were to be left out.
    """

    loaded: tuple[Line, ...]
    missing: tuple[Line, ...]
    unexpected: tuple[Line, ...]
    reshaped: tuple[Line, ...]
    source: str
    layout: str
    ignored: tuple[Line, ...] = ()

    @property
    def cast(self) -> tuple[Line, ...]:
        """The loaded tensors whose number format changed."""
        return tuple(line for line in self.loaded if line.dtype != line.their_dtype)

    def __str__(self) -> str:
        lines = [f"{self.source}, layout {self.layout}: {count(len(self.loaded), 'tensor')} loaded"]
        for what in ("reshaped", "cast", "missing", "unexpected", "ignored"):
            found: tuple[Line, ...] = getattr(self, what)
            if found:
                lines.append(f"{len(found)} {what}:")
                lines += [f"  {line}" for line in found[:SHOWN]]
                lines += [f"  and {len(found) - SHOWN} more"] * (len(found) > SHOWN)
        return "\n".join(lines)


def size(shape: Sequence[int]) -> str:
    """A tensor's shape, as 96x1x7x7; a single number has none."""
    return "x".join(map(str, shape)) or "()"


def count(number: int, noun: str) -> str:
    """A number with its noun, as "1 tensor" or "182 tensors"."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def first_of(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
