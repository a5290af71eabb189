"""Weights brought into a changed design: each knob has its stated outcome."""

import dataclasses

import pytest
import torch
from designs import small
from heirs import CONVNEXT, RESNET, SWIN, VIT, hows, inherited, outputs
from weights import assert_close, randomized

from convlab.models import build
from convlab.weights.inheritance import inherit_weights


@pytest.mark.parametrize("table", [CONVNEXT, RESNET, SWIN])
def test_a_narrower_network_is_the_first_channels(table):
    old, new, report = inherited(table, {"widths": [8, 16]})
    assert {word for line in report.lines for word in line.how} == {"loaded", "sliced"}
    for name, tensor in new.state_dict().items():
        other = old.state_dict()[name]
        if "qkv" in name or name.startswith("stages.1.downsample"):
            continue  # made of pieces, which are cut each
        assert torch.equal(tensor, other[tuple(slice(size) for size in tensor.shape)]), name


def test_a_narrower_swin_merges_the_first_channels_of_each_patch():
    old, new, _ = inherited(SWIN, {"widths": [8, 16]})
    name = "stages.1.downsample.2.weight"
    pieces = old.state_dict()[name].view(32, 4, 16)
    assert torch.equal(new.state_dict()[name].view(16, 4, 8), pieces[:16, :, :8])


@pytest.mark.parametrize(("channels", "how"), [(1, "summed"), (4, "repeated")])
def test_other_image_channels(channels, how):
    _, _, report = inherited(CONVNEXT, {"image": {"channels": channels}})
    assert hows(report, "stem.0.weight") == {(how,)}
    assert "fresh" not in report.by_how


def test_a_grey_image_gives_what_it_gave_in_three_channels():
    old, new, _ = inherited(CONVNEXT, {"image": {"channels": 1}})
    grey = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        assert_close(new(grey), old(grey.expand(-1, 3, -1, -1)))


def test_another_patch_size_resamples_the_stem():
    _, _, report = inherited(CONVNEXT, {"stem": {"patch_size": 2}})
    assert hows(report, "stem.0.weight") == {("resampled",)}
    assert report.share > 0.9


def test_a_wider_kernel_over_the_same_patches_computes_the_same():
    stem = {"kind": "overlap", "stride": 4, "kernel_size": 9}
    old, new, report = inherited(CONVNEXT, {"stem": stem})
    assert_close(outputs(new), outputs(old))
    assert hows(report, "stem.0.weight") == {("padded",)}


def test_pointwise_layers_may_be_convolutions_or_linear():
    for one, other in (("linear", "conv"), ("conv", "linear")):
        block = CONVNEXT["block"] | {"pointwise": one}
        old, new, report = inherited(CONVNEXT | {"block": block}, {"block": {"pointwise": other}})
        assert_close(outputs(new), outputs(old))
        assert hows(report, "mlp.fc1.weight") == {("reshaped",)}


def test_fewer_groups_compute_the_same():
    for groups in (1, 4):
        old, new, report = inherited(CONVNEXT, {"block": {"groups": groups}})
        assert_close(outputs(new), outputs(old))
        assert {"regrouped"} <= {word for how in hows(report, "conv.weight") for word in how}


def test_another_norm_keeps_its_weight():
    _, _, report = inherited(CONVNEXT, {"block": {"norm": "rms_norm"}})
    assert hows(report, "blocks.0.norm.weight") == {("loaded",)}
    assert {item.path.rpartition(".")[2] for item in report.unused} == {"bias"}
    _, _, report = inherited(CONVNEXT, {"block": {"norm": "batch_norm"}})
    assert hows(report, "blocks.0.norm.bias") == {("loaded",)}
    assert hows(report, "blocks.0.norm.running_mean") == {("fresh",)}


def test_a_larger_image_gives_the_position_embedding_that_the_old_model_resamples():
    old, new, report = inherited(VIT, {"image": {"size": 64}})
    assert hows(report, "position_embedding") == {("resampled",)}
    assert torch.equal(new.state_dict()["stem.1.class_token"], old.state_dict()["stem.1.class_token"])
    name = "stem.1.position_embedding"
    assert torch.equal(new.state_dict()[name][:, :1], old.state_dict()[name][:, :1])
    assert_close(outputs(new, 64), outputs(old, 64))


def test_positions_without_a_class_token():
    change = {"stem": {"class_token": False}, "head": {"pool": "average"}}
    old, new, report = inherited(VIT, change)
    assert torch.equal(new.state_dict()["stem.1.position_embedding"], old.state_dict()["stem.1.position_embedding"][:, 1:])  # fmt: skip
    assert [item.path for item in report.unused] == ["stem.1.class_token"]
    back = build(old.design, seed=3)
    again = inherit_weights(back, new)
    assert hows(again, "class_token") == {("fresh",)}
    assert hows(again, "position_embedding") == {("grown",)}


def test_windows_keep_the_numbers_of_offsets():
    old, new, report = inherited(SWIN, {"block": {"window": 6}})
    name = "stages.0.blocks.0.attention.attn.relative_position_bias"
    assert hows(report, "relative_position_bias") == {("padded",)}
    grid = new.state_dict()[name].view(11, 11, 2)
    assert torch.equal(grid[2:9, 2:9], old.state_dict()[name].view(7, 7, 2))
    back = build(old.design, seed=3)
    again = inherit_weights(back, new)
    assert hows(again, "relative_position_bias") == {("cropped",)}
    assert all(torch.equal(tensor, old.state_dict()[key]) for key, tensor in back.state_dict().items())


def test_global_attention_takes_over_that_of_windows():
    _, _, report = inherited(SWIN, {"block": {"kind": "vit", "heads": 2}})
    assert report.by_how.keys() == {"loaded"}
    assert {item.path.rpartition(".")[2] for item in report.unused} == {"relative_position_bias"}


@pytest.mark.parametrize(
    ("widths", "matched"),
    [([16, 32, 64], {0: 0, 1: 1, 2: None}), ([8, 16, 32], {0: None, 1: 0, 2: 1}), ([32], {0: 1}), ([16], {0: 0})],
)
def test_stages_are_matched_by_their_widths_where_there_are_more_or_fewer(widths, matched):
    _, _, report = inherited(CONVNEXT, {"depths": [2] * len(widths), "widths": widths})
    for stage, source in matched.items():
        lines = [line for line in report.lines if line.path.startswith(f"stages.{stage}.blocks.")]
        sources = {line.source.split(".")[1] if line.source else None for line in lines}
        assert sources == {source if source is None else str(source)}


def test_the_stride_inside_the_first_block_leaves_what_acts_on_other_channels():
    _, _, report = inherited(CONVNEXT, {"downsample": {"kind": "in_block"}})
    found = {line.path: line.how[0] for line in report.lines}
    assert found["stages.1.blocks.0.conv_dw.weight"] == found["stages.1.blocks.0.shortcut.0.weight"] == "fresh"
    assert found["stages.1.blocks.0.mlp.fc2.weight"] == found["stages.1.blocks.1.conv_dw.weight"] == "loaded"
    assert {item.path for item in report.unused} >= {"stages.1.downsample.1.weight"}


def test_another_kind_of_block_keeps_what_has_the_same_role():
    _, _, report = inherited(CONVNEXT, {"block": {"kind": "inverted", "norm": "layer_norm"}})
    found = {line.path: line for line in report.lines}
    assert found["stages.0.blocks.0.conv1.weight"].source == "stages.0.blocks.0.mlp.fc1.weight"
    assert found["stages.0.blocks.0.conv3.weight"].source == "stages.0.blocks.0.mlp.fc2.weight"
    assert found["stages.0.blocks.0.conv2.weight"].how == ("fresh",)  # its channels are hidden ones


def test_a_stage_of_attention_keeps_its_last_half():
    hybrid = {"stages": {"1": {"block": {"kind": "vit", "heads": 2}}}}
    _, _, report = inherited(CONVNEXT, hybrid)
    found = {line.path: line for line in report.lines}
    assert found["stages.1.blocks.0.mlp.fc1.weight"].how == ("loaded",)
    assert found["stages.1.blocks.0.attention.attn.qkv.weight"].how == ("fresh",)
    assert found["stages.0.blocks.0.conv_dw.weight"].how == ("loaded",)


def test_a_block_written_as_layers_has_the_roles_of_the_named_one():
    branch = ["depthwise(7)", "norm", "pointwise(4x)", "activation", "pointwise(1x)", "layer_scale"]
    written = {"kind": "custom", "branch": branch, "norm": "layer_norm", "activation": "gelu"}
    written |= {"bias": True, "pointwise": "linear"}
    old, new, report = inherited(CONVNEXT, {"block": written})
    assert report.by_how.keys() == {"loaded"}
    assert_close(outputs(new), outputs(old))


def test_names_of_the_isotropic_networks_are_no_obstacle():
    design = small("convnext_iso_s")
    old = randomized(build(design, seed=1))
    new = build(dataclasses.replace(design, names="timm"), seed=2).eval()
    report = inherit_weights(new, old)
    assert report.by_how.keys() == {"loaded"}
    assert any(line.path != line.source for line in report.lines)
    assert torch.equal(outputs(new, 64), outputs(old, 64))
