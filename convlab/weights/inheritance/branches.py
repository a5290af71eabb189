"""Residual branches of a block: where a layer scale can be folded into, and what has to be 0 for the block to give its input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, final

from convlab.layers import (
    Activation,
    Attention,
    AveragePool,
    Chain,
    Dropout,
    Gate,
    Layer,
    MaxPool,
    Parallel,
    Residual,
    Split,
)
from convlab.weights.inheritance.blocks import NORM_LAYERS

_AWAY_FROM_ZERO = frozenset({"sigmoid", "hardsigmoid"})


@final
class Branch(NamedTuple):
    """One residual branch by the names of its tensors; "" and () where there is no such thing.

    ``last`` is the layer whose numbers a layer scale can be folded into. ``silent`` are the layers (or the layer scale) that make the
    block give its input once they are 0.
    """

    scale: str
    last: str
    silent: tuple[str, ...]


def branches_of(tree: Layer, path: str) -> tuple[Branch, ...]:
    """The residual branches of a block that stands at a path, one after the other; () where it is not made of such."""
    if isinstance(tree, Residual):
        return (_branch(tree, path),)
    if not isinstance(tree, Chain):
        return ()
    found = [branches_of(child, f"{path}.{name}") for name, child in tree.children]
    return tuple(branch for branches in found for branch in branches) if all(found) else ()


def _branch(tree: Residual, path: str) -> Branch:
    scale = "" if tree.scale is None else f"{path}.gamma"
    silent = () if tree.shortcut is not None or not _gives_its_input(tree.after) else _silent(tree, scale, path)
    name, last = next(_backwards(tree.branch, path), ("", None))
    return Branch(scale, _numbers(last, name), silent)


def _silent(tree: Residual, scale: str, path: str) -> tuple[str, ...]:
    return (scale,) if scale else _silencers(tree.branch, path)


def _gives_its_input(after: Layer | None) -> bool:
    """Whether what follows the sum leaves it as it is: a ReLU does, because the block before ends with the same one."""
    kinds = [layer.kind for _, layer in _backwards(after, "") if isinstance(layer, Activation)] if after else []
    return all(kind == "relu" for kind in kinds)


def _silencers(tree: Chain, path: str) -> tuple[str, ...]:
    """The last layers of a chain that have numbers to multiply with, where nothing behind them turns 0 into something else."""
    for name, layer in _backwards(tree, path):
        if numbers := _numbers(layer, name):
            return (numbers,)
        if isinstance(layer, Parallel | Split):
            found = [_silencers(Chain((child,)), name) for child in layer.children]
            return tuple(silencer for silencers in found for silencer in silencers) if all(found) else ()
        if not _keeps_zero(layer):
            return ()
    return ()


def _numbers(layer: Layer | None, path: str) -> str:
    """The name under which the weight and bias stand that scale a layer's output."""
    if isinstance(layer, Attention):
        return f"{path}.proj"
    return path if layer is not None and (layer.multiplies or isinstance(layer, NORM_LAYERS)) else ""


def _keeps_zero(layer: Layer) -> bool:
    if isinstance(layer, Activation):
        return layer.kind not in _AWAY_FROM_ZERO
    return isinstance(layer, Gate | Dropout | MaxPool | AveragePool)


def _backwards(tree: Layer, path: str) -> Iterator[tuple[str, Layer]]:
    """The layers of a chain of chains from the last to the first."""
    if not isinstance(tree, Chain):
        yield path, tree
        return
    for name, child in reversed(tree.children):
        yield from _backwards(child, f"{path}.{name}" if path else name)
