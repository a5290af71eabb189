"""From layers to nodes: every number that a module is made with is named, and what carries no weights loses needless names."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import final

from convlab.exports.python.nodes import (
    BLOCK,
    BRANCH,
    GATE,
    WITHOUT_WEIGHTS,
    Argument,
    Body,
    Branches,
    Code,
    Make,
    Node,
    Series,
    Value,
)
from convlab.exports.python.scopes import HIDDEN
from convlab.layers import (
    ACTIVATIONS,
    Activation,
    Attention,
    AveragePool,
    BatchNorm,
    Chain,
    Convolution,
    Depthwise,
    Dropout,
    FirstToken,
    Flatten,
    Gate,
    GlobalAveragePool,
    GlobalMaxPool,
    GlobalResponseNorm,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    MaxPool,
    Parallel,
    Pointwise,
    Residual,
    RMSNorm,
    Shape,
    SpaceToDepth,
    Split,
    Tokens,
)

NORMS: dict[type[Layer], str] = {
    BatchNorm: "batch_norm",
    LayerNorm: "layer_norm",
    RMSNorm: "rms_norm",
    GlobalResponseNorm: "grn",
}


@final
@dataclass(frozen=True, slots=True)
class Reader:
    """Reads layers of one block. ``name`` is that of the block's class, ``word`` what widths inside are called."""

    name: str = ""
    word: str = HIDDEN
    drop_path: bool = False

    def block(self, tree: Layer, x: Shape) -> Body:
        """The body of a block."""
        if isinstance(tree, Residual):
            return self._residual(tree, x, BLOCK)
        assert isinstance(tree, Chain)
        row = self.row(tree, x)
        ends = int(bool(row) and row[-1][0] == "act_output")  # as the activation after a sum is called
        branch, after = (row[:-1], row[-1:]) if ends else (row, ())
        return Body(self.name, BLOCK, "", x.channels, tree.output(x).channels, branch, after)

    def row(self, tree: Chain, x: Shape) -> tuple[tuple[str, Node], ...]:
        """The children of a chain that become attributes; what does nothing is left out."""
        row = []
        for name, child in tree.children:
            node = self.node(child, x, name)
            if node != Series():
                row.append((name, node))
            x = child.output(x)
        return tuple(row)

    def node(self, tree: Layer, x: Shape, name: str = "") -> Node:
        """A layer that stands under a name, as a node."""
        match tree:
            case Chain():
                return self._series(tree, x)
            case Residual():
                title = name.title() if name.startswith("branch") else f"{name.title()}Branch"
                return replace(self, name=title)._residual(tree, x, BRANCH)
            case Gate():
                inner = replace(self, word="squeezed")
                return Body("SqueezeExcite", GATE, "product", x.channels, x.channels, inner.row(tree.branch, x))
            case Parallel() if len(tree.children) == 1:
                [(number, child)] = tree.children
                return Series(((number, self.node(child, x)),))
            case Parallel():
                return Branches("Sum", tuple(self.node(child, x) for _, child in tree.children))
            case Split():
                inner, share = replace(self, word="share"), tree.share(x)
                return Branches("Concatenation", tuple(inner.node(child, share) for _, child in tree.children))
            case _:
                return replace(_leaf(tree, x), word=self.word)

    def _residual(self, tree: Residual, x: Shape, level: int) -> Body:
        y = tree.branch.output(x)
        return Body(
            name=self.name,
            level=level,
            join="sum",
            width_in=x.channels,
            width=y.channels,
            branch=self.row(tree.branch, x),
            after=() if tree.after is None else self.row(tree.after, y),
            shortcut=None if tree.shortcut is None else self.node(tree.shortcut, x),
            scale=None if tree.scale is None else tree.scale.initial,
            drop_path=self.drop_path,
        )

    def _series(self, tree: Chain, x: Shape) -> Node:
        numbered = all(name.isdigit() for name, _ in tree.children)
        children = []
        for name, child in tree.children:
            node = self.node(child, x, name)
            if numbered or node != Series():
                children.append((name, node))
            x = child.output(x)
        if all(_is_bare(node) for _, node in children):  # without weights there are no keys
            children = [(str(index), node) for index, (_, node) in enumerate(children)]
            if len(children) == 1:
                return children[0][1]
        return Series(tuple(children))


def _is_bare(node: Node) -> bool:
    match node:
        case Make():
            return node.maker in WITHOUT_WEIGHTS
        case Series():
            return all(_is_bare(child) for _, child in node.children)
        case Branches():
            return all(map(_is_bare, node.children))
        case _:
            return False


def _leaf(tree: Layer, x: Shape) -> Make:
    """A leaf with its numbers, by the names of their knobs."""
    match tree:
        case Convolution():
            return _convolution(tree, x)
        case Depthwise():
            return Make("depthwise", (_width("width", x.channels), *_of_kernel(tree)))
        case Pointwise() if tree.form == "conv":
            return _convolution(Convolution(tree.width, 1, bias=tree.bias), x)
        case Pointwise() | Linear():
            maker = "linear" if isinstance(tree, Linear) else "linear_2d"
            return Make(
                maker, (_width("width_in", x.channels), _width("width", tree.width), Argument("bias", tree.bias))
            )
        case BatchNorm() | LayerNorm() | RMSNorm() | GlobalResponseNorm():
            return Make(NORMS[type(tree)], (_width("width", x.channels), Argument("eps", tree.eps)))
        case GroupNorm():
            numbers = _arguments(most=tree.groups, groups=math.gcd(x.channels, tree.groups), eps=tree.eps)
            return Make("group_norm", (_width("width", x.channels), *numbers))
        case Activation():
            return Make("activation", _arguments(activation=Code(f"nn.{ACTIVATIONS[tree.kind]}")))
        case MaxPool() | AveragePool():
            maker = "max_pool" if isinstance(tree, MaxPool) else "average_pool"
            numbers = _arguments(kernel_size=tree.kernel_size, stride=tree.stride, padding=tree.padding)
            return Make(maker, numbers)
        case Dropout():
            return Make("dropout", _arguments(dropout=tree.rate))
        case Flatten():
            return Make("flatten")
        case _:
            return _of_tokens(tree, x)


def _of_tokens(tree: Layer, x: Shape) -> Make:
    match tree:
        case GlobalAveragePool() | GlobalMaxPool() | FirstToken():
            kind = {GlobalAveragePool: "nn.AdaptiveAvgPool2d(1)", GlobalMaxPool: "nn.AdaptiveMaxPool2d(1)"}
            return Make("global_pool", _arguments(pool=Code(kind.get(type(tree), "FirstToken()"))))
        case Attention():
            widths = (_width("width", x.channels), _width("heads", tree.heads))
            numbers = _arguments(bias=tree.bias)
            if tree.is_global:
                return Make("attention", (*widths, *numbers))
            more = _arguments(window=tree.window, shifted=tree.shifted, relative_position=tree.relative_position)
            return Make("window_attention", (*widths, *more, *numbers))
        case Tokens():
            size = (x.height, x.width)
            numbers = _arguments(size=size, class_token=tree.class_token, positions=tree.position_embedding)
            return Make("tokens", (_width("width", x.channels), *numbers))
        case SpaceToDepth():
            return Make("space_to_depth", _arguments(size=tree.size))
        case _:
            raise AssertionError(f"no source for {type(tree).__name__}")


def _convolution(tree: Convolution, x: Shape) -> Make:
    maker = "convolution" if tree.same or tree.kernel_size == 1 else "patches"
    widths = (_width("width_in", x.channels), _width("width", tree.width), _width("groups", tree.groups))
    return Make(maker, (*widths, *_of_kernel(tree)))


def _of_kernel(tree: Convolution | Depthwise) -> tuple[Argument, ...]:
    return _arguments(kernel_size=tree.kernel_size, stride=tree.stride, dilation=tree.dilation, bias=tree.bias)


def _width(name: str, value: int) -> Argument:
    return Argument(name, value, width=True)


def _arguments(**numbers: Value) -> tuple[Argument, ...]:
    return tuple(Argument(name, value) for name, value in numbers.items())
