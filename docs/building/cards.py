"""The presets: a page each, with its figures, its block, its costs and its TOML, and a table a family."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from building import drawings
from building.text import code, prose, source, table
from convlab import units
from convlab.costs import Profile, profile
from convlab.language.files import load
from convlab.language.writing import text_of
from convlab.presets import preset_names, preset_path
from convlab.report.markup import cards as cards_html
from convlab.report.markup import table as table_html
from convlab.report.pieces import Cards
from convlab.views.cards import cards
from convlab.views.costs import table as cost_table
from convlab.views.notes import notes
from convlab.views.portrait import portrait

HIDDEN = ("flops", "training_macs", "key")

FAMILIES = {
    "ConvNeXt": ("convnext_v2_", "convnext_"),
    "ResNet and ResNeXt": ("resnet", "resnext"),
    "RegNet": ("regnet",),
    "EfficientNet and MobileNet": ("efficientnet", "mobilenet"),
    "Swin": ("swin",),
    "ViT and DeiT": ("vit", "deit"),
    "Re-parameterised": ("repvgg", "replknet"),
}
"""How the names of a family begin."""


def pages() -> Iterator[tuple[str, str]]:
    """Every preset with its page."""
    for name in names():
        yield name, _page(name)


def names() -> tuple[str, ...]:
    """Every preset that has a page: the designs, and the steps of the walk."""
    return (*preset_names(), *preset_names("roadmap"))


def families() -> str:
    """A table of presets for every family; those of none come last."""
    left = list(preset_names())
    found = []
    for family, starts in FAMILIES.items():
        own = [name for name in left if name.startswith(starts)]
        left = [name for name in left if name not in own]
        found.append(f"## {family}\n\n{_table(sorted(own, key=_size))}")
    if left:
        found.append(f"## Others\n\n{_table(left)}")
    return "\n\n".join(found)


def hero() -> str:
    """The paper's three blocks side by side."""
    return drawings.blocks([_profile(name) for name in ("resnet50", "swin_t", "convnext_t")], 0, titled=True)


def link(name: str, folder: str = "") -> str:
    """A link to a preset's page."""
    return f"[{prose(name.rpartition('/')[2])}]({folder}{name.replace('/', '-')}.md)"


def _table(found: list[str]) -> str:
    rows = []
    for name in found:
        costs = _profile(name)
        rows.append(
            (
                link(name),
                units.count(costs.params),
                units.count(costs.macs),
                units.count(costs.activations),
                str(costs.image.height),
                prose(costs.design.summary),
            )
        )
    return table(("preset", "params", "MACs", "activations", "image", "what it is"), rows, right=(1, 2, 3, 4))


@cache
def _profile(name: str) -> Profile:
    return profile(load(name))


def _size(name: str) -> tuple[str, int]:
    """The order within a family: by line of networks, then by cost."""
    line = re.match(r"[a-z]+(_v2)?", name)
    assert line is not None
    return line[0], _profile(name).macs


def _page(name: str) -> str:
    costs = _profile(name)
    design = costs.design
    path = preset_path(name)
    assert path is not None
    stage = min(2, len(design.stages) - 1)
    sentences = "\n".join(f"- {prose(sentence)}" for sentence in portrait(design))
    told = [f"- {prose(note.message)}: {prose(note.help)}" for note in notes(costs)]
    shown = Cards(tuple(card for card in cards(costs) if card.name not in HIDDEN))
    side = f"{costs.image.height} x {costs.image.width} px"
    return "\n\n".join(
        [
            f"---\nhide: [navigation]\n---\n\n# {prose(design.name)}",
            prose(design.summary),
            _crumb(name),
            cards_html(shown),
            f"For one image of {side}; key {code(design.key)}.",
            "## What it is",
            sentences,
            f"## The block of stage {stage}",
            drawings.blocks([costs], stage),
            "## Where its costs are",
            table_html(cost_table(costs)),
            *(["**To know**", "\n".join(told)] if told else []),
            "## The file",
            source(path.read_text(encoding="utf-8")),
            '??? note "As it is resolved, without its base"\n' + _indented(source(text_of(design))),
            "## Use it",
            source(
                f"convlab profile {name} --by block\nconvlab build {name}\nconvlab report {name}\nconvlab export {name} --to onnx",
                "sh",
            ),
            source(
                f'import convlab\n\ndesign = convlab.load("{name}")\nmodel = convlab.build(design, device="cpu", seed=0)',
                "python",
            ),
        ]
    )


def _crumb(name: str) -> str:
    """The way back to what lists the preset."""
    return "[All steps of the walk](../walk.md)" if name.startswith("roadmap/") else "[All presets](index.md)"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
