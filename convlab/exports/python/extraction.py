"""From blocks to classes: bodies that differ in numbers only become one class, from the innermost to the blocks themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from convlab.exports.python.bodies import body_class
from convlab.exports.python.likeness import fits
from convlab.exports.python.naming import Names
from convlab.exports.python.nodes import BLOCK, BRANCH, GATE, Body, Branches, Make, Node, Series


def extracted(nodes: Sequence[Node], names: Names, *, silent: bool) -> tuple[list[Node], list[str]]:
    """The nodes with calls in the places of bodies, and the classes that they call. ``silent``: last norms start at 0."""
    texts: list[str] = []
    for level in (GATE, BRANCH, BLOCK):
        made: dict[Body, Make] = {}
        for group in _groups([body for node in nodes for body in _bodies(node, level)]):
            text, makes = body_class(group, names.free(group[0].name), silent=silent)
            texts.append(text)
            made |= zip(group, makes, strict=True)
        nodes = [_without(node, made) for node in nodes]
    return list(nodes), texts


def _groups(bodies: Sequence[Body]) -> list[list[Body]]:
    groups: list[list[Body]] = []
    for body in bodies:
        for group in groups:
            if fits(body, group):
                group.append(body)
                break
        else:
            groups.append([body])
    return groups


def _bodies(node: Node | None, level: int) -> Iterator[Body]:
    """The bodies of a level in a node, in order."""
    if isinstance(node, Body) and node.level == level:
        yield node
        return
    for child in _children(node):
        yield from _bodies(child, level)


def _children(node: Node | None) -> list[Node | None]:
    match node:
        case Series():
            return [child for _, child in node.children]
        case Branches():
            return list(node.children)
        case Body():
            return [*(child for _, child in (*node.branch, *node.after)), node.shortcut]
        case _:
            return []


def _without(node: Node, made: Mapping[Body, Make]) -> Node:
    """A node with calls in the places of bodies."""

    def row(children: tuple[tuple[str, Node], ...]) -> tuple[tuple[str, Node], ...]:
        return tuple((name, _without(child, made)) for name, child in children)

    match node:
        case Series():
            return Series(row(node.children))
        case Branches():
            return Branches(node.maker, tuple(_without(child, made) for child in node.children))
        case Body() if node in made:
            return made[node]
        case Body():
            shortcut = None if node.shortcut is None else _without(node.shortcut, made)
            return replace(node, branch=row(node.branch), after=row(node.after), shortcut=shortcut)
        case _:
            return node
