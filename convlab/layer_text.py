"""Layers written as text, for custom blocks: ``depthwise(7)``, ``pointwise(4x, groups=2)``, ``parallel(conv(3, 1x), identity)``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.layers import ACTIVATIONS, NORMS

_TOKEN = re.compile(r"\s*(?:([A-Za-z_]\w*)|(\d{1,6}(?:\.\d{1,9})?x?|\.\d{1,9})|([(),=]))")
MAXIMUM_LENGTH = 1000


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


_KERNEL = ("kernel_size", "whole")
_DILATION = ("dilation", "whole")
FORMS: dict[str, Form] = {
    "depthwise": Form((_KERNEL, _DILATION), 1, "depthwise(7)"),
    "conv": Form((_KERNEL, ("width", "width"), ("groups", "whole"), _DILATION), 1, "conv(3, 1x, groups=4)"),
    "pointwise": Form((("width", "width"),), 1, "pointwise(4x)"),
    "norm": Form((("kind", "norm"),), 0, "norm(layer_norm)"),
    "activation": Form((("kind", "activation"),), 0, "activation(gelu)"),
    "grn": Form((), 0, "grn"),
    "squeeze_excite": Form((("ratio", "number"),), 1, "squeeze_excite(0.25)"),
    "max_pool": Form((_KERNEL,), 1, "max_pool(3)"),
    "average_pool": Form((_KERNEL,), 1, "average_pool(3)"),
    "dropout": Form((("rate", "number"),), 1, "dropout(0.1)"),
    "layer_scale": Form((("initial", "number"),), 0, "layer_scale(1e-6)"),
    "identity": Form((), 0, "identity"),
    "chain": Form((), 0, "chain(conv(3, 1x), norm)"),
    "parallel": Form((), 0, "parallel(depthwise(7), depthwise(3))"),
}
"""The layers that a custom block may be made of."""

BRACKETS_OF_LAYERS = frozenset({"chain", "parallel"})


def bad_layer(text: str, message: str, label: str = "") -> ConvlabError:
    """The error for a layer that cannot be read; ``text`` is the layer as written."""
    return ConvlabError(
        Problem("bad-layer", f"{message} in {quote(text)}", label=label, help=f"layers: {', '.join(FORMS)}")
    )


@cache
def parse_layer(text: str) -> Call:
    """The layer that a text says. Raises ConvlabError (bad-layer) without a place."""
    if len(text) > MAXIMUM_LENGTH:
        raise bad_layer(text, f"over {MAXIMUM_LENGTH} characters")
    reader = _Reader(text, _tokens(text))
    call = reader.argument(depth=0)
    if reader.position != len(reader.tokens):
        raise bad_layer(text, f"{quote(reader.tokens[reader.position])} stands after the layer's end")
    if not isinstance(call, Call):
        raise bad_layer(text, "no layer's name")
    _checked(text, call)
    return call


def values(call: Call) -> dict[str, Argument]:
    """What stands in a layer's brackets, by the names of its form."""
    names = [name for name, _ in FORMS[call.name].arguments]
    return dict(zip(names, call.arguments, strict=False)) | dict(call.options)


def _tokens(text: str) -> list[str]:
    # exponents ("1e-6") are numbers too; the pattern for them stands here to keep the common one readable
    tokens, position = [], 0
    while position < len(text.rstrip()):
        match = re.compile(r"\s*(\d[\d.]{0,9}e-?\d{1,2})").match(text, position) or _TOKEN.match(text, position)
        if match is None:
            raise bad_layer(text, f"{quote(text[position:].strip()[:1])} cannot be read")
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
            raise bad_layer(self.text, "the text ends too early")
        self.position += 1
        return self.tokens[self.position - 1]

    def argument(self, depth: int) -> Argument:
        if depth > 8:
            raise bad_layer(self.text, "brackets are nested too deeply")
        token = self.next()
        if token[0].isdigit() or token[0] == ".":
            return self._number(token)
        if token in "(),=":
            raise bad_layer(self.text, f"a layer or a number is due, not {quote(token)}")
        return self._call(token, depth)

    def _number(self, token: str) -> Argument:
        try:
            if token.endswith("x"):
                return Times(float(token[:-1]))
            return int(token) if token.isdigit() else float(token)
        except ValueError:
            raise bad_layer(self.text, f"{quote(token)} is no number") from None

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
                    raise bad_layer(self.text, "a comma or a closing bracket is due")
            self.position += 1
        return Call(name, tuple(arguments), tuple(options))


def _checked(text: str, call: Call) -> None:
    form = FORMS.get(call.name)
    if form is None:
        raise bad_layer(text, f"unknown layer {quote(call.name)}", did_you_mean(call.name, tuple(FORMS)))
    if call.name in BRACKETS_OF_LAYERS:
        if not call.arguments or call.options or not all(isinstance(item, Call) for item in call.arguments):
            raise bad_layer(text, f"{call.name} holds layers, as in {form.example}")
        for item in call.arguments:
            if isinstance(item, Call):
                _checked(text, item)
                if item.name == "layer_scale":
                    raise bad_layer(text, "layer_scale stands at the end of a branch")
        return
    kinds = dict(form.arguments)
    names = [name for name, _ in form.arguments][: len(call.arguments)] + [name for name, _ in call.options]
    if len(call.arguments) > len(form.arguments) or len(set(names)) != len(names) or len(names) < form.required:
        raise bad_layer(text, f"{call.name} is written as {form.example}")
    for name, value in values(call).items():
        if name not in kinds:
            raise bad_layer(text, f"{call.name} has no {quote(name)}", did_you_mean(name, tuple(kinds)))
        reason = _refusal(kinds[name], value)
        if reason:
            raise bad_layer(text, f"{name} {reason}")


def _refusal(kind: str, value: Argument) -> str:
    """Why a value does not fit an argument of a kind; empty where it does."""
    whole = isinstance(value, int) and 1 <= value <= 65536
    if kind == "whole":
        return "" if whole else "is a whole number from 1 to 65536"
    if kind == "width":
        fits = whole or (isinstance(value, Times) and 0 < value.factor <= 64)
        return "" if fits else "is a whole number, or a multiple of the block's width such as 4x"
    if kind == "number":
        return "" if isinstance(value, int | float) and 0 < value <= 4 else "is a number above 0 and at most 4"
    names = tuple(NORMS) if kind == "norm" else tuple(ACTIVATIONS)
    named = isinstance(value, Call) and not value.arguments and not value.options and value.name in names
    return "" if named else f"is one of: {', '.join(names)}"
