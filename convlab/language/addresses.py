"""Where knobs stand: the sections, the stages and the lists of a design file, and which knobs a kind does not use."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from convlab.errors import ConvlabError, Problem, did_you_mean, quote
from convlab.language import blocks
from convlab.language.blocks import Block
from convlab.language.design import Design, Image, Stage
from convlab.language.downsample import Downsample
from convlab.language.head import Head
from convlab.language.knobs import knobs_of
from convlab.language.stem import Stem

PLURALS = {"depths": "depth", "widths": "width", "strides": "stride", "dilations": "dilation"}
"""Macro knobs that hold a value a stage, and the stage's own name for it."""

SECTIONS: dict[str, type] = {"image": Image, "stem": Stem, "block": Block, "downsample": Downsample, "head": Head}
STAGE_SECTIONS = ("block", "downsample")

_CUSTOM = frozenset({"branch", "branches"})
_ATTENTION = frozenset({"heads", "head_width", "window", "shift", "relative_position"})
_CONVOLUTION = frozenset(
    {"order", "expansion_of", "kernel_size", "groups", "group_width", "norm_after", "activation_after", "stride_at"}
    | {"squeeze_ratio", "squeeze_of", "squeeze_after", "shortcut", "shortcut_norm"}
)

UNUSED: dict[tuple[str, str], frozenset[str]] = {
    ("stem", "patchify"): frozenset({"kernel_size", "stride", "layers", "pool", "branch"}),
    ("stem", "conv"): frozenset({"patch_size", "layers", "branch"}),
    ("stem", "overlap"): frozenset({"patch_size", "layers", "pool", "branch"}),
    ("stem", "deep"): frozenset({"patch_size", "branch"}),
    ("stem", "custom"): frozenset({"patch_size", "stride", "layers", "pool"}),
    ("downsample", "separate"): frozenset({"activation", "branch"}),
    ("downsample", "max_pool"): frozenset({"activation", "branch"}),
    ("downsample", "average_pool"): frozenset({"activation", "branch"}),
    ("downsample", "patch_merging"): frozenset({"kernel_size", "activation", "branch"}),
    ("downsample", "in_block"): frozenset({"kernel_size", "norm", "bias", "activation", "branch"}),
    ("block", "custom"): frozenset(
        {
            "order",
            "expansion_ratio",
            "expansion_of",
            "groups",
            "group_width",
            "norm_after",
            "activation_after",
        }
        | {"squeeze_ratio", "squeeze_of", "squeeze_after", "grn", "stride_at", "layer_scale"}
        | {"window", "shift"}
    ),
}
UNUSED |= {("block", kind): _CUSTOM | _ATTENTION for kind in blocks.KINDS if ("block", kind) not in UNUSED}
UNUSED |= {("block", kind): _CUSTOM | _CONVOLUTION for kind in blocks.ATTENTION_KINDS}
"""Knobs that mean nothing for a kind; writing one there is a mistake that is told."""

OTHER_WORDS = {
    "mlp_ratio": "expansion_ratio",
    "se_ratio": "squeeze_ratio",
    "ls_init_value": "layer_scale",
    "dims": "widths",
    "embed_dim": "widths",
    "num_classes": "classes",
}
"""Words of other projects for knobs, for suggestions."""

_LONGEST_INDEX = 5


def users(section: str, knob: str) -> tuple[str, ...]:
    """The kinds of a section that use a knob."""
    kinds = knobs_of(SECTIONS[section])["kind"].choices
    return tuple(kind for kind in kinds if knob not in UNUSED.get((section, kind), ()))


def stage_index(key: str, count: int) -> int | None:
    """The stage that a key such as "2" or "-1" names among ``count``, from 0; None where there is none."""
    if len(key) > _LONGEST_INDEX or not key.isascii() or not key.removeprefix("-").isdigit() or key != str(int(key)):
        return None
    index = int(key)
    return index % count if -count <= index < count else None


@cache
def design_keys() -> tuple[str, ...]:
    """What a design file may say at its top."""
    return ("base", "format", "scale", *knobs_of(Design), *PLURALS, *SECTIONS, "stages")


@cache
def stage_keys() -> tuple[str, ...]:
    """What the table of a stage may say."""
    return (*(name for name in knobs_of(Stage)), *STAGE_SECTIONS)


def suggestion(key: str, words: tuple[str, ...]) -> str:
    """'did you mean "depths"?' for a key that is none of the words: the closest, or the knob of that name in a section among them."""
    key = OTHER_WORDS.get(key, key)
    label = did_you_mean(key, words)
    if label:
        return label
    sections = sorted(set(SECTIONS) & set(words), key=[*STAGE_SECTIONS, *SECTIONS].index)
    homes = [section for section in sections if key in knobs_of(SECTIONS[section])]
    return f"did you mean {quote(f'{homes[0]}.{key}')}?" if homes else ""


def get(design: Design, path: str) -> Any:
    """The value of a knob by its path; where it differs from stage to stage, a tuple of one a stage."""
    parts = path.split(".")
    if parts[0] in PLURALS:
        parts = ["stages", "*", PLURALS[parts[0]], *parts[1:]]
    if parts[0] in STAGE_SECTIONS:
        parts = ["stages", "*", *parts]
    if parts[0] == "stages" and len(parts) > 2:
        if parts[1] == "*":
            found = tuple(_attribute(stage, parts[2:], path) for stage in design.stages)
            return found[0] if len(set(found)) == 1 else found
        index = stage_index(parts[1], len(design.stages))
        if index is not None:
            return _attribute(design.stages[index], parts[2:], path)
    return _attribute(design, parts, path)


def _attribute(noun: Any, parts: list[str], path: str) -> Any:
    for part in parts:
        names = [field.name for field in dataclasses.fields(noun)] if dataclasses.is_dataclass(noun) else []
        if part not in names:
            label = suggestion(part, design_keys() if isinstance(noun, Design) else tuple(names))
            raise ConvlabError(
                Problem("unknown-key", f"there is no knob {quote(path)}", label=label, path=path), exit_code=2
            )
        noun = getattr(noun, part)
    return noun
