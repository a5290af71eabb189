"""How a module is made: the call of torch's class, of one in ``parts`` or of one of the file's own, with its numbers as expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from convlab.exports.python.layout import Expression, call, named
from convlab.exports.python.nodes import Argument, Branches, Make, Node, Series
from convlab.exports.python.scopes import Scope
from convlab.exports.python.vectors import Vector, constant


@final
@dataclass(frozen=True, eq=False, slots=True)
class Numbers:
    """The arguments of one module in all instances of a class, as expressions of the class."""

    makes: Sequence[Make | None]
    scope: Scope

    @property
    def word(self) -> str:
        """What a width that has no name yet is called."""
        return next(make.word for make in self.makes if make is not None)

    def values(self, name: str) -> Vector:
        """An argument in every instance."""
        return [None if make is None else make[name] for make in self.makes]

    def width(self, name: str = "width") -> str:
        """A width as an expression."""
        return self.scope.width(self.values(name), self.word)

    def number(self, name: str) -> str:
        """Another argument as an expression."""
        return self.scope.number(name, self.values(name))

    def unless(self, usual: str, name: str) -> list[Expression]:
        """The argument by its name; none where it is always as usual."""
        text = self.number(name)
        return [] if text == usual else [f"{name}={text}"]


def expression(nodes: Sequence[Node | None], scope: Scope) -> Expression:
    """The module that stands at one place of all instances of a class."""
    there = [node for node in nodes if node is not None]
    match there[0]:
        case Make():
            makes = [node if isinstance(node, Make) else None for node in nodes]
            numbers = Numbers(makes, scope)
            return MAKERS.get(there[0].maker, _of_class)(numbers)
        case Series():
            return _series([node if isinstance(node, Series) else None for node in nodes], scope)
        case Branches():
            count = min(len(node.children) for node in there if isinstance(node, Branches))
            return call(there[0].maker, *(expression(branch(nodes, index), scope) for index in range(count)))
        case _:
            raise AssertionError("bodies have become classes before")


def branch(nodes: Sequence[Node | None], index: int) -> list[Node | None]:
    """One of the branches that stand side by side, in every instance."""
    return [
        node.children[index] if isinstance(node, Branches) and index < len(node.children) else None for node in nodes
    ]


def _series(series: list[Series | None], scope: Scope) -> Expression:
    names = next([name for name, _ in node.children] for node in series if node is not None)
    items = [
        expression([None if node is None else node.children[index][1] for node in series], scope)
        for index in range(len(names))
    ]
    if not items:
        return "nn.Identity()"
    if names[0].isdigit():
        return call("nn.Sequential", *items)
    return call("sequence", *(named(name, item) for name, item in zip(names, items, strict=True)))


def _of_class(numbers: Numbers) -> Expression:
    """A class of the file: widths by position, the rest by name."""
    arguments: list[Expression] = []
    make = next(make for make in numbers.makes if make is not None)
    for argument in make.arguments:
        name, text = argument.name, _argument(numbers, argument)
        if name in ("width", "width_in") or (name in ("depth", "rates") and text == name):
            arguments.append(text)
        elif text != argument.default:
            arguments.append(f"{name}={text}")
    return call(make.maker, *arguments)


def _argument(numbers: Numbers, argument: Argument) -> str:
    if not argument.width:
        return numbers.number(argument.name)
    word = numbers.word if argument.name in ("width", "width_in") else argument.name
    return numbers.scope.width(numbers.values(argument.name), word)


def _convolution(numbers: Numbers) -> Expression:
    width_in = numbers.width("width_in")
    return _padded(numbers, [width_in, numbers.width()], _groups(numbers))


def _depthwise(numbers: Numbers) -> Expression:
    width = numbers.width()
    return _padded(numbers, [width, width], [f"groups={width}"])


def _patches(numbers: Numbers) -> Expression:
    """A convolution that tiles the map: nothing is padded."""
    widths = [numbers.width("width_in"), numbers.width()]
    return call("nn.Conv2d", *widths, numbers.number("kernel_size"), *_options(numbers, _groups(numbers)))


def _padded(numbers: Numbers, widths: list[str], groups: list[str]) -> Expression:
    kernel = numbers.number("kernel_size")
    if any((kernel_size - 1) * dilation % 2 for kernel_size, dilation in _spans(numbers)):
        return call("UnevenConv2d", *widths, kernel, *_options(numbers, groups))
    padding = _padding(numbers, kernel)
    return call("nn.Conv2d", *widths, kernel, *_options(numbers, [f"padding={padding}"] * (padding != "0") + groups))


def _options(numbers: Numbers, others: list[str]) -> list[Expression]:
    """The keyword arguments of a convolution; those that are as usual are not said."""
    return [*numbers.unless("1", "stride"), *others, *numbers.unless("1", "dilation"), *numbers.unless("True", "bias")]


def _groups(numbers: Numbers) -> list[str]:
    values = numbers.values("groups")
    if values == numbers.values("width_in") and constant(values) != 1:
        return [f"groups={numbers.width('width_in')}"]
    groups = _parts(numbers, "groups")
    return [] if groups == "1" else [f"groups={groups}"]


def _parts(numbers: Numbers, name: str) -> str:
    """In how many parts channels are taken: a number, or so many as follow from the width."""
    values = numbers.values(name)
    same = constant(values)
    return numbers.scope.width(values, name) if same is None else str(same)


def _spans(numbers: Numbers) -> list[tuple[int, int]]:
    """Kernel size and dilation of every instance."""
    pairs = zip(numbers.values("kernel_size"), numbers.values("dilation"), strict=True)
    return [(kernel, dilation) for kernel, dilation in pairs if isinstance(kernel, int) and isinstance(dilation, int)]


def _padding(numbers: Numbers, kernel: str) -> str:
    """Half of what the kernel spans, as an expression of kernel size and dilation."""
    paddings = {(kernel_size - 1) * dilation // 2 for kernel_size, dilation in _spans(numbers)}
    if len(paddings) == 1:
        return str(paddings.pop())
    dilation = numbers.number("dilation")
    if all(kernel_size % 2 for kernel_size, _ in _spans(numbers)):
        if kernel.isdigit():
            half = str(int(kernel) // 2)
            return dilation if half == "1" else f"{half} * {dilation}"
        return f"{kernel} // 2" if dilation == "1" else f"{kernel} // 2 * {dilation}"
    return f"({kernel} - 1) * {dilation} // 2"


def _linear(numbers: Numbers) -> Expression:
    return call("nn.Linear", numbers.width("width_in"), numbers.width(), *numbers.unless("True", "bias"))


def _linear_2d(numbers: Numbers) -> Expression:
    return call("Linear2d", numbers.width("width_in"), numbers.width(), *numbers.unless("True", "bias"))


def _norm(name: str, usual_eps: str) -> Callable[[Numbers], Expression]:
    return lambda numbers: call(name, numbers.width(), *numbers.unless(usual_eps, "eps"))


def _group_norm(numbers: Numbers) -> Expression:
    """Torch's own refuses groups of a single number (batch 1, a map of one pixel), which groups of one channel may meet."""
    values = numbers.values("groups")
    name = (
        "GroupNorm2d"
        if any(one is not None and one == other for one, other in zip(values, numbers.values("width"), strict=True))
        else "nn.GroupNorm"
    )
    width = numbers.width()
    groups = constant(values)
    text = f"math.gcd({numbers.number('most')}, {width})" if groups is None else repr(groups)
    return call(name, text, width, *numbers.unless("1e-5", "eps"))


def _activation(numbers: Numbers) -> Expression:
    return f"{numbers.number('activation')}()"


def _pool(name: str) -> Callable[[Numbers], Expression]:
    def made(numbers: Numbers) -> Expression:
        stride = f"stride={numbers.number('stride')}"
        return call(name, numbers.number("kernel_size"), stride, *numbers.unless("0", "padding"))

    return made


def _window_attention(numbers: Numbers) -> Expression:
    options = ("relative_position", "shifted")
    flags = [item for name in options for item in numbers.unless("False", name)]
    heads = _parts(numbers, "heads")
    return call(
        "WindowAttention", numbers.width(), heads, numbers.number("window"), *flags, *numbers.unless("True", "bias")
    )


def _attention(numbers: Numbers) -> Expression:
    heads = _parts(numbers, "heads")
    return call("Attention", numbers.width(), heads, *numbers.unless("True", "bias"))


def _tokens(numbers: Numbers) -> Expression:
    options = [item for name in ("class_token", "positions") for item in numbers.unless("True", name)]
    return call("Tokens", numbers.width(), f"size={numbers.number('size')}", *options)


MAKERS: dict[str, Callable[[Numbers], Expression]] = {
    "convolution": _convolution,
    "depthwise": _depthwise,
    "patches": _patches,
    "linear": _linear,
    "linear_2d": _linear_2d,
    "batch_norm": _norm("nn.BatchNorm2d", "1e-5"),
    "layer_norm": _norm("LayerNorm2d", "1e-6"),
    "rms_norm": _norm("RMSNorm2d", "1e-6"),
    "grn": _norm("GlobalResponseNorm2d", "1e-6"),
    "group_norm": _group_norm,
    "activation": _activation,
    "dropout": lambda numbers: call("nn.Dropout", numbers.number("dropout")),
    "max_pool": _pool("nn.MaxPool2d"),
    "average_pool": _pool("nn.AvgPool2d"),
    "global_pool": lambda numbers: numbers.number("pool"),
    "flatten": lambda numbers: call("nn.Flatten"),
    "attention": _attention,
    "window_attention": _window_attention,
    "tokens": _tokens,
    "space_to_depth": lambda numbers: call("SpaceToDepth", numbers.number("size")),
}
"""How each kind of leaf is made. A new leaf of the layer tree is a line here, one in ``reading`` and perhaps a class in ``parts``."""
