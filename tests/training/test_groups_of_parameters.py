"""Parameter groups: what is decayed in every preset, ConvNeXt's groups of layers, and what Muon takes."""

import pytest
import timm
import torch
from designs import REST_SLOW
from timm.optim import param_groups_weight_decay

from convlab import build, load
from convlab.language.files import load_text
from convlab.training.optimization.groups import BESIDE_MUON, parameter_groups
from convlab.training.recipes.named import changed, recipe
from convlab.training.recipes.recipe import Recipe

TIMM = {
    "convnext_t": "convnext_tiny",
    "convnext_v2_atto": "convnextv2_atto",
    "resnet50": "resnet50",
    "regnety_400mf": "regnety_004",
    "efficientnet_b0": "efficientnet_b0",
    "mobilenet_v2": "mobilenetv2_100",
    "swin_t": "swin_tiny_patch4_window7_224",
    "vit_s16": "vit_small_patch16_224",
    "deit_s": "deit_small_patch16_224",
    "repvgg_a0": "repvgg_a0",
}
"""Presets and timm's models, whose own lists say what is not decayed."""

DECAYED = changed(Recipe(), {"weight_decay": 0.05})


def groups_of(name, chosen):
    design = load(name)
    return parameter_groups(build(design, device="meta", initialized=False), chosen, design)


def scales_of(name, chosen):
    return {key: group["lr_scale"] for group in groups_of(name, chosen) for key in group["names"]}


def sizes(groups):
    """The number of weights with decay, and without."""
    counts = [0, 0]
    for group in groups:
        counts[group["weight_decay"] == 0] += sum(parameter.numel() for parameter in group["params"])
    return counts


@pytest.mark.parametrize("name", REST_SLOW)
def test_what_is_not_decayed_in_every_preset(name):
    design = load(name)
    model = build(design, device="meta", initialized=False)
    groups = parameter_groups(model, DECAYED, design)
    assert sorted(key for group in groups for key in group["names"]) == sorted(dict(model.named_parameters()))
    added = ("bias", "gamma", "class_token", "position_embedding", "relative_position_bias")
    for group in groups:
        for key, parameter in zip(group["names"], group["params"], strict=True):
            spared = parameter.ndim <= 1 or key.rpartition(".")[2] in added
            assert group["weight_decay"] == (0 if spared else 0.05), key


@pytest.mark.parametrize("name", TIMM)
def test_as_much_is_decayed_as_timm_does(name):
    with torch.device("meta"):
        theirs = timm.create_model(TIMM[name], pretrained=False)
    listed = theirs.no_weight_decay() if hasattr(theirs, "no_weight_decay") else ()
    assert sizes(groups_of(name, DECAYED)) == sizes(
        param_groups_weight_decay(theirs, 0.05, no_weight_decay_list=listed)
    )


TWELVE = {
    "stem": 0, "stages.0": 1, "stages.1": 2, "stages.2.downsample": 3, "stages.3": 12, "head": 13,
    **{f"stages.2.blocks.{block}": 3 + block // 3 for block in range(27)},
}  # fmt: skip
"""The groups of ConvNeXt's published fine-tuning, for depths 3, 3, 27, 3."""

SINGLE = {
    "stem": 1, "head": 37,
    **{f"stages.0.blocks.{block}": 1 + block for block in range(3)},
    "stages.1.downsample": 4, **{f"stages.1.blocks.{block}": 4 + block for block in range(3)},
    "stages.2.downsample": 7, **{f"stages.2.blocks.{block}": 7 + block for block in range(27)},
    "stages.3.downsample": 34, **{f"stages.3.blocks.{block}": 34 + block for block in range(3)},
}  # fmt: skip
"""One group a block, as ConvNeXt V2 has it."""


@pytest.mark.parametrize("name", ["convnext_s", "convnext_b"])
@pytest.mark.parametrize(("style", "table", "decay"), [("twelve", TWELVE, 0.8), ("block", SINGLE, 0.9)])
def test_published_groups_of_layers(name, style, table, decay):
    chosen = changed(recipe("convnext_finetune"), {"layer_decay": decay, "layer_decay_groups": style})
    found = scales_of(name, chosen)
    for key, scale in found.items():
        (prefix,) = [prefix for prefix in table if key.startswith(f"{prefix}.")]
        assert scale == pytest.approx(decay ** (table["head"] - table[prefix]), rel=1e-12), key
    ids = {table[prefix] for prefix in table}
    assert len(set(found.values())) == len(ids) == (14 if style == "twelve" else 37)
    groups = groups_of(name, chosen)
    assert len(groups) == len({(group["lr_scale"], group["weight_decay"]) for group in groups})


def test_three_blocks_a_group_in_other_depths():
    """Six groups for 3, 3, 9, 3, as in ConvNeXt-T's published detectors."""
    chosen = changed(recipe("convnext_finetune"), {"layer_decay": 0.7})
    found = scales_of("convnext_t", chosen)
    assert found["stem.0.weight"] == pytest.approx(0.7**7)
    assert found["stages.2.blocks.8.norm.weight"] == pytest.approx(0.7**2)
    assert found["stages.3.downsample.1.weight"] == pytest.approx(0.7)
    assert found["head.fc.weight"] == 1


def test_isotropic_and_attention_designs_have_groups_too():
    chosen = changed(Recipe(), {"layer_decay": 0.5})
    found = scales_of("convnext_iso_s", chosen)
    assert found["stem.weight"] == found["blocks.0.norm.weight"] == 0.5**18
    assert found["blocks.17.norm.weight"] == 0.5
    assert found["norm.weight"] == found["head.weight"] == 1
    found = scales_of("vit_s16", chosen)
    assert found["stem.1.class_token"] == found["stages.0.blocks.0.mlp.fc1.weight"] == 0.5**12
    assert found["norm_pre.weight"] == 1


def test_frozen_parameters_are_left_out():
    design = load("convnext_atto")
    model = build(design, device="meta", initialized=False)
    model.stem.requires_grad_(False)
    names = [key for group in parameter_groups(model, DECAYED, design) for key in group["names"]]
    assert names
    assert not any(name.startswith("stem.") for name in names)


def test_muon_takes_dense_weights():
    design = load("convnext_atto")
    model = build(design, device="meta", initialized=False)
    groups = parameter_groups(model, recipe("sprint"), design)
    taken = {key for group in groups if group["kind"] == "muon" for key in group["names"]}
    blocks = [f"stages.{stage}.blocks.{block}" for stage, depth in enumerate(design.depths) for block in range(depth)]
    dense = {f"{block}.mlp.{layer}.weight" for block in blocks for layer in ("fc1", "fc2")}
    assert taken == dense | {f"stages.{stage}.downsample.1.weight" for stage in (1, 2, 3)}
    assert {group["lr_scale"] for group in groups if group["kind"] == "muon"} == {1.0}
    assert {group["lr_scale"] for group in groups if group["kind"] == "adamw"} == {BESIDE_MUON}


def test_muon_leaves_grouped_convolutions_alone():
    design = load_text('base = "resnext50_32x4d"\n')
    model = build(design, device="meta", initialized=False)
    kinds = {
        key: group["kind"] for group in parameter_groups(model, recipe("sprint"), design) for key in group["names"]
    }
    assert kinds["stages.0.blocks.0.conv1.weight"] == "muon"
    assert kinds["stages.0.blocks.0.conv2.weight"] == "adamw"
    assert kinds["stem.0.weight"] == kinds["head.fc.weight"] == "adamw"
