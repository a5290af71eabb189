"""The blocks of a stage as comprehensions: the first by itself where it differs, the others in a loop, or blocks that take turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from convlab.exports.python.layout import Brackets, Expression, call, flat, repeated
from convlab.exports.python.modules import expression
from convlab.exports.python.nodes import Make
from convlab.exports.python.scopes import Scope

Makes = Sequence[Make | None]


class Blocks(Protocol):
    """What is known of a stage's blocks: how many, the first, the others, and every second one where they take turns."""

    @property
    def depth(self) -> int: ...
    @property
    def first(self) -> Make: ...
    @property
    def other(self) -> Make | None: ...
    @property
    def turn(self) -> Make | None: ...


def drops_path(make: Make | None) -> bool:
    """Whether a block is given a rate of drop path."""
    return make is not None and any(argument.name == "drop_path" for argument in make.arguments)


def blocks_in_order(stages: Sequence[Blocks], scope: Scope, length: str) -> Expression:
    """The blocks of similar stages as one ``nn.Sequential``: ``length`` names their number ("depth"), or a list of their rates."""
    firsts, others = [stage.first for stage in stages], [stage.other for stage in stages]
    if any(stage.turn is not None for stage in stages):
        return call("nn.Sequential", _turns(firsts, [stage.turn for stage in stages], scope, length))
    same = all(other is None or other == first for first, other in zip(firsts, others, strict=True))
    if all(stage.depth == 1 for stage in stages):
        return call("nn.Sequential", _first(firsts, scope, length))
    if same:
        return call("nn.Sequential", _loop(firsts, scope, length, range_of=length, rates=length))
    rest = _loop(others, scope, length, range_of=f"{length} - 1", rates=f"{length}[1:]")
    return call("nn.Sequential", _first(firsts, scope, length), rest)


def _first(makes: Makes, scope: Scope, length: str) -> Expression:
    return _with_rate(expression(makes, scope), f"{length}[0]")


def _loop(makes: Makes, scope: Scope, length: str, *, range_of: str, rates: str) -> Expression:
    made = _with_rate(expression(makes, scope), "rate")
    if length == "depth":
        return repeated(made, f"for _ in range({range_of})")
    return repeated(made, f"for {'rate' if any(map(drops_path, makes)) else '_'} in {rates}")


def _turns(ones: Makes, others: Makes, scope: Scope, length: str) -> Expression:
    """Blocks of two kinds in turns, which differ in arguments only."""
    one, other = (_with_rate(expression(makes, scope), "rate") for makes in (ones, others))
    assert isinstance(one, Brackets)
    assert isinstance(other, Brackets)
    items = tuple(_alternating(flat(a), flat(b)) for a, b in zip(one.items, other.items, strict=True))
    made = Brackets(one.opening, items, one.closing)
    if length == "depth":
        return repeated(made, "for index in range(depth)")
    return repeated(made, f"for index, rate in enumerate({length})")


def _alternating(one: str, other: str) -> str:
    """An argument that alternates with the block's index."""
    if one == other:
        return one
    name, _, first = one.rpartition("=")
    second = other.rpartition("=")[2]
    if (first, second) == ("False", "True"):
        return f"{name}=index % 2 == 1"
    return f"{name}=({first}, {second})[index % 2]"


def _with_rate(made: Expression, rate: str) -> Expression:
    """A call with the rate of drop path as it is known here."""
    assert isinstance(made, Brackets)
    items = tuple(f"drop_path={rate}" if item == "drop_path=drop_path" else item for item in made.items)
    return Brackets(made.opening, items, made.closing)
