"""Which nodes can be written as one: what differs in numbers only, and bodies that can be one class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convlab.exports.python.nodes import LIGHT, Body, Branches, Make, Node, Series


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


def fits(body: Body, group: Sequence[Body]) -> bool:
    """Whether a body can be of the class of others: it differs in numbers, in small layers that are there or not, in its shortcut."""
    if not all(_similar(body, other) for other in group):
        return False
    bodies = (body, *group)
    rows = ([one.branch for one in bodies], [one.after for one in bodies])
    return all(united_names([name for name, _ in row] for row in there) is not None for there in rows)


def _similar(one: Body, other: Body) -> bool:
    if (one.name, one.level) != (other.name, other.level):
        return False
    if not (one.shortcut is None or other.shortcut is None or alike(one.shortcut, other.shortcut)):
        return False
    if one.join == other.join and (one.scale is None) != (other.scale is None):
        return False
    return _rows_match(one.branch, other.branch) and _rows_match(one.after, other.after)


def united_names(rows: Iterable[Iterable[str]]) -> list[str] | None:
    """All names in an order that every row keeps; None where none is found."""
    rows = [list(row) for row in rows]
    united: list[str] = []
    for row in rows:
        place = 0
        for name in row:
            if name not in united:
                united.insert(place, name)
            place = united.index(name) + 1
    in_order = all([name for name in united if name in row] == row for row in rows)
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
