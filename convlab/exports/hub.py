"""A folder in the layout of the Hugging Face hub: timm's config.json, the weights, the design and a model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from convlab.exports.hub_config import hub_config
from convlab.exports.model_card import model_card
from convlab.exports.origin import Check, Origin, Steps, Written
from convlab.exports.pushing import push_folder, refuse_push
from convlab.exports.safetensors import packed, refuse_other_weights
from convlab.exports.targets import Target
from convlab.language.writing import text_in_full

if TYPE_CHECKING:
    from convlab.models import ConvNet

FILES = ("README.md", "config.json", "design.toml", "model.safetensors")


def write(origin: Origin, target: Target) -> Steps:
    """Write the folder, build the model from it with timm, and upload it where that was asked for."""
    target.refuse_occupied_folder(frozenset(FILES))
    if target.push:
        refuse_push(target.push)
    yield "building the model"
    model, random = origin.build()
    with target.staged() as draft:
        yield "writing"
        draft.mkdir()
        (draft / "README.md").write_text(_card(origin, target), encoding="utf-8")
        (draft / "config.json").write_text(json.dumps(hub_config(origin.design), indent=2) + "\n", encoding="utf-8")
        (draft / "design.toml").write_text(text_in_full(origin.design), encoding="utf-8")
        (draft / "model.safetensors").write_bytes(packed(model))
        yield "building it again with timm"
        check = _built_by_timm(draft, model)
    if target.push:
        yield f"uploading to {target.push}"
        push_folder(target.path, target.push)
    return Written(tuple(target.path / name for name in FILES), (check,), random)


def _card(origin: Origin, target: Target) -> str:
    name = origin.design.name or origin.design.key
    source = f"hf-hub:{target.push}" if target.push else f"local-dir:{target.path.name}"
    return model_card(origin, name=name, source=source)


def _built_by_timm(folder: Path, model: ConvNet) -> Check:
    """Build the network as a reader of the folder does. Raises ConvlabError where its weights are others."""
    import timm

    import convlab.timm  # noqa: F401  # registers the architectures

    found = timm.create_model(f"local-dir:{folder}", pretrained=True)
    refuse_other_weights(found.state_dict(), model)
    return Check(f"built from the folder by timm {timm.__version__}, bits of the weights", 0.0)
