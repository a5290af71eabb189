"""Law: two designs have one key where they are the same network. Every knob is either part of the network or it is not."""

import dataclasses
import subprocess
import sys
from itertools import combinations

import pytest
from designs import PRESETS, SWEEP, design_of, designs, preset, swept
from hypothesis import given

from convlab import load, profile, turn
from convlab.language.blocks import Block
from convlab.language.design import Design, Image, Stage
from convlab.language.downsample import Downsample
from convlab.language.head import Head
from convlab.language.knobs import knobs_of
from convlab.language.stem import Stem

GENERAL = design_of(
    {
        "depths": [2, 2],
        "widths": [16, 32],
        "stem": {"kind": "conv", "pool": "max"},
        "downsample": {"kind": "separate"},
        "head": {"convolution": 40, "hidden": 24, "dropout": 0.1},
        "image": {"size": 96},
        "block": {"kind": "mbconv", "layer_scale": 0.1, "shortcut": "projection", "expansion_ratio": 2.0},
    }
)
GROUPED = design_of(
    {
        "depths": [1, 1],
        "widths": [16, 32],
        "block": {"kind": "bottleneck", "expansion_ratio": 1},
        "downsample": {"kind": "in_block"},
    }
)
CUSTOM = design_of(
    {"depths": [1], "widths": [16], "block": {"kind": "custom", "branch": ["depthwise(3)", "norm", "pointwise(1x)"]}}
)
CUSTOM_AROUND = design_of(
    {
        "depths": [1, 1],
        "widths": [16, 32],
        "stem": {"kind": "custom", "branch": ["conv(3, 1x, stride=2)", "norm"]},
        "downsample": {"kind": "custom", "branch": ["depthwise(3)", "activation", "pointwise(1x)"]},
    }
)
DEEP = design_of({"depths": [1], "widths": [16], "stem": {"kind": "deep"}})
TOKENS = design_of(
    {
        "depths": [1],
        "widths": [16],
        "stem": {"position_embedding": True},
        "block": {"kind": "vit", "heads": 2},
    }
)
WINDOWS = design_of({"depths": [2], "widths": [32], "block": {"kind": "swin", "window": 4, "head_width": 16}})
PATCHIFY = design_of({"depths": [1, 1], "widths": [16, 32]})

SAME = [
    (GENERAL, "summary", "another text"),
    (GENERAL, "head.dropout", 0.2),
    (GENERAL, "drop_path", 0.3),
    (GENERAL, "initialization", "kaiming_normal"),
    (PATCHIFY, "image.size", 96),
    (GENERAL, "image.size", [64, 128]),
    (GENERAL, "block.layer_scale", 0.7),
    (PATCHIFY, "block.pointwise", "conv"),
    (CUSTOM, "names", "facebookresearch"),
]
DIFFERENT = [
    (GENERAL, "output_stride", 4),
    (GENERAL, "image.channels", 1),
    (PATCHIFY, "stem.kind", "overlap"),
    (PATCHIFY, "stem.patch_size", 2),
    (GENERAL, "stem.kernel_size", 3),
    (GENERAL, "stem.stride", 4),
    (DEEP, "stem.layers", 2),
    (GENERAL, "stem.width", 24),
    (GENERAL, "stem.norm", "layer_norm"),
    (GENERAL, "stem.activation", "gelu"),
    (GENERAL, "stem.pool", "average"),
    (GENERAL, "stem.bias", True),
    (GENERAL, "norm_eps", 1e-3),
    (TOKENS, "stem.position_embedding", False),
    (TOKENS, "block.heads", 4),
    (WINDOWS, "block.head_width", 8),
    (WINDOWS, "block.window", 5),
    (WINDOWS, "block.shift", False),
    (WINDOWS, "block.relative_position", False),
    (GENERAL, "stages.1.depth", 3),
    (GENERAL, "stages.1.width", 48),
    (GENERAL, "stages.1.stride", 1),
    (GENERAL, "stages.1.dilation", 2),
    (CUSTOM_AROUND, "stem.branch", ["conv(3, 1x, stride=4)", "norm"]),
    (CUSTOM_AROUND, "downsample.branch", ["conv(3, 1x)"]),
    (CUSTOM_AROUND, "downsample.activation", "gelu"),
    (GENERAL, "downsample.kind", "in_block"),
    (GENERAL, "downsample.kernel_size", 3),
    (GENERAL, "downsample.norm", "none"),
    (GENERAL, "downsample.bias", False),
    (GENERAL, "head.convolution", 24),
    (GENERAL, "head.convolution_norm", "layer_norm"),
    (GENERAL, "head.convolution_activation", "none"),
    (GENERAL, "head.pool", "max"),
    (GENERAL, "head.norm", "none"),
    (GENERAL, "head.norm_at", "before_pool"),
    (GENERAL, "head.hidden", 12),
    (GENERAL, "head.activation", "relu"),
    (GENERAL, "head.classes", 10),
    (GENERAL, "head.bias", False),
    (GENERAL, "block.kind", "convnext"),
    (GENERAL, "block.order", "first"),
    (GENERAL, "block.expansion_ratio", 3),
    (GROUPED, "block.kernel_size", 5),
    (GROUPED, "block.groups", 2),
    (GROUPED, "block.group_width", 4),
    (GENERAL, "block.norm", "layer_norm"),
    (GENERAL, "block.norm_after", ["spatial"]),
    (GENERAL, "block.activation", "gelu"),
    (GENERAL, "block.activation_after", ["output"]),
    (GENERAL, "block.squeeze_ratio", 0.5),
    (GENERAL, "block.squeeze_after", "expand"),
    (GENERAL, "block.squeeze_of", "hidden"),
    (GENERAL, "block.grn", True),
    (GENERAL, "block.layer_scale", 0),
    (GENERAL, "block.bias", True),
    (GENERAL, "block.shortcut", "none"),
    (GROUPED, "block.shortcut_norm", False),
    (GROUPED, "block.stride_at", "expand"),
    (CUSTOM, "block.branch", ["depthwise(5)", "norm", "pointwise(1x)"]),
    (CUSTOM, "block.branches", [["depthwise(3)", "norm"], ["pointwise(1x)"]]),
]
ELSEWHERE = {
    "block.expansion_of": "as it changes nothing where a block keeps its width, it has a test of its own",
    "block.pointwise": "is how, not what",
    "stem.class_token": "goes with the head's pool, so it has a test of its own",
}


@pytest.mark.parametrize(
    ("design", "path", "value"), SAME, ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_what_is_not_the_network_leaves_the_key(design, path, value):
    turned = turn(design, path, value)
    assert turned != design
    assert turned.key == design.key


@pytest.mark.parametrize(
    ("design", "path", "value"), DIFFERENT, ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_what_is_the_network_changes_the_key(design, path, value):
    assert turn(design, path, value).key != design.key


def test_every_knob_is_in_one_of_the_lists():
    sections = {
        "": Design,
        "image.": Image,
        "stem.": Stem,
        "stages.1.": Stage,
        "block.": Block,
        "downsample.": Downsample,
        "head.": Head,
    }
    every = {prefix + name for prefix, noun in sections.items() for name in knobs_of(noun)}
    assert every == {path for _, path, _ in SAME + DIFFERENT} | set(ELSEWHERE)


def test_the_width_that_an_expansion_is_of():
    design = turn(GENERAL, "downsample.kind", "in_block")
    assert turn(design, "block.expansion_of", "output").key != design.key
    assert turn(GENERAL, "block.expansion_of", "output").key == GENERAL.key


def test_a_class_token_and_the_pool_that_takes_it():
    token = {"depths": [1], "widths": [16], "block": {"kind": "vit", "heads": 2}, "stem": {"class_token": True}}
    design = design_of(token | {"head": {"pool": "token"}})
    assert design.key != turn(TOKENS, "stem.position_embedding", False).key


def test_one_value_and_a_list_of_it_are_one_network(tmp_path):
    (tmp_path / "one.toml").write_text('base = "convnext_t"\nblock.kernel_size = 7\n')
    (tmp_path / "list.toml").write_text('base = "convnext_t"\nblock.kernel_size = [7, 7, 7, 7]\n')
    (tmp_path / "other.toml").write_text('base = "convnext_t"\nblock.kernel_size = [7, 7, 7, 5]\n')
    one, listed, other = (load(tmp_path / f"{name}.toml") for name in ("one", "list", "other"))
    assert one == listed
    assert one.key == listed.key == preset("convnext_t").key != other.key


def test_bottleneck_is_a_setting_of_the_general_block():
    other = turn(preset("resnet50"), "block.kind", "inverted")
    for knob, value in (("expansion_ratio", 0.25), ("groups", 1)):
        other = turn(other, f"block.{knob}", value)
    assert other != preset("resnet50")
    assert other.key == preset("resnet50").key


def network(design):
    """What a design is, told by its rows at one size of image: an independent description."""
    rows = profile(design, image=256).rows
    return [
        (row.layer.label(), row.layer.params(row.input), row.layer.macs(row.input), row.output, row.count)
        for row in rows
    ]


def test_presets_with_one_key_are_one_network():
    by_key = {}
    for name in PRESETS:
        by_key.setdefault(preset(name).key, []).append(name)
    assert ["convnext_t", "roadmap/16_separate_downsampling"] in by_key.values()
    for names in by_key.values():
        for one, other in combinations(names, 2):
            assert network(preset(one)) == network(preset(other))


def test_attention_without_windows_is_one_network_whichever_kind_it_starts_from():
    block = {"window": 0, "head_width": 16}
    swin, vit = (
        design_of({"depths": [3], "widths": [32], "block": {"kind": kind, **block}}) for kind in ("swin", "vit")
    )
    assert swin.key == vit.key


def test_different_networks_have_different_keys():
    keys = {}
    for name in SWEEP:
        design = dataclasses.replace(swept(name), drop_path=0.0)
        if design.image.channels == 3:
            assert keys.setdefault(design.key, network(design)) == network(design), name
    assert len(keys) > 100


@given(designs(), designs())
def test_random_designs(one, other):
    assert (one.key == other.key) >= (one == other)
    assert one.key == dataclasses.replace(one, name="other", summary="other", drop_path=0.5).key
    assert len(one.key) == 16


def test_the_key_is_the_same_in_every_process():
    code = "from convlab import load; print(load('convnext_v2_t').key)"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            check=True,
            capture_output=True,
            text=True,
            cwd=".",
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {preset("convnext_v2_t").key + "\n"}
