"""Folding: the tree that computes the same at inference with fewer layers.

Norms and layer scales go into the convolution beside them (Ioffe and Szegedy, 2015), parallel linear branches become one convolution
(RepVGG, Ding et al., 2021, arXiv:2101.03697; RepLKNet, Ding et al., 2022, arXiv:2203.06717). What merges hangs on sizes, so that this is
for single designs, not for populations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from convlab.layers.branching import Parallel, Split
from convlab.layers.convolutions import Convolution, Depthwise, Pointwise
from convlab.layers.layer import Layer, Named
from convlab.layers.norms import BatchNorm
from convlab.layers.shape import Shape
from convlab.layers.taps import summed
from convlab.layers.tree import Chain, Gate, LayerScale, Repeat, Residual, chain

CONVOLUTIONS = (Convolution, Depthwise, Pointwise)
"""The layers that others are folded into."""


class Source(NamedTuple):
    """What a folded layer was made of: layers in order of execution, by their paths below a folder, and its own path below it.

    The layers are one convolution or one ``Parallel``, with the norms before and after it and a layer scale at the end.
    """

    steps: tuple[Named, ...]
    path: str

    def folder(self, path: str) -> str:
        """The path of the folder, for a folded layer that stands at a path."""
        return path.removesuffix(self.path).removesuffix(".")


class Folding(NamedTuple):
    """A folded tree, and what each of its layers that is new was made of; the other layers are those of the tree before."""

    tree: Layer
    sources: dict[Layer, Source]


def folded(tree: Layer, x: Shape) -> Layer:
    """The tree that computes the same at inference with batch norms, layer scales and parallel branches inside convolutions.

    Paths stay: a convolution keeps its own, a ``Parallel`` that became one convolution gives it its own, and where only some of its
    branches could be merged, the first of them does. Blocks stay blocks: nothing is folded across the border of one.
    """
    return folding(tree, x).tree


def folding(tree: Layer, x: Shape) -> Folding:
    """The folded tree with its sources; ``x`` is the shape that comes in."""
    match tree:
        case Chain():
            items, sources = _in_order(steps(tree), x)
            return Folding(chain((item.name, item.layer) for item in items), sources)
        case Residual():
            return _residual(tree, x)
        case Parallel():
            return _parallel(tree, x)
        case Repeat():
            block, sources = folding(tree.block, x)
            return Folding(dataclasses.replace(tree, block=block), sources)
        case Gate():
            branch, sources = folding(tree.branch, x)
            assert isinstance(branch, Chain)
            return Folding(Gate(branch), sources)
        case Split():
            found = [(name, folding(child, tree.share(x))) for name, child in tree.children]
            return Folding(Split(tuple((name, one.tree) for name, one in found)), _united(one for _, one in found))
        case _:
            return Folding(tree, {})


def steps(tree: Layer) -> Iterator[Named]:
    """The layers of a chain in order, those of chains inside it too, by their paths; a numbered chain is a block and stays whole."""
    if not isinstance(tree, Chain):
        yield "", tree
        return
    for name, child in tree.children:
        if isinstance(child, Chain) and not name.isdigit():
            yield from ((f"{name}.{inner}", layer) for inner, layer in steps(child))
        else:
            yield name, child


class _Item(NamedTuple):
    """A layer on its way into a folded chain, and the layers that it is made of so far."""

    name: str
    layer: Layer
    steps: tuple[Named, ...]


def _in_order(named: Iterable[Named], x: Shape) -> tuple[list[_Item], dict[Layer, Source]]:
    """Layers in order, each joined with the one before where the two are one convolution."""
    items: list[_Item] = []
    sources: dict[Layer, Source] = {}
    for name, layer in named:
        inner, found = folding(layer, x)
        x = layer.output(x)
        item = _Item(name, inner, ((name, layer),))
        while items and (both := _joined(items[-1], item)) is not None:
            items.pop()
            item = both
        items.append(item)
        sources |= found
    sources |= {item.layer: Source(item.steps, item.name) for item in items if _is_new(item)}
    return items, sources


def _is_new(item: _Item) -> bool:
    return isinstance(item.layer, CONVOLUTIONS) and item.steps[0][1] is not item.layer


def _joined(before: _Item, after: _Item) -> _Item | None:
    """Two neighbours as one convolution; None where they are not."""
    made_of = before.steps + after.steps
    one, other = before.layer, after.layer
    if isinstance(one, CONVOLUTIONS) and isinstance(other, BatchNorm):
        return _Item(before.name, dataclasses.replace(one, bias=True), made_of)
    if isinstance(one, CONVOLUTIONS) and isinstance(other, LayerScale):
        return _Item(before.name, dataclasses.replace(one), made_of)
    if isinstance(one, BatchNorm) and isinstance(other, CONVOLUTIONS) and not _is_padded(other):
        return _Item(after.name, dataclasses.replace(other, bias=True), made_of)
    return None


def _is_padded(layer: Layer) -> bool:
    """Whether a convolution sees zeros beside the map: a norm before it, which would move them, cannot go into it."""
    match layer:
        case Convolution():
            return layer.same and layer.kernel_size > 1
        case Depthwise():
            return layer.kernel_size > 1
        case _:
            return False


def _residual(tree: Residual, x: Shape) -> Folding:
    """A residual stays one: its branch and its shortcut are folded, the layer scale goes into the branch's last convolution."""
    scale = () if tree.scale is None else (("gamma", tree.scale),)
    items, sources = _in_order((*steps(tree.branch), *scale), x)
    left = items.pop().layer if items and isinstance(items[-1].layer, LayerScale) else None
    branch = chain((item.name, item.layer) for item in items)
    parts: dict[str, Layer | None] = {"branch": branch, "scale": left}
    for name, part, seen in (("shortcut", tree.shortcut, x), ("after", tree.after, tree.output(x))):
        if part is not None:
            parts[name], found = folding(part, seen)
            sources |= found
    return Folding(dataclasses.replace(tree, **parts), sources)  # type: ignore[arg-type]  # chains fold to chains, the scale is one


class _Term(NamedTuple):
    """Branches of a sum that are one layer: their names, and the layer (None is an identity)."""

    names: tuple[str, ...]
    layer: Layer | None


def _parallel(tree: Parallel, x: Shape) -> Folding:
    """The sum with its linear branches merged as far as that takes no more multiply-adds than they do."""
    inner = {name: folding(child, x) for name, child in tree.children}
    single = {name: _single(found.tree) for name, found in inner.items()}
    terms = _merged([_Term((name,), layers[0]) for name, layers in single.items() if layers], x)
    if len(terms) == 1 and len(terms[0].names) == len(inner) and isinstance(terms[0].layer, CONVOLUTIONS):
        layer = dataclasses.replace(terms[0].layer)
        return Folding(layer, {layer: Source((("", tree),), "")})
    merged = {term.names[0]: term for term in terms if len(term.names) > 1}
    gone = {name for term in merged.values() for name in term.names[1:]}
    children: list[Named] = []
    sources: dict[Layer, Source] = {}
    for name, found in inner.items():
        term = merged.get(name)
        if term is not None and term.layer is not None:
            children.append((name, term.layer))
            sources[term.layer] = Source((("", _only(tree, term.names)),), name)
        elif name not in gone:
            children.append((name, found.tree))
            sources |= found.sources
    return Folding(Parallel(tuple(children)), sources)


def _only(tree: Parallel, names: tuple[str, ...]) -> Parallel:
    return Parallel(tuple(child for child in tree.children if child[0] in names))


def _single(tree: Layer) -> tuple[Layer | None, ...]:
    """The one layer of a linear branch, None for an identity; empty where the branch is more than that."""
    layers = [layer for _, layer in steps(tree)]
    if not layers:
        return (None,)
    linear = isinstance(layers[0], BatchNorm) or (
        isinstance(layers[0], CONVOLUTIONS) and getattr(layers[0], "same", True)
    )
    return (layers[0],) if len(layers) == 1 and linear else ()


def _merged(terms: list[_Term], x: Shape) -> list[_Term]:
    """Terms with those merged that can be, until none can."""
    for one, other in combinations(terms, 2):
        layer = summed(one.layer, other.layer, x)
        if layer is not None:
            both = _Term(one.names + other.names, layer)
            return _merged([both if term is one else term for term in terms if term is not other], x)
    return terms


def _united(found: Iterable[Folding]) -> dict[Layer, Source]:
    return {layer: source for one in found for layer, source in one.sources.items()}
