"""The layers of a block with their roles, read off its tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, final

from convlab.language.blocks import Block
from convlab.layers import (
    NORMS,
    Attention,
    Chain,
    Convolution,
    Depthwise,
    Gate,
    GlobalResponseNorm,
    Layer,
    Residual,
    Row,
    Shape,
    walk,
)
from convlab.weights.inheritance.roles import BRANCHES, FLOWS, SHORTCUTS, Step, order_of, role_of, roles

NORM_LAYERS: Final = tuple(NORMS.values())


@final
class Leaf(NamedTuple):
    """A layer: its path, its role, what it is and what comes in."""

    path: str
    role: str
    layer: Layer
    input: Shape


def leaves_of(tree: Layer, block: Block, x: Shape, *, enters: bool) -> Iterator[Leaf]:
    """The layers of a block by their roles, with paths relative to the block. ``enters``: it takes channels of the stage before."""
    rows = {row.path.removeprefix("block."): row for row in walk(tree, x, "block")}
    found = _roles(list(_steps(tree, "")), block, rows, enters)
    for path, row in rows.items():
        yield Leaf(path, role_of(path, found), row.layer, row.input)


def _roles(steps: list[tuple[str, Layer]], block: Block, rows: Mapping[str, Row], enters: bool) -> dict[str, str]:
    """The roles of a block's steps by name; none where its convolutions come in an order that is none of ours."""
    if any(isinstance(layer, Attention) for _, layer in steps):
        return BRANCHES
    kernels = [_kernel(name, rows) for name, layer in steps if _kind(name, layer, rows) == "convolution"]
    order = order_of(kernels) if block.kind == "custom" else block.order
    if order is None or len(kernels) != len(FLOWS.get(order, ())):
        return {}
    known = (Step(name, _kind(name, layer, rows)) for name, layer in steps)
    return roles((step for step in known if step.kind), order, enters=enters) | SHORTCUTS


def _steps(tree: Layer, path: str) -> Iterator[tuple[str, Layer]]:
    """The layers of a block's branches in order; layers in parallel are one step."""
    if isinstance(tree, Residual):
        yield from _steps(tree.branch, path)
    elif isinstance(tree, Chain):
        for name, child in tree.children:
            yield from _steps(child, f"{path}.{name}" if path else name)
    else:
        yield path, tree


def _kind(name: str, layer: Layer, rows: Mapping[str, Row]) -> str:
    """The kind of a step, "" for one without a part in the order of roles."""
    if isinstance(layer, Gate):
        return "squeeze"
    if isinstance(layer, GlobalResponseNorm):
        return "grn"
    if isinstance(layer, NORM_LAYERS):
        return "norm"
    return "convolution" if any(row.layer.multiplies for row in _inside(name, rows)) else ""


def _kernel(name: str, rows: Mapping[str, Row]) -> tuple[int, bool]:
    """The largest kernel of a step, and whether it is depthwise."""
    layers = [row.layer for row in _inside(name, rows) if isinstance(row.layer, Convolution | Depthwise)]
    side = max((layer.kernel_size for layer in layers), default=1)
    return side, any(isinstance(layer, Depthwise) for layer in layers)


def _inside(name: str, rows: Mapping[str, Row]) -> Iterator[Row]:
    return (row for path, row in rows.items() if path == name or path.startswith(name + "."))
