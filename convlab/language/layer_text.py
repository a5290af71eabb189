"""Layers written as text, for custom blocks: ``depthwise(7)``, ``pointwise(4x, groups=2)``, ``parallel(conv(3, 1x), identity)``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.layers import ACTIVATIONS, NORMS

_TOKEN = re.compile(
    r"\s*(?:(\d[\d.]{0,9}e-?\d{1,2})|([A-Za-z_]\w*)|(\d{1,6}(?:\.\d{1,9})?x?|\.\d{1,9})|([(),=]))", re.ASCII
)
MAXIMUM_LENGTH = 1000
MAXIMUM_DEPTH = 8
_LOOKS = "a layer looks like norm, depthwise(7) or conv(3, 1x, groups=4)"


@dataclass(frozen=True, slots=True)
class Times:
    """A width as a multiple of the block's width: ``4x``."""

    factor: float


@dataclass(frozen=True, slots=True)
class Call:
    """One layer as it is written: its name, what stands in its brackets by position and by name."""

    name: str
    arguments: tuple[Argument, ...] = ()
    options: tuple[tuple[str, Argument], ...] = ()


Argument = int | float | Times | Call


@dataclass(frozen=True, slots=True)
class Form:
    """What a layer takes: the names of its arguments, the kind of each, how many must be there, and an example."""

    arguments: tuple[tuple[str, str], ...]
    required: int
    example: str


_KERNEL = ("kernel_size", "kernel")
_DILATION = ("dilation", "dilation")
_STRIDE = ("stride", "stride")
FORMS: dict[str, Form] = {
    "depthwise": Form((_KERNEL, _DILATION, _STRIDE), 0, "depthwise(7)"),
    "conv": Form((_KERNEL, ("width", "width"), ("groups", "groups"), _DILATION, _STRIDE), 0, "conv(3, 1x, groups=4)"),
    "pointwise": Form((("width", "width"),), 1, "pointwise(4x)"),
    "norm": Form((("kind", "norm"),), 0, "norm(layer_norm)"),
    "activation": Form((("kind", "activation"),), 0, "activation(gelu)"),
    "grn": Form((), 0, "grn"),
    "attention": Form((("heads", "heads"),), 0, "attention(heads=6)"),
    "window_attention": Form(
        (("window", "kernel"), ("shift", "shift"), ("heads", "heads")), 1, "window_attention(7, shift=1)"
    ),
    "squeeze_excite": Form((("ratio", "ratio"),), 1, "squeeze_excite(0.25)"),
    "max_pool": Form((("kernel_size", "odd"), _STRIDE), 1, "max_pool(3)"),
    "average_pool": Form((("kernel_size", "odd"), _STRIDE), 1, "average_pool(3)"),
    "dropout": Form((("rate", "rate"),), 1, "dropout(0.1)"),
    "layer_scale": Form((("initial", "factor"),), 0, "layer_scale(1e-6)"),
    "identity": Form((), 0, "identity"),
    "chain": Form((), 0, "chain(conv(3, 1x), norm)"),
    "parallel": Form((), 0, "parallel(depthwise(7), depthwise(3))"),
    "split": Form((), 0, "split(depthwise(3), depthwise(11), identity)"),
}
"""The layers that a custom block, stem or downsampling may be made of."""

BRACKETS_OF_LAYERS = frozenset({"chain", "parallel", "split"})


WHOLE = {"kernel": (1, 511), "odd": (1, 511), "groups": (1, 65536), "dilation": (1, 64), "width": (1, 65536)}
WHOLE |= {"heads": (1, 65536), "shift": (0, 1), "stride": (1, 64)}
"""The bounds of whole numbers, by the kind of argument."""

NUMBERS = {"ratio": (0.001, 4.0), "rate": (0.0, 0.99), "factor": (1e-12, 10.0)}
"""The bounds of other numbers."""


def bad_layer(text: str, message: str, label: str = "", help: str = "") -> ConvlabError:
    """The error for a layer that cannot be read; ``text`` is the layer as written."""
    help = help or f"layers: {', '.join(FORMS)}"
    return ConvlabError(Problem("bad-layer", f"{quote(text)}: {message}", label=label, help=help))


@lru_cache(maxsize=4096)
def parse_layer(text: str) -> Call:
    """The layer that a text says. Raises ConvlabError (bad-layer) without a place."""
    if len(text) > MAXIMUM_LENGTH:
        raise bad_layer(text, f"over {MAXIMUM_LENGTH} characters")
    reader = _Reader(text, _tokens(text))
    call = reader.argument(depth=0)
    if reader.position != len(reader.tokens):
        rest = quote(reader.tokens[reader.position])
        raise bad_layer(text, f"{rest} stands after the layer's end", help="one layer an item; arguments stand in ( )")
    if not isinstance(call, Call):
        raise bad_layer(text, "this is a number, not a layer", help=_LOOKS)
    _checked(text, call)
    return call


def values(call: Call) -> dict[str, Argument]:
    """What stands in a layer's brackets, by the names of its form."""
    names = [name for name, _ in FORMS[call.name].arguments]
    return dict(zip(names, call.arguments, strict=False)) | dict(call.options)


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            character = quote(text[position:].strip()[:1])
            raise bad_layer(text, f"{character} cannot be read", help=_LOOKS)
        tokens.append(match.group().strip())
        position = match.end()
    return tokens


class _Reader:
    """A recursive-descent reader of one layer; state is the position only."""

    def __init__(self, text: str, tokens: list[str]) -> None:
        self.text = text
        self.tokens = tokens
        self.position = 0

    def next(self) -> str:
        if self.position == len(self.tokens):
            raise (
                bad_layer(self.text, '")" is missing', help=_LOOKS) if self.tokens else bad_layer(self.text, "no layer")
            )
        self.position += 1
        return self.tokens[self.position - 1]

    def argument(self, depth: int) -> Argument:
        if depth > MAXIMUM_DEPTH:
            raise bad_layer(self.text, f"brackets are nested more than {MAXIMUM_DEPTH} deep", help="use fewer chains")
        token = self.next()
        if token[0].isdigit() or token[0] == ".":
            return self._number(token)
        if token in "(),=":
            raise bad_layer(self.text, f"a layer or a number is missing before {quote(token)}", help=_LOOKS)
        return self._call(token, depth)

    def _number(self, token: str) -> Argument:
        try:
            if token.endswith("x"):
                return Times(float(token[:-1]))
            return int(token) if token.isdigit() else float(token)
        except ValueError:
            raise bad_layer(
                self.text, f"{quote(token)} is no number", help="numbers look like 7, 0.25, 1e-6 and 4x"
            ) from None

    def _call(self, name: str, depth: int) -> Call:
        arguments: list[Argument] = []
        options: list[tuple[str, Argument]] = []
        if self.position < len(self.tokens) and self.tokens[self.position] == "(":
            self.position += 1
            while self.tokens[self.position : self.position + 1] != [")"]:
                item = self.argument(depth + 1)
                if self.tokens[self.position : self.position + 1] == ["="]:
                    self.position += 1
                    options.append((item.name if isinstance(item, Call) else "", self.argument(depth + 1)))
                else:
                    arguments.append(item)
                if self.tokens[self.position : self.position + 1] != [")"] and self.next() != ",":
                    raise bad_layer(
                        self.text, f'"," or ")" is missing before {quote(self.tokens[self.position - 1])}', help=_LOOKS
                    )
            self.position += 1
        return Call(name, tuple(arguments), tuple(options))


def _checked(text: str, call: Call) -> None:
    form = FORMS.get(call.name)
    if form is None:
        raise bad_layer(text, f"unknown layer {quote(call.name)}", did_you_mean(call.name, tuple(FORMS)))
    if call.name in BRACKETS_OF_LAYERS:
        _checked_brackets(text, call, form)
        return
    help = f"{call.name}({', '.join(name for name, _ in form.arguments)}), such as {form.example}"
    kinds = dict(form.arguments)
    given = [*list(kinds)[: len(call.arguments)], *(name for name, _ in call.options)]
    for name in given:
        if name not in kinds:
            raise bad_layer(text, f"{call.name} takes no {quote(name)}", did_you_mean(name, tuple(kinds)), help)
        if given.count(name) > 1:
            raise bad_layer(text, f"{name} is given twice", "", help)
    if len(call.arguments) > len(kinds):
        raise bad_layer(
            text, f"{call.name} takes at most {len(kinds)} of the {len(call.arguments)} arguments", "", help
        )
    for name in list(kinds)[: form.required]:
        if name not in given:
            raise bad_layer(text, f"{name} is missing", "", help)
    for name, value in values(call).items():
        _check_argument(text, (name, kinds[name], value), help)


def _checked_brackets(text: str, call: Call, form: Form) -> None:
    if not call.arguments or call.options or not all(isinstance(item, Call) for item in call.arguments):
        raise bad_layer(text, f"{call.name} holds layers", help=f"such as {form.example}")
    for item in call.arguments:
        if isinstance(item, Call):
            _checked(text, item)
            if item.name == "layer_scale":
                raise bad_layer(
                    text, "layer_scale stands at the end of a branch", help='an item of its own: "layer_scale"'
                )


def _check_argument(text: str, argument: tuple[str, str, Argument], help: str) -> None:
    name, kind, value = argument
    if kind in ("norm", "activation"):
        names = tuple(NORMS) if kind == "norm" else tuple(ACTIVATIONS)
        word = value.name if isinstance(value, Call) else _shown(value)
        if word not in names or (isinstance(value, Call) and (value.arguments or value.options)):
            message = f"unknown {kind} {quote(word)}"
            raise bad_layer(text, message, did_you_mean(word, names), f"{kind}s: {', '.join(names)}")
        return
    due = _due(kind, value)
    if due:
        raise bad_layer(text, f"{name} is {due}, not {_shown(value)}", "", help)


def _due(kind: str, value: Argument) -> str:
    """What a number should be; empty where it is."""
    if kind in NUMBERS:
        least, most = NUMBERS[kind]
        fits = isinstance(value, int | float) and least <= value <= most
        return "" if fits else f"a number from {least:g} to {most:g}"
    low, high = WHOLE[kind]
    fits = isinstance(value, int) and low <= value <= high
    if kind == "odd":
        return "" if fits and isinstance(value, int) and value % 2 else f"an odd number from {low} to {high}"
    if kind == "width":
        times = isinstance(value, Times) and 0.001 <= value.factor <= 64
        return "" if fits or times else "a whole number, or a multiple of the block's width such as 4x"
    span = f"{low} or {high}" if high == low + 1 else f"a whole number from {low} to {high}"
    return "" if fits else span


def _shown(value: Argument) -> str:
    if isinstance(value, Times):
        return f"{value.factor:g}x"
    return value.name if isinstance(value, Call) else f"{value:g}"
