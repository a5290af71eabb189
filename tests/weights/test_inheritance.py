"""Weights brought into a changed design: what has to compute the same does, and each knob has its stated outcome."""

import dataclasses

import pytest
import torch
from designs import design_of, small
from weights import assert_close, images, randomized

import convlab
from convlab.language.assigning import assign
from convlab.models import build
from convlab.weights.inheritance import inherit_weights

CONVNEXT = {
    "depths": [2, 3],
    "widths": [16, 32],
    "image": {"size": 32},
    "block": {"kind": "convnext", "kernel_size": 7, "layer_scale": 0.5},
    "head": {"classes": 10},
}
RESNET = {
    "depths": [2, 2],
    "widths": [32, 64],
    "strides": [1, 2],
    "image": {"size": 32},
    "stem": {"kind": "conv", "width": 16},
    "block": {"kind": "bottleneck"},
    "downsample": {"kind": "in_block"},
    "head": {"classes": 10, "norm": "none"},
}
SWIN = {
    "depths": [2, 4],
    "widths": [16, 32],
    "image": {"size": 48},
    "block": {"kind": "swin", "heads": 2, "window": 4},
    "downsample": {"kind": "patch_merging"},
    "head": {"classes": 10},
}
VIT = {
    "depths": [3],
    "widths": [24],
    "image": {"size": 32},
    "stem": {"kind": "patchify", "patch_size": 8, "norm": "none", "class_token": True, "position_embedding": True},
    "block": {"kind": "vit", "heads": 3},
    "head": {"classes": 10, "pool": "token", "norm_at": "before_pool"},
}


def changed(design, table):
    """The design with the knobs of a table turned."""
    found = assign(design, table)
    assert not found.faults, found.faults
    return found.design


def inherited(table, change, **options):
    """A network, the one of a changed design that inherited its weights, and the report."""
    design = design_of(table)
    old = randomized(build(design, seed=1))
    new = build(changed(design, change), seed=2).eval()
    return old, new, inherit_weights(new, old, **options)


def outputs(model, size=32, channels=3):
    with torch.no_grad():
        return model(torch.randn(2, channels, size, size, generator=torch.Generator().manual_seed(5)))


def hows(report, ending):
    """What was done to the tensors whose path ends so."""
    return {line.how for line in report.lines if line.path.endswith(ending)}


@pytest.mark.parametrize("table", [CONVNEXT, RESNET, SWIN, VIT])
def test_an_unchanged_design_inherits_every_bit(table):
    old, new, report = inherited(table, {"drop_path": 0.1})
    assert set(report.by_how) == {"loaded"}
    assert report.unused == ()
    assert report.share == 1
    assert all(torch.equal(tensor, old.state_dict()[name]) for name, tensor in new.state_dict().items())


@pytest.mark.parametrize(("old", "new"), [(7, 9), (3, 7), (4, 6), (5, 8), (2, 5)])
@pytest.mark.parametrize("table", [CONVNEXT, RESNET])
def test_larger_kernels_give_the_same_outputs(table, old, new):
    block = table["block"] | {"kernel_size": old}
    before, after, report = inherited(table | {"block": block}, {"block": {"kernel_size": new}})
    assert_close(outputs(after), outputs(before))
    assert report.by_how.keys() == {"loaded", "padded"}


def test_kernels_that_grow_and_shrink_are_what_they_were():
    design = design_of(CONVNEXT)
    old = randomized(build(design, seed=1))
    between = build(changed(design, {"block": {"kernel_size": 12}}), seed=2)
    new = build(design, seed=3)
    inherit_weights(between, old)
    report = inherit_weights(new, between)
    assert hows(report, "conv_dw.weight") == {("cropped",)}
    assert all(torch.equal(tensor, old.state_dict()[name]) for name, tensor in new.state_dict().items())


@pytest.mark.parametrize(
    ("table", "size"),
    [
        (CONVNEXT, 32),
        (CONVNEXT | {"block": {"kind": "convnext_v2"}}, 32),
        (CONVNEXT | {"block": {"kind": "convnext_v2", "norm_after": ["spatial", "project"]}}, 32),
        (RESNET, 32),
        (RESNET | {"block": {"kind": "basic"}}, 32),
        (RESNET | {"block": {"kind": "regnet_y", "group_width": 8}}, 32),
        (RESNET | {"block": {"kind": "mbconv"}}, 32),
        (RESNET | {"block": {"kind": "fused_mbconv", "squeeze_ratio": 0.25}}, 32),
        (SWIN, 48),
        (VIT | {"block": {"kind": "vit", "heads": 3, "layer_scale": 0.5}}, 32),
        (CONVNEXT | {"block": {"kind": "custom", "branch": ["parallel(depthwise(3), conv(1, 1x))", "activation"]}}, 32),
        (
            CONVNEXT
            | {
                "block": {
                    "kind": "custom",
                    "branches": [["norm", "depthwise(5)"], ["norm", "pointwise(2x)", "activation", "pointwise(1x)"]],
                }
            },
            32,
        ),
    ],
)
@pytest.mark.parametrize("depths", [1, 2, 5])
def test_new_blocks_that_start_as_the_identity_leave_the_outputs(table, size, depths):
    last = len(table["depths"]) - 1
    more = {"stages": {str(last): {"depth": table["depths"][last] + depths}}}
    old, new, report = inherited(table, more, new_blocks="identity")
    assert torch.equal(outputs(new, size), outputs(old, size))
    assert sum(line.how == ("zeroed",) for line in report.lines) > 0
    assert sum("duplicated" in line.how for line in report.lines) > 0
    assert not report.unused


def test_new_blocks_may_be_copies_or_fresh():
    more = {"stages": {"1": {"depth": 5}}}
    old, copies, _ = inherited(CONVNEXT, more, new_blocks="copy")
    weights, others = copies.state_dict(), old.state_dict()
    of = {0: 0, 1: 0, 2: 1, 3: 1, 4: 2}
    for block, source in of.items():
        for name in ("conv_dw.weight", "gamma", "mlp.fc2.bias"):
            assert torch.equal(weights[f"stages.1.blocks.{block}.{name}"], others[f"stages.1.blocks.{source}.{name}"])
    _, fresh, report = inherited(CONVNEXT, more, new_blocks="fresh")
    start = build(fresh.design, seed=2).state_dict()
    assert torch.equal(fresh.state_dict()["stages.1.blocks.1.mlp.fc1.weight"], start["stages.1.blocks.1.mlp.fc1.weight"])
    assert {line.note for line in report.by_how["fresh"]} == {"a new block"}


def test_a_block_that_cannot_be_silent_is_a_copy():
    table = CONVNEXT | {"block": {"kind": "convnext", "shortcut": "none"}}
    _, _, report = inherited(table, {"stages": {"1": {"depth": 5}}})
    assert report.by_how.keys() == {"loaded", "duplicated"}


def test_a_shallower_stage_keeps_its_first_and_last_blocks_and_some_between():
    table = CONVNEXT | {"depths": [2, 9]}
    old, new, report = inherited(table, {"stages": {"1": {"depth": 3}}})
    for block, source in enumerate((0, 4, 8)):
        name = "mlp.fc1.weight"
        assert torch.equal(
            new.state_dict()[f"stages.1.blocks.{block}.{name}"], old.state_dict()[f"stages.1.blocks.{source}.{name}"]
        )
    assert {item.path.split(".")[3] for item in report.unused} == {"1", "2", "3", "5", "6", "7"}


def test_shifted_windows_stay_with_shifted_windows():
    _, new, report = inherited(SWIN, {"stages": {"1": {"depth": 9}}}, new_blocks="copy")
    sources = {line.path: line.source for line in report.lines if line.path.endswith("attn.qkv.weight")}
    pairs = [(int(path.split(".")[3]), int(source.split(".")[3])) for path, source in sources.items()]
    assert all(block % 2 == source % 2 for block, source in pairs)


def test_v1_into_v2_folds_the_layer_scale_and_starts_grn_silent():
    old, new, report = inherited(CONVNEXT, {"block": {"kind": "convnext_v2"}})
    assert_close(outputs(new), outputs(old))
    assert hows(report, "mlp.fc2.weight") == hows(report, "mlp.fc2.bias") == {("folded",)}
    assert hows(report, "mlp.grn.weight") == {("neutral",)}
    assert report.unused == ()


def test_v2_into_v1_starts_the_layer_scale_at_one():
    table = CONVNEXT | {"block": {"kind": "convnext_v2"}}
    old, new, report = inherited(table, {"block": {"kind": "convnext"}})
    assert hows(report, "gamma") == {("neutral",)}
    assert torch.equal(new.state_dict()["stages.0.blocks.0.gamma"], torch.ones(16))
    silent = {name: torch.zeros_like(tensor) for name, tensor in old.state_dict().items() if ".grn." in name}
    old.load_state_dict(silent, strict=False)
    assert torch.equal(outputs(new), outputs(old))


def test_a_layer_scale_goes_into_attention_and_into_the_norm_at_the_end():
    block = {"kind": "vit", "heads": 3, "layer_scale": 0.5}
    old, new, report = inherited(VIT | {"block": block}, {"block": {"layer_scale": 0.0}})
    assert_close(outputs(new), outputs(old))
    assert hows(report, "attn.proj.weight") == hows(report, "mlp.fc2.bias") == {("folded",)}
    block = {"kind": "bottleneck", "layer_scale": 0.5}
    old, new, report = inherited(RESNET | {"block": block}, {"block": {"layer_scale": 0.0}})
    assert_close(outputs(new), outputs(old))
    assert hows(report, "norm3.weight") == {("folded",)}


def test_other_classes_leave_the_features():
    old, new, report = inherited(CONVNEXT, {"head": {"classes": 7}})
    x = images(size=32)
    with torch.no_grad():
        assert torch.equal(new.forward_features(x), old.forward_features(x))
    fresh = report.by_how["fresh"]
    assert [line.path for line in fresh] == ["head.fc.weight", "head.fc.bias"]
    assert {line.note for line in fresh} == {"7 classes instead of 10"}
    assert [item.path for item in report.unused] == ["head.fc.weight", "head.fc.bias"]


def test_wider_hidden_layers_compute_the_same():
    old, new, report = inherited(CONVNEXT, {"block": {"expansion_ratio": 6.0}})
    assert_close(outputs(new), outputs(old))
    assert hows(report, "mlp.fc1.weight") == hows(report, "mlp.fc2.weight") == {("grown",)}


@pytest.mark.parametrize("block", [{"kind": "bottleneck"}, {"kind": "basic"}, {"kind": "regnet_y", "group_width": 8}])
def test_a_wider_network_without_norms_over_channels_computes_the_same(block):
    old, new, report = inherited(RESNET | {"block": block}, {"widths": [48, 96], "stem": {"width": 32}})
    assert_close(outputs(new), outputs(old))
    assert "fresh" not in report.by_how


@pytest.mark.parametrize("table", [CONVNEXT, RESNET, SWIN])
def test_a_narrower_network_is_the_first_channels(table):
    old, new, report = inherited(table, {"widths": [8, 16]} | ({"stem": {"width": 8}} if table is RESNET else {}))
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
    _, new, report = inherited(CONVNEXT, {"image": {"channels": channels}})
    assert hows(report, "stem.0.weight") == {(how,)}
    assert "fresh" not in report.by_how


def test_a_grey_image_gives_what_it_gave_in_three_channels():
    old, new, _ = inherited(CONVNEXT, {"image": {"channels": 1}})
    grey = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        assert_close(new(grey), old(grey.expand(-1, 3, -1, -1)))


def test_another_patch_size_resamples_the_stem():
    _, new, report = inherited(CONVNEXT, {"stem": {"patch_size": 2}})
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
    assert torch.equal(new.state_dict()["stem.1.position_embedding"][:, :1], old.state_dict()["stem.1.position_embedding"][:, :1])  # fmt: skip
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
        assert {line.source.split(".")[1] if line.source else None for line in lines} == {source if source is None else str(source)}  # fmt: skip


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
    written = {"kind": "custom", "branch": branch, "norm": "layer_norm", "bias": True, "pointwise": "linear"}
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


def test_what_is_fresh_is_as_it_was_in_the_model():
    design = changed(design_of(CONVNEXT), {"head": {"classes": 7}, "widths": [24, 48]})
    old = randomized(build(design_of(CONVNEXT), seed=1))
    models = [build(design, seed=seed) for seed in (2, 2, 3)]
    for model in models:
        inherit_weights(model, old)
    one, same, other = (model.state_dict() for model in models)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["head.fc.weight"], other["head.fc.weight"])
    assert torch.equal(one["head.fc.weight"], build(design, seed=2).state_dict()["head.fc.weight"])


def test_numbers_come_in_the_models_own_format():
    old = randomized(build(design_of(CONVNEXT), seed=1))
    new = build(changed(design_of(CONVNEXT), {"block": {"kernel_size": 9}}), dtype=torch.bfloat16)
    inherit_weights(new, old)
    weight = new.state_dict()["stages.0.blocks.0.mlp.fc1.weight"]
    assert weight.dtype is torch.bfloat16
    assert torch.equal(weight, old.state_dict()["stages.0.blocks.0.mlp.fc1.weight"].bfloat16())


def test_the_report_reads():
    _, _, report = inherited(CONVNEXT, {"block": {"kernel_size": 9}, "head": {"classes": 7}})
    assert str(report) == (
        "the given model into the model: 53 tensors, 93.2 % of their numbers inherited\n"
        "loaded 46: as they were\n"
        "padded 5: kernels with zeros around them\n"
        "  stages.0.blocks.0.conv_dw.weight 16x1x9x9 <- 16x1x7x7, and 4 more like it\n"
        "fresh 2: as they were in the model\n"
        "  head.fc.weight 7x32 (7 classes instead of 10)\n"
        "  head.fc.bias 7 (7 classes instead of 10)\n"
        "not used 2: tensors of the source\n"
        "  head.fc.weight 10x32\n"
        "  head.fc.bias 10"
    )
    plain = report.plain()
    assert [item["path"] for item in plain["tensors"]] == [line.path for line in report.lines]
    assert plain["unused"] == [{"path": "head.fc.weight", "shape": [10, 32]}, {"path": "head.fc.bias", "shape": [10]}]


def test_the_verb_is_public():
    assert convlab.inherit_weights is inherit_weights
