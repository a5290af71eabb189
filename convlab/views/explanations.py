"""What a name means: a knob, a section, a kind, a choice, a layer, a figure, an error code, a setting, a space or a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from convlab.errors import CODES
from convlab.language.addresses import SECTIONS
from convlab.language.knobs import knobs_of
from convlab.language.layer_text import FORMS
from convlab.metrics import METRICS
from convlab.settings import Settings
from convlab.views.cards import FIGURES
from convlab.views.explanation import Explanation, sentence
from convlab.views.knob_explanations import (
    KINDS,
    explain_choice,
    explain_kind,
    explain_knobs,
    explain_section,
    explain_setting,
    setting_names,
)
from convlab.views.knob_paths import knob_paths
from convlab.views.layer_explanations import explain_layer
from convlab.views.recipe_explanations import explain_recipe, recipe_words
from convlab.views.topics import LABELS, TOPICS, canonical, explain_topic


def explanations(name: str) -> tuple[Explanation, ...]:
    """Everything that is called by the name; empty where nothing is. Designs are explained by their portrait."""
    name = name.strip()
    return tuple(_found(name)) or tuple(_found(canonical(name)))


@cache
def explained_names() -> tuple[str, ...]:
    """Every name that can be explained, designs aside."""
    kinds = [kind for section in KINDS.values() for kind in section]
    bare = [path.rpartition(".")[2] for path in knob_paths()]
    words = [*knob_paths(), *bare, *SECTIONS, *kinds, *FORMS, *METRICS, *FIGURES, *CODES, *setting_names()]
    words += [*LABELS, *TOPICS, *recipe_words()]
    return tuple(dict.fromkeys(words))


def _found(name: str) -> Iterator[Explanation]:
    yield from explain_knobs(name)
    if name in SECTIONS:
        yield explain_section(name)
    yield from (explain_kind(section, name) for section, kinds in KINDS.items() if name in kinds)
    yield from explain_layer(name)
    yield from _figure(name)
    if name in CODES:
        yield Explanation(name, "error code", CODES[name])
    if name in setting_names():
        yield explain_setting(knobs_of(Settings)[name])
    yield from explain_choice(name)
    yield from explain_topic(name)
    yield from explain_recipe(name)


def _figure(name: str) -> Iterator[Explanation]:
    if name in METRICS:
        metric = METRICS[name]
        total = ("total", "the sum over all layers, for one image")
        yield Explanation(name, "metric", sentence(metric.help), (("unit", metric.unit), total))
    elif name in FIGURES:
        figure = FIGURES[name]
        facts = tuple(fact for fact in (("shown as", figure.title), ("unit", figure.unit)) if fact[1] not in ("", name))
        yield Explanation(name, "figure", sentence(figure.help), facts)
