"""What autograd keeps of a forward pass in eager float32, in bytes; a storage that several layers keep counts once."""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

from convlab.layers.branching import Parallel, Split
from convlab.layers.layer import Layer, Named
from convlab.layers.shape import Shape, larger, smaller
from convlab.layers.tree import Chain, Gate, Repeat, Residual


class Saved(NamedTuple):
    """What a layer keeps: bytes an image beside its input, and whether its input and its output (counted in the bytes) are kept.

    ``once`` are bytes a batch. The flags are 0 or 1, arrays in a population. ``fresh`` is 0 where the output is a view of the input.
    """

    bytes: Any
    input: Any
    output: Any
    fresh: Any = 1
    once: Any = 0


def saved(tree: Layer, x: Shape) -> Saved:
    """What autograd keeps of one image. Parameters and buffers are not counted, nor the masks of drop path (a number a block)."""
    match tree:
        case Chain():
            return _chain(tree.children, x)
        case Repeat():
            return _repeat(tree, x)
        case Residual():
            return _residual(tree, x)
        case Gate():
            return _gate(tree, x)
        case Parallel():
            return _parallel(tree.children, x)
        case Split():
            found = [saved(child, tree.share(x)) for _, child in tree.children]
            total, once = sum(one.bytes for one in found), sum(one.once for one in found)
            return Saved(total, reduce(larger, (one.input for one in found)), 0, once=once)
        case _:
            output = tree.keeps_output()
            kept = tree.kept(x) + output * 4 * tree.output(x).elements
            return Saved(kept, tree.keeps_input(x), output, 1 - tree.is_view(), tree.kept_once(x))


def _chain(children: tuple[Named, ...], x: Shape) -> Saved:
    total, once, kept_input, fresh = 0, 0, 0, 0
    size, counted = 4 * x.elements, 1  # of the map at hand; the chain's own input is for its caller to count
    for _, child in children:
        found = saved(child, x)
        kept_input = larger(kept_input, (1 - fresh) * found.input)
        once = once + found.once
        total = total + found.bytes + fresh * (1 - counted) * found.input * size
        counted = found.fresh * found.output + (1 - found.fresh) * larger(counted, found.input)
        fresh = larger(fresh, found.fresh)
        x = child.output(x)
        size = 4 * x.elements
    return Saved(total, kept_input, fresh * counted, fresh, once)


def _repeat(tree: Repeat, x: Shape) -> Saved:
    found = saved(tree.block, x)
    again = larger(tree.count - 1, 0) * found.input * (1 - found.output) * 4 * x.elements
    there = smaller(tree.count, 1)
    total, once = tree.count * found.bytes + again, tree.count * found.once
    return Saved(total, there * found.input, there * found.output, there * found.fresh, once)


def _residual(tree: Residual, x: Shape) -> Saved:
    y = tree.branch.output(x)
    branch = saved(tree.branch, x)
    total, once, kept_input = branch.bytes, branch.once, branch.input
    if tree.scale is not None:  # the scale's gradient needs what it multiplies
        total = total + branch.fresh * (1 - branch.output) * 4 * y.elements
        kept_input = larger(kept_input, 1 - branch.fresh)
    if tree.shortcut is not None:
        shortcut = saved(tree.shortcut, x)
        total, once = total + shortcut.bytes, once + shortcut.once
        kept_input = larger(kept_input, shortcut.input)
    if tree.after is None:
        return Saved(total, kept_input, 0, once=once)
    after = saved(tree.after, y)
    return Saved(total + after.bytes + after.input * 4 * y.elements, kept_input, after.output, once=once + after.once)


def _gate(tree: Gate, x: Shape) -> Saved:
    branch = saved(tree.branch, x)
    total = branch.bytes + (1 - branch.output) * 4 * tree.branch.output(x).elements
    return Saved(total, 1, 0, once=branch.once)


def _parallel(children: tuple[Named, ...], x: Shape) -> Saved:
    found = [saved(child, x) for _, child in children]
    if len(found) == 1:
        return found[0]
    total, once = sum(one.bytes for one in found), sum(one.once for one in found)
    return Saved(total, reduce(larger, (one.input for one in found)), 0, once=once)
