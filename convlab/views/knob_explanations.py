"""Explanations of knobs, of the sections that hold them, of the kinds that set them, and of the words that they can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convlab.language import blocks, downsample, stem
from convlab.language.addresses import PLURALS, SECTIONS, STAGE_SECTIONS, UNUSED, users
from convlab.language.knobs import Knob, knobs_of
from convlab.layers import NORMS
from convlab.settings import Settings
from convlab.views.explanation import Explanation, sentence
from convlab.views.kind_words import KIND_WORDS
from convlab.views.knob_paths import knob_paths
from convlab.views.layer_explanations import documented, written_layers
from convlab.views.tables import value_text

KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "block": blocks.KINDS,
    "stem": stem.KINDS,
    "downsample": downsample.KINDS,
}
"""The named kinds by section, with the defaults that make them."""

EXAMPLES = {
    "depths": "9",
    "widths": "384",
    "drop_path": "0.1",
    "norm_eps": "1e-5",
    "output_stride": "16",
    "names": "timm",
    "strides": "2",
    "dilations": "2",
    "image.size": "288",
    "image.channels": "1",
    "stem.patch_size": "2",
    "stem.kernel_size": "3",
    "stem.stride": "2",
    "stem.layers": "2",
    "stem.width": "64",
    "block.kernel_size": "9",
    "block.order": "middle",
    "block.expansion_ratio": "3",
    "block.groups": "32",
    "block.group_width": "16",
    "block.norm": "batch_norm",
    "block.activation": "silu",
    "block.squeeze_ratio": "0.25",
    "block.heads": "12",
    "block.head_width": "64",
    "block.window": "14",
    "block.shift": "false",
    "block.relative_position": "false",
    "block.layer_scale": "1e-4",
    "block.bias": "false",
    "block.pointwise": "conv",
    "block.kind": "convnext_v2",
    "downsample.kernel_size": "3",
    "head.convolution": "1280",
    "head.hidden": "1024",
    "head.dropout": "0.2",
    "head.classes": "100",
    "block.branch": '["depthwise(7)", "norm", "pointwise(4x)", "activation", "pointwise(1x)"]',
    "block.branches": '[["depthwise(7)", "norm"], ["pointwise(4x)", "activation", "pointwise(1x)"]]',
    "stem.branch": '["conv(3, 0.5x, stride=2)", "norm", "activation", "conv(3, 1x, stride=2)", "norm"]',
    "downsample.branch": '["conv(3, 1x)", "norm"]',
}
"""Values to show, where one that is made from the knob says less: each can be used on convnext_t."""

COMPANIONS = {"stem.class_token=true": "--set head.pool=token", "head.pool=token": "--set stem.class_token=true"}
"""What has to be said beside an example, for want of which it would be refused."""

SHOWN_ON = {"stem": "patchify", "block": "convnext", "downsample": "separate"}
"""The kinds of convnext_t: where they do not use a knob, its example sets another kind first."""


def explain_knobs(name: str) -> Iterator[Explanation]:
    """The knobs of a path (for all stages, or for some), or of a bare name."""
    parts = name.split(".")
    if parts[0] == "stages" and len(parts) > 2:
        plurals = {single: plural for plural, single in PLURALS.items()}
        name = plurals.get(parts[2], "") if len(parts) == 3 else ".".join(parts[2:])
    for path, knob in knob_paths().items():
        if name in (path, path.rpartition(".")[2]) or (name == knob.name and path in PLURALS):
            yield _knob(path, knob)


def explain_section(name: str) -> Explanation:
    """A table of a design file, with its knobs."""
    facts = tuple((knob, about.help) for knob, about in knobs_of(SECTIONS[name]).items())
    text = f"The table [{name}] of a design file. Its knobs:"
    return Explanation(name, "section", text, facts, f"convlab explain {name}.{facts[0][0]}")


def explain_kind(section: str, kind: str) -> Explanation:
    """A named kind, with the value of every knob that it uses."""
    noun: Any = SECTIONS[section]
    made = noun.of(kind)
    unused = UNUSED.get((section, kind), frozenset()) | {"kind"}
    knobs = ((knob, getattr(made, name)) for name, knob in knobs_of(noun).items() if name not in unused)
    facts = tuple((knob.name, _value(knob, value)) for knob, value in knobs if value != ())
    text = f"{KIND_WORDS[section].get(kind)} Its defaults for the knobs of {section}:"
    if kind == "custom":
        path = f"{section}.branch"
        example = f"--set {section}.kind=custom {_turned(path, EXAMPLES[path])}"
        where = f"{path} or block.branches" if section == "block" else path
        text = f"A {section} written as layers in {where}, with these defaults and layers:"
        return Explanation(kind, f"kind of {section}", text, (*facts, *written_layers()), example)
    return Explanation(kind, f"kind of {section}", text, facts, f"--set {section}.kind={kind}")


def explain_choice(name: str) -> Iterator[Explanation]:
    """The knobs that can be set to a word; kinds explain themselves."""
    where = [path for path, knob in knob_paths().items() if name in knob.choices and not path.endswith("kind")]
    if where:
        about = f"{documented(NORMS[name])} " if name in NORMS else ""
        yield Explanation(name, "choice", f"{about}A choice of {', '.join(where)}.", (), _turned(where[0], name))


def explain_setting(knob: Knob) -> Explanation:
    """What can be set once instead of with every command."""
    facts = (
        ("value", knob.bounds()),
        ("default", value_text(knob.default)),
        ("variable", f"CONVLAB_{knob.name.upper()}"),
    )
    value = f'"{_example(knob.name, knob)}"' if knob.kind == "choice" else _example(knob.name, knob)
    return Explanation(knob.name, "setting", sentence(knob.help), facts, f"{knob.name} = {value} in convlab.toml")


def setting_names() -> tuple[str, ...]:
    """The names of the settings."""
    return tuple(knobs_of(Settings))


def _knob(path: str, knob: Knob) -> Explanation:
    section = path.partition(".")[0]
    single = f"stages.2.{PLURALS.get(path, path)}" if section in STAGE_SECTIONS or path in PLURALS else ""
    facts = (
        ("value", knob.bounds()),
        ("unit", knob.unit),
        ("default", "" if path in PLURALS else _value(knob, knob.default) or "empty"),
        ("by kind", _by_kind(section, knob)),
        ("one stage", single),
        ("not used by", _not_used_by(section, knob)),
    )
    text = f"{knob.help}, one value a stage or one for all" if path in PLURALS else knob.help
    known = tuple(fact for fact in facts if fact[1])
    if knob.kind == "layers":
        known = (*known, *written_layers())
    example = _with_kind(section, knob, single or path) + _turned(single or path, _example(path, knob))
    return Explanation(path, "knob", sentence(text), known, example)


def _value(knob: Knob, value: Any) -> str:
    return knob.zero if knob.is_automatic(value) else value_text(value)


def _with_kind(section: str, knob: Knob, path: str) -> str:
    """Where convnext_t's kind does not use the knob, the arguments that set a kind that does, with layers where it needs some."""
    used = users(section, knob.name) if section in SHOWN_ON else ()
    if not used or SHOWN_ON[section] in used:
        return ""
    table = path.rpartition(".")[0]
    used = tuple(kind for kind in used if kind != "custom") or used
    layers = used[0] == "custom" and knob.kind != "layers"
    branch = _turned(f"{table}.branch", EXAMPLES[f"{section}.branch"]) + " " if layers else ""
    return _turned(f"{table}.kind", used[0]) + " " + branch


def _by_kind(section: str, knob: Knob) -> str:
    kinds = [(kind, values) for kind, values in KINDS.get(section, {}).items() if kind in users(section, knob.name)]
    return ", ".join(f"{kind} {value_text(values[knob.name])}" for kind, values in kinds if knob.name in values)


def _not_used_by(section: str, knob: Knob) -> str:
    return ", ".join(kind for (noun, kind), names in UNUSED.items() if noun == section and knob.name in names)


def _example(path: str, knob: Knob) -> str:
    """A value to show, as TOML or as a bare word: rather not the default."""
    if path in EXAMPLES:
        return EXAMPLES[path]
    if knob.kind == "choices":
        return f'["{knob.choices[0]}"]'
    if knob.kind == "choice":
        return next((choice for choice in knob.choices if choice != knob.default), knob.choices[0])
    if knob.kind == "boolean":
        return value_text(not knob.default)
    if knob.kind == "text":
        return '"mine"'
    return value_text(knob.default or (0.1 if knob.high is not None and knob.high < 1 else 1))


def _turned(path: str, value: str) -> str:
    """The argument of --set, quoted where the shell would change it."""
    text = f"{path}={value}"
    quoted = f"'{text}'" if any(character in text for character in '[]"* ') else text
    return f"--set {quoted} {COMPANIONS.get(text, '')}".rstrip()
