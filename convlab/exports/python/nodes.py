"""A network on its way to source: what is made by one call, what stands in a row or side by side, and what becomes a class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import final


class Code(str):
    """A value that is written as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Given(str):
    """A value that only the caller of a class knows; the text is its name, and every class hands it through."""

    __slots__ = ()


Value = int | float | str | tuple[int, ...]


def written(value: Value) -> str:
    """A value as Python, a small number as a person writes it: 1e-6."""
    return re.sub(r"e-0(?=\d)", "e-", repr(value)) if isinstance(value, float) else repr(value)


@final
@dataclass(frozen=True, slots=True)
class Argument:
    """One number of a module. One that is a ``width`` may follow from other widths; a default need not be said."""

    name: str
    value: Value
    width: bool = False
    default: str = ""


@final
@dataclass(frozen=True, slots=True)
class Make:
    """A module that one call makes; ``word`` says what widths are called here that are neither the block's own nor its input's."""

    maker: str
    arguments: tuple[Argument, ...] = ()
    word: str = ""

    def __getitem__(self, name: str) -> Value:
        return next(argument.value for argument in self.arguments if argument.name == name)


@final
@dataclass(frozen=True, slots=True)
class Series:
    """Modules in order, by name or by number."""

    children: tuple[tuple[str, Node], ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Branches:
    """Modules side by side, joined by ``maker``: a sum or a concatenation."""

    maker: str
    children: tuple[Node, ...]


@final
@dataclass(frozen=True, eq=False, slots=True)
class Body:
    """What becomes a class of its own: layers in order, and how what comes out of them joins what went in.

    ``join`` is "sum" (a residual), "product" (a gate) or "" (only what comes out).
    """

    name: str
    level: int
    join: str
    width_in: int
    width: int
    branch: tuple[tuple[str, Node], ...]
    after: tuple[tuple[str, Node], ...] = ()
    shortcut: Node | None = None
    scale: float | None = None
    drop_path: bool = False


Node = Make | Series | Branches | Body

GATE, BRANCH, BLOCK = 0, 1, 2
"""The levels of bodies: one is made of modules and of bodies of lower levels."""

NORMS = frozenset({"batch_norm", "layer_norm", "group_norm", "rms_norm"})
LIGHT = NORMS | {"activation", "dropout", "grn"}
"""What may be there in some blocks of a class and not in others."""

WITHOUT_WEIGHTS = frozenset({"activation", "dropout", "max_pool", "average_pool", "global_pool", "flatten"})
