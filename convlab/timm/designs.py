"""The entry points that timm knows: one for every preset, ``convlab_`` before its name, and ``convlab`` for any design."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any

from timm.models import (
    PretrainedCfg,
    build_model_with_cfg,
    generate_default_cfgs,
    register_model,
    resolve_pretrained_cfg,
)
from torch import nn

from convlab.errors import ConvlabError, Problem, quote
from convlab.language.design import Design
from convlab.language.files import load, load_text
from convlab.language.writing import text_in_full
from convlab.presets import preset_names
from convlab.timm.configuration import ANY_DESIGN, overlaid
from convlab.timm.factory import timm_model
from convlab.timm.outline import taps
from convlab.timm.pretrained import configurations, converted

PRESETS = {f"convlab_{name.replace('/', '_')}": name for name in (*preset_names(), *preset_names("roadmap"))}
"""The presets by the names that they have in timm."""

_CONFIGURATIONS: dict[str, dict[str, Any] | PretrainedCfg] = {"convlab": ANY_DESIGN}
for _name, _preset in PRESETS.items():
    _CONFIGURATIONS |= configurations(_name, _preset, load(_preset))

default_cfgs = generate_default_cfgs(_CONFIGURATIONS)
"""Where ``register_model`` looks for the configuration of what is registered here."""


# timm calls entry points with arguments of its own among those of the model: here, and nowhere else, they are passed on unread.
def convlab(pretrained: bool = False, **arguments: Any) -> nn.Module:
    """Any design: ``design`` is the path of a file, a preset's name, a file's text or a Design; ``sets`` are as ``--set`` takes them."""
    design = _design(arguments.pop("design", None), arguments.pop("sets", ()))
    if not isinstance(arguments.get("pretrained_cfg"), str):
        arguments["pretrained_cfg"] = asdict(overlaid(design, arguments.get("pretrained_cfg")))
    return _model("convlab", design, pretrained, arguments)


def _of_preset(name: str, preset: str) -> Callable[..., nn.Module]:
    def entrypoint(pretrained: bool = False, **arguments: Any) -> nn.Module:
        return _model(name, load(preset), pretrained, arguments)

    entrypoint.__name__ = entrypoint.__qualname__ = name
    entrypoint.__doc__ = load(preset).summary
    return entrypoint


def _model(variant: str, design: Design, pretrained: bool, arguments: dict[str, Any]) -> nn.Module:
    if pretrained:
        _refuse_without_weights(variant, design, arguments)
    return build_model_with_cfg(
        timm_model,
        variant,
        pretrained,
        model_cfg=design,
        feature_cfg=_features(design),
        pretrained_filter_fn=converted,
        **arguments,
    )


def _refuse_without_weights(variant: str, design: Design, arguments: dict[str, Any]) -> None:
    """Say how weights are given where none are published, in the place of timm's assertion."""
    given = (arguments.get("pretrained_cfg"), arguments.get("pretrained_cfg_overlay"))
    source = resolve_pretrained_cfg(variant, *given)
    if source.has_weights or source.state_dict:
        return
    message = f"no weights of {quote(design.name or design.key)} are published"
    help = 'pretrained_cfg_overlay=dict(file="weights.safetensors") reads a file of any layout'
    preset = f"convlab_{design.name}"
    if preset in PRESETS and resolve_pretrained_cfg(preset).has_weights:
        message = f"{variant} has no published weights of its own: it makes any design"
        help = f'create_model("{preset}", pretrained=True) takes those of the preset; {help}'
    raise ConvlabError(Problem("not-fetched", message, help=help), exit_code=2)


def _features(design: Design) -> dict[str, Any]:
    """How ``features_only`` takes the model apart: by children or, where blocks give the maps, by the model's own method."""
    count = len(taps(design))
    if len(design.stages) == 1:
        return {"out_indices": min(3, count), "feature_cls": "getter"}
    return {"out_indices": tuple(range(count)), "flatten_sequential": True}


def _design(source: Any, sets: Iterable[str]) -> Design:
    if source is None:
        help = 'timm.create_model("convlab", design="mine.toml"), or --model-kwargs design=mine.toml'
        raise ConvlabError(Problem("usage", "which design? none is given", help=help), exit_code=2)
    if isinstance(source, Design):
        return replace(load_text(text_in_full(source), sets=sets), name=source.name) if sets else source
    text = os.fspath(source)
    return load_text(text, sets=sets) if "\n" in text else load(text, sets=sets)


register_model(convlab)
for _name, _preset in PRESETS.items():
    globals()[_name] = register_model(_of_preset(_name, _preset))
