"""The network of a design as it runs at inference once it is folded."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from convlab.language.design import Network, Part
from convlab.layers import Chain, Layer, Shape
from convlab.layers.folding import Source, folding


class FoldedNetwork(NamedTuple):
    """A folded network, and what each of its new layers was made of."""

    network: Network
    sources: dict[Layer, Source]


def folded_network(network: Network, image: Shape) -> FoldedNetwork:
    """The same network with norms, layer scales and parallel branches inside convolutions.

    Parts before the head are folded one by one, so that the map that each puts out stays what it was; the head's are folded together.
    """
    parts: list[Part] = []
    sources: dict[Layer, Source] = {}
    head: list[Part] = []
    x = image
    for part in network.parts:
        if part.head:
            head.append(part)
            continue
        tree, found = _once(part.tree, x)
        parts.append(part._replace(tree=tree))
        sources |= found
        x = part.tree.output(x)
    tree, found = folding(Chain(tuple((part.path, part.tree) for part in head)), x)
    assert isinstance(tree, Chain)
    parts += [Part(path, child, head=True) for path, child in tree.children]
    return FoldedNetwork(Network(tuple(parts), network.checks, network.adjustments), sources | found)


_once = lru_cache(maxsize=512)(folding)
