"""Weights brought into a changed design: what has to compute the same does, and the report tells of each tensor."""

import pytest
import torch
from designs import design_of
from heirs import CONVNEXT, RESNET, SWIN, VIT, changed, hows, inherited, outputs
from weights import assert_close, images, randomized

import convlab
from convlab.models import build
from convlab.weights.inheritance import inherit_weights


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
        (
            CONVNEXT
            | {"block": {"kind": "custom", "branch": ["norm", "parallel(depthwise(3), conv(1, 1x))", "activation"]}},
            32,
        ),
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
    assert torch.equal(
        fresh.state_dict()["stages.1.blocks.1.mlp.fc1.weight"], start["stages.1.blocks.1.mlp.fc1.weight"]
    )
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
    _, _, report = inherited(SWIN, {"stages": {"1": {"depth": 9}}}, new_blocks="copy")
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
        "the given model into the model: 57 tensors, 90.0 % of their numbers inherited\n"
        "loaded 50: as they were\n"
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
