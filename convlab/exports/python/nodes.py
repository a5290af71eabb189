"""A network on its way to source: what is made by one call, what stands in a row or side by side, and what becomes a class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
"""What may be there in some blocks of a class and not in others, and is called in the same line as the layer before it."""

WITHOUT_WEIGHTS = frozenset({"activation", "dropout", "max_pool", "average_pool", "global_pool", "flatten"})


def alike(one: Node | None, other: Node | None) -> bool:
    """Whether two nodes differ in numbers only."""
    match one, other:
        case Make(), Make():
            names = [[argument.name for argument in node.arguments] for node in (one, other)]
            return one.maker == other.maker and names[0] == names[1]
        case Series(), Series():
            names = [[name for name, _ in node.children] for node in (one, other)]
            return names[0] == names[1] and all(map(alike, _nodes(one.children), _nodes(other.children)))
        case Branches(), Branches():
            same = one.maker == other.maker and len(one.children) == len(other.children)
            return same and all(map(alike, one.children, other.children))
        case _:
            return False


def similar(one: Body, other: Body) -> bool:
    """Whether two bodies can be one class: they differ in numbers, in small layers that are there or not, and in their shortcuts."""
    if (one.name, one.level) != (other.name, other.level):
        return False
    if not (one.shortcut is None or other.shortcut is None or alike(one.shortcut, other.shortcut)):
        return False
    if one.join == other.join and (one.scale is None) != (other.scale is None):
        return False
    return _rows_match(one.branch, other.branch) and _rows_match(one.after, other.after)


def united_names(rows: Iterable[Sequence[str]]) -> list[str] | None:
    """All names in an order that every row keeps; None where there is none."""
    rows = list(rows)
    united: list[str] = []
    for row in rows:
        place = 0
        for name in row:
            if name not in united:
                united.insert(place, name)
            place = united.index(name) + 1
    in_order = all([name for name in united if name in row] == list(row) for row in rows)
    return united if in_order else None


def _rows_match(one: tuple[tuple[str, Node], ...], other: tuple[tuple[str, Node], ...]) -> bool:
    first, second = dict(one), dict(other)
    if united_names([list(first), list(second)]) is None or [*first][-1:] != [*second][-1:]:
        return False
    for name in {*first, *second}:
        if name not in first or name not in second:
            lone = first.get(name) or second.get(name)
            if not (isinstance(lone, Make) and (lone.maker in LIGHT or lone.maker[0].isupper())):
                return False
        elif not (alike(first[name], second[name]) or _tail_differs(first[name], second[name])):
            return False
    return True


def _tail_differs(one: Node, other: Node) -> bool:
    """Whether one sum has a branch more at its end (an identity that a strided block lacks)."""
    if not (isinstance(one, Branches) and isinstance(other, Branches) and one.maker == other.maker == "Sum"):
        return False
    return abs(len(one.children) - len(other.children)) == 1 and all(map(alike, one.children, other.children))


def _nodes(children: tuple[tuple[str, Node], ...]) -> list[Node]:
    return [node for _, node in children]
