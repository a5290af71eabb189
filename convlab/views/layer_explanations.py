"""Explanations of the layers that a custom block can be written with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from convlab import layers
from convlab.errors import ConvlabError
from convlab.language.layer_text import FORMS, NUMBERS, WHOLE, parse_layer
from convlab.views.explanation import Explanation

LAYERS: dict[str, type] = {
    "depthwise": layers.Depthwise,
    "conv": layers.Convolution,
    "pointwise": layers.Pointwise,
    "grn": layers.GlobalResponseNorm,
    "squeeze_excite": layers.Gate,
    "max_pool": layers.MaxPool,
    "average_pool": layers.AveragePool,
    "dropout": layers.Dropout,
    "layer_scale": layers.LayerScale,
    "parallel": layers.Parallel,
    "split": layers.Split,
}
"""The classes of written layers, which say what they are."""

OWN_WORDS = {
    "depthwise": "A depthwise convolution: one filter a channel.",
    "pointwise": "A 1x1 convolution, or a linear layer over the channels, as the block's pointwise says.",
    "attention": "Self-attention of the whole map, with its projections; heads are the block's unless they are given.",
    "window_attention": "Self-attention within windows, shifted by half a window where shift is 1.",
    "norm": "A norm: of the block's kind, or of the kind that is named.",
    "activation": "An activation: of the block's kind, or of the kind that is named.",
    "identity": "What comes in goes out: for a branch in parallel.",
    "chain": "Layers in order: for a branch in parallel.",
}
"""What the written layers are that are no class, or whose class says it in words of the code."""

RULES = (
    (
        "a stride",
        "a stage's stride is carried by the first depthwise, conv or pool of a branch; inside parallel by every branch, "
        "where identity, norm, activation and dropout alone are left out, as they are where the width changes; "
        "a stem says its strides itself",
    ),
    ("defaults", "the block's kernel size, norm, activation and bias are the defaults of its layers"),
    ("the sum", 'each branch is added to its input; shortcut = "none" leaves that sum out'),
)
"""What holds of all written layers."""


def explain_layer(name: str) -> Iterator[Explanation]:
    """A layer by its name, or as it is written with its arguments."""
    if _is_layer(name):
        yield _layer(name)


def written_layers() -> tuple[tuple[str, str], ...]:
    """The layers that a custom block can be written with, each as an example and what it is; then what holds of all."""
    return (*((form.example, _meaning(word)) for word, form in FORMS.items()), *RULES)


def documented(noun: type) -> str:
    """The first sentence of a class's documentation, without its markup."""
    return inspect.cleandoc(noun.__doc__ or "").partition("\n")[0].replace("``", "")


def _is_layer(name: str) -> bool:
    try:
        return parse_layer(name).name in FORMS if "(" in name else name in FORMS
    except ConvlabError:
        return False


def _meaning(word: str) -> str:
    return OWN_WORDS[word] if word in OWN_WORDS else documented(LAYERS[word])


def _layer(name: str) -> Explanation:
    word = name.partition("(")[0].strip()
    form = FORMS[word]
    takes = ", ".join(f"{argument} ({_argument(kind)})" for argument, kind in form.arguments)
    return Explanation(
        name, "layer", _meaning(word), (("takes", takes),) if takes else (), f'branch = ["{form.example}"]'
    )


def _argument(kind: str) -> str:
    """What an argument of a written layer may be."""
    if kind in NUMBERS:
        return "from {:g} to {:g}".format(*NUMBERS[kind])
    if kind not in WHOLE:
        return f"a kind of {kind}"
    low, high = WHOLE[kind]
    bounds = f"{low} or {high}" if high == low + 1 else f"from {low} to {high}"
    return f"{bounds}{', odd' * (kind == 'odd')}{', or a multiple of the width such as 4x' * (kind == 'width')}"
