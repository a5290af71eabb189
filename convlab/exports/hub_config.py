"""timm's description of a network, as its folder on the hub holds it: what to build, and what images to give it."""

from __future__ import annotations

from typing import Any

from convlab.language.design import Design
from convlab.language.files import load
from convlab.language.writing import text_in_full


def hub_config(design: Design) -> dict[str, Any]:
    """The content of config.json. A preset goes by its name; the text of any other design stands in the file itself."""
    from convlab.timm.configuration import configuration
    from convlab.timm.outline import last_map

    known: dict[str, Any] = configuration(design).to_dict(remove_source=True)  # type: ignore[no-untyped-call]  # as timm has it
    return {
        **_architecture(design),
        "num_classes": design.head.classes,
        "num_features": last_map(design).channels,
        "pretrained_cfg": known,
    }


def _architecture(design: Design) -> dict[str, Any]:
    """What timm has to build, by names that ``import convlab.timm`` registers."""
    from convlab.timm import PRESETS

    for name, preset in PRESETS.items():
        if preset.rpartition("/")[2] == design.name and load(preset) == design:
            return {"architecture": name}
    return {"architecture": "convlab", "model_args": {"design": text_in_full(design)}}
