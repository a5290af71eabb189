"""The layers of a design as an outline: parts in parts down to the leaves, what repeats once with its count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, final

from convlab.costs import Profile
from convlab.layers import Chain, Gate, Layer, Named, Parallel, Repeat, Residual, Shape, Split
from convlab.views.costs import groups

FOLDER = "blocks"
"""Stands in paths between a stage and its blocks and says nothing of its own."""


@final
@dataclass(frozen=True, slots=True)
class Node:
    """A part of the network: a stage, a block, a branch or a layer. Parameters and multiply-adds are those of all its repetitions."""

    path: str
    """The layer path of its first instance."""
    name: str
    """What it is called among its neighbours; of repetitions the first and the last index: "blocks.1-8"."""
    label: str
    output: Shape
    params: int
    macs: int
    count: int
    """How often it is there in all."""
    children: tuple[Node, ...] = ()


class _Place(NamedTuple):
    """Where a node stands: its path, its name, what comes in, how often what holds it is repeated."""

    path: str
    name: str
    input: Shape
    count: int  # type: ignore[assignment]  # the word of the field; it is not searched as a tuple


def outline(profile: Profile) -> tuple[Node, ...]:
    """Stem, stages and head with what they hold. What an edit leaves as it was is not made anew."""
    labels = {group.path.partition("-")[0]: group.layers for by in ("block", "stage") for group in groups(profile, by)}
    nodes = [(part.head, _part_once(part.path, part.part.tree, part.input)) for part in profile.parts]
    body = tuple(_labelled(node, labels) for head, node in nodes if not head)
    head = tuple(child for is_head, node in nodes if is_head for child in node.children or (node,))
    if not head:
        return body
    params, macs = sum(node.params for node in head), sum(node.macs for node in head)
    return (*body, Node("head", "head", labels.get("head", ""), head[-1].output, params, macs, 1, head))


def all_nodes(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """Nodes with all that they hold, from the top."""
    for node in nodes:
        yield node
        yield from all_nodes(node.children)


def _labelled(node: Node, labels: Mapping[str, str]) -> Node:
    """A stage and its blocks with what they are called in the table of costs."""
    children = tuple(replace(child, label=labels.get(child.path, child.label)) for child in node.children)
    return replace(node, label=labels.get(node.path, node.label), children=children)


@lru_cache(maxsize=512)
def _part_once(path: str, tree: Layer, x: Shape) -> Node:
    return _node(tree, _Place(path, path, x, 1))


def _node(tree: Layer, at: _Place) -> Node:
    children = tuple(_children(tree, at))
    params, macs = at.count * tree.params(at.input), at.count * tree.macs(at.input)
    return Node(at.path, at.name, _label(tree), tree.output(at.input), params, macs, at.count, children)


def _children(tree: Layer, at: _Place) -> Iterator[Node]:
    match tree:
        case Chain():
            yield from _in_order(tree, at)
        case Residual():
            yield from _in_order(tree.branch, at)
            y = tree.branch.output(at.input)
            if tree.scale is not None:
                yield _node(tree.scale, _Place(f"{at.path}.gamma", "gamma", y, at.count))
            if tree.shortcut is not None:
                yield _node(tree.shortcut, _Place(f"{at.path}.shortcut", "shortcut", at.input, at.count))
            if tree.after is not None:
                yield from _in_order(tree.after, at._replace(input=y))
        case Gate():
            yield from _in_order(tree.branch, at)
        case Parallel():
            yield from (_node(child, _within(at, name)) for name, child in tree.children)
        case Split():
            at = at._replace(input=tree.share(at.input))
            yield from (_node(child, _within(at, name)) for name, child in tree.children)


def _in_order(tree: Chain, at: _Place) -> Iterator[Node]:
    for name, child in tree.children:
        here = _within(at, name)
        if name == FOLDER and isinstance(child, Chain):
            yield from (replace(node, name=f"{FOLDER}.{node.name}") for node in _in_order(child, here))
        elif isinstance(child, Repeat):
            yield from (_repeated(turn, child, at, name) for turn in child.turns())
        else:
            yield _node(child, here)
        at = at._replace(input=child.output(at.input))


def _repeated(turn: Named, tree: Repeat, at: _Place, name: str) -> Node:
    first = int(name) + int(turn[0])
    last = first + (tree.count - 1) * tree.period
    by = f" by {tree.period}" if tree.period > 1 and tree.count > 1 else ""
    called = f"{first}-{last}{by}" if tree.count > 1 else str(first)
    return _node(turn[1], _Place(_joined(at.path, str(first)), called, at.input, at.count * tree.count))


def _within(at: _Place, name: str) -> _Place:
    return at._replace(path=_joined(at.path, name), name=name)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _label(tree: Layer) -> str:
    match tree:
        case Residual():
            return "Residual, projected" if tree.shortcut is not None else "Residual"
        case Gate():
            return "Squeeze-excite"
        case Parallel():
            return f"Sum of {len(tree.children)}"
        case Split():
            return f"Split in {len(tree.children)}"
        case Chain() | Repeat():
            return ""
        case _:
            return tree.label()
