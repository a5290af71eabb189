"""What a name means: a knob, a section, a kind, a choice, a layer, a figure, an error code or a setting."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from convlab import layers
from convlab.errors import CODES, ConvlabError
from convlab.language.addresses import SECTIONS
from convlab.language.knobs import knobs_of
from convlab.language.layer_text import FORMS, NUMBERS, WHOLE, parse_layer
from convlab.metrics import METRICS
from convlab.settings import Settings
from convlab.views.cards import FIGURES
from convlab.views.explanation import Explanation, sentence
from convlab.views.knob_explanations import (
    KINDS,
    documented,
    explain_choice,
    explain_kind,
    explain_knobs,
    explain_section,
    explain_setting,
    setting_names,
)
from convlab.views.knob_paths import knob_paths

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
    "norm": "A norm: of the block's kind, or of the kind that is named.",
    "activation": "An activation: of the block's kind, or of the kind that is named.",
    "identity": "What comes in goes out: for a branch in parallel.",
    "chain": "Layers in order: for a branch in parallel.",
}
"""What the written layers are that are no class."""


def explanations(name: str) -> tuple[Explanation, ...]:
    """Everything that is called by the name; empty where nothing is. Designs are explained by their portrait."""
    return tuple(_found(name.strip()))


@cache
def explained_names() -> tuple[str, ...]:
    """Every name that can be explained, designs aside."""
    kinds = [kind for section in KINDS.values() for kind in section]
    bare = [path.rpartition(".")[2] for path in knob_paths()]
    words = [*knob_paths(), *bare, *SECTIONS, *kinds, *FORMS, *METRICS, *FIGURES, *CODES, *setting_names()]
    return tuple(dict.fromkeys(words))


def _found(name: str) -> Iterator[Explanation]:
    yield from explain_knobs(name)
    if name in SECTIONS:
        yield explain_section(name)
    yield from (explain_kind(section, name) for section, kinds in KINDS.items() if name in kinds)
    if _is_layer(name):
        yield _layer(name)
    yield from _figure(name)
    if name in CODES:
        yield Explanation(name, "error code", CODES[name])
    if name in setting_names():
        yield explain_setting(knobs_of(Settings)[name])
    yield from explain_choice(name)


def _is_layer(name: str) -> bool:
    try:
        return parse_layer(name).name in FORMS if "(" in name else name in FORMS
    except ConvlabError:
        return False


def _layer(name: str) -> Explanation:
    word = name.partition("(")[0].strip()
    form = FORMS[word]
    text = documented(LAYERS[word]) if word in LAYERS else OWN_WORDS[word]
    takes = ", ".join(f"{argument} ({_argument(kind)})" for argument, kind in form.arguments)
    return Explanation(name, "layer", text, (("takes", takes),) if takes else (), f'branch = ["{form.example}"]')


def _argument(kind: str) -> str:
    """What an argument of a written layer may be."""
    if kind in NUMBERS:
        return "from {:g} to {:g}".format(*NUMBERS[kind])
    if kind not in WHOLE:
        return f"a kind of {kind}"
    bounds = "from {} to {}".format(*WHOLE[kind])
    return f"{bounds}{', odd' * (kind == 'odd')}{', or a multiple of the width such as 4x' * (kind == 'width')}"


def _figure(name: str) -> Iterator[Explanation]:
    if name in METRICS:
        metric = METRICS[name]
        facts = (("unit", metric.unit), ("total", "the sum over all layers, for one image"))
        yield Explanation(name, "metric", sentence(metric.help), facts)
    elif name in FIGURES:
        figure = FIGURES[name]
        yield Explanation(name, "figure", sentence(figure.help), (("unit", figure.unit),) if figure.unit else ())
