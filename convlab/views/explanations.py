"""What a name means: a knob, a section, a kind, a choice, a layer, a figure, an error code or a setting."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from convlab import blocks, downsample, layers, stem
from convlab.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, UNUSED
from convlab.errors import CODES, ConvlabError
from convlab.knobs import Knob, knobs_of
from convlab.layer_text import FORMS, parse_layer
from convlab.metrics import METRICS
from convlab.settings import Settings
from convlab.views.cards import FIGURES
from convlab.views.knob_paths import knob_paths
from convlab.views.tables import value_text

KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "block": blocks.KINDS,
    "stem": stem.KINDS,
    "downsample": downsample.KINDS,
}
"""The named kinds by section, with the defaults that make them."""

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
    "chain": layers.Chain,
    "parallel": layers.Parallel,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a name is, in a sentence, with facts (label and text) and an example."""

    name: str
    what: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    example: str = ""


def explanations(name: str) -> tuple[Explanation, ...]:
    """Everything that is called by the name; empty where nothing is. Designs are explained by their portrait."""
    return tuple(_found(name.strip()))


@cache
def explained_names() -> tuple[str, ...]:
    """Every name that can be explained, designs aside."""
    kinds = [kind for section in KINDS.values() for kind in section]
    bare = [path.rpartition(".")[2] for path in knob_paths()]
    return tuple(
        dict.fromkeys(
            [*knob_paths(), *bare, *SECTIONS, *kinds, *FORMS, *METRICS, *FIGURES, *CODES, *knobs_of(Settings)]
        )
    )


def _found(name: str) -> Iterator[Explanation]:
    yield from _knobs(name)
    if name in SECTIONS:
        yield _section(name)
    for section, kinds in KINDS.items():
        if name in kinds:
            yield _kind(section, name)
    if _is_layer(name):
        yield _layer(name)
    if name in METRICS:
        metric = METRICS[name]
        yield Explanation(
            name,
            "metric",
            _sentence(metric.help),
            (("unit", metric.unit), ("total", "the sum over all layers, for one image")),
        )
    elif name in FIGURES:
        figure = FIGURES[name]
        yield Explanation(name, "figure", _sentence(figure.help), (("unit", figure.unit),) if figure.unit else ())
    if name in CODES:
        yield Explanation(name, "error code", CODES[name])
    if name in knobs_of(Settings):
        yield _setting(knobs_of(Settings)[name])
    yield from _choices(name)


def _knobs(name: str) -> Iterator[Explanation]:
    """The knobs of a path (for all stages, or for some), or of a bare name."""
    parts = name.split(".")
    if parts[0] == "stages" and len(parts) > 2:
        singular = {single: plural for plural, single in PLURALS.items()}
        name = singular.get(parts[2], "") if len(parts) == 3 else ".".join(parts[2:])
    for path, knob in knob_paths().items():
        if name in (path, path.rpartition(".")[2]) or (name == knob.name and path in PLURALS):
            yield _knob(path, knob)


def _knob(path: str, knob: Knob) -> Explanation:
    section = path.partition(".")[0]
    shown = value_text(_example(path, knob))
    per_stage = section in STAGE_SECTIONS or path in PLURALS
    single = f"stages.2.{PLURALS.get(path, path)}"
    facts = [
        ("value", knob.bounds()),
        ("unit", knob.unit),
        ("default", "" if path in PLURALS else value_text(knob.default) or "empty"),
    ]
    facts.append(("by kind", _by_kind(section, knob)))
    facts.append(("one stage", single if per_stage else ""))
    facts.append(
        (
            "not used by",
            ", ".join(kind for (noun, kind), names in UNUSED.items() if noun == section and knob.name in names),
        )
    )
    return Explanation(
        path,
        "knob",
        _sentence(knob.help),
        tuple(fact for fact in facts if fact[1]),
        f"--set {single if per_stage else path}={shown}",
    )


def _by_kind(section: str, knob: Knob) -> str:
    kinds = KINDS.get(section, {})
    return ", ".join(
        f"{kind} {value_text(defaults[knob.name])}" for kind, defaults in kinds.items() if knob.name in defaults
    )


def _example(path: str, knob: Knob) -> Any:
    """A value to show: the last choice, or a number that is allowed and is not the default."""
    if knob.kind in ("choice", "choices"):
        return next((choice for choice in knob.choices if choice != knob.default), knob.default)
    if knob.kind == "boolean":
        return not knob.default
    if knob.kind == "layers":
        return ("depthwise(7)", "norm", "pointwise(4x)", "activation", "pointwise(1x)")
    known = {
        "depths": 9,
        "widths": 384,
        "image.size": 288,
        "block.kernel_size": 7,
        "block.expansion_ratio": 4,
        "head.classes": 100,
    }
    return known.get(path, knob.default if knob.default else 1)


def _section(name: str) -> Explanation:
    facts = tuple((knob, about.help) for knob, about in knobs_of(SECTIONS[name]).items())
    text = f"A table of a design file. {inspect.cleandoc(SECTIONS[name].__doc__ or '')}"
    return Explanation(name, "section", text, facts, f"convlab explain {name}.{facts[0][0]}")


def _kind(section: str, kind: str) -> Explanation:
    noun: Any = SECTIONS[section]
    made = noun.of(kind)
    unused = UNUSED.get((section, kind), frozenset())
    facts = tuple(
        (field.name, value_text(getattr(made, field.name)))
        for field in dataclasses.fields(made)
        if field.name != "kind" and field.name not in unused and getattr(made, field.name) != ()
    )
    return Explanation(
        kind,
        f"kind of {section}",
        f"A named set of defaults for the knobs of {section}:",
        facts,
        f"--set {section}.kind={kind}",
    )


def _is_layer(name: str) -> bool:
    try:
        return parse_layer(name).name in FORMS if "(" in name else name in FORMS
    except ConvlabError:
        return False


def _layer(name: str) -> Explanation:
    word = name.partition("(")[0].strip()
    form = FORMS[word]
    about = LAYERS.get(word)
    text = inspect.cleandoc(about.__doc__ or "").partition("\n")[0] if about else "A layer of a custom block."
    takes = ", ".join(f"{argument} ({kind})" for argument, kind in form.arguments)
    return Explanation(name, "layer", text, (("takes", takes),) if takes else (), f'branch = ["{form.example}"]')


def _setting(knob: Knob) -> Explanation:
    facts = (
        ("value", knob.bounds()),
        ("default", value_text(knob.default)),
        ("variable", f"CONVLAB_{knob.name.upper()}"),
    )
    return Explanation(
        knob.name, "setting", _sentence(knob.help), facts, f"{knob.name} = {_toml(knob)}    # in convlab.toml"
    )


def _toml(knob: Knob) -> str:
    example = _example(knob.name, knob)
    return f'"{example}"' if isinstance(example, str) else value_text(example)


def _choices(name: str) -> Iterator[Explanation]:
    """The knobs that can be set to a word; kinds explain themselves."""
    where = [path for path, knob in knob_paths().items() if name in knob.choices and not path.endswith("kind")]
    if where:
        yield Explanation(name, "choice", f"A choice of {', '.join(where)}.", (), f"--set {where[0]}={name}")


def _sentence(help: str) -> str:
    return help[0].upper() + help[1:] + ("" if help.endswith(".") else ".")
