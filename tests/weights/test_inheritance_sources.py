"""Where inherited weights come from: files that say their design, files that do not, other layouts, and what is refused."""

import dataclasses

import pytest
import torch
from designs import design_of
from heirs import CONVNEXT, RESNET, SWIN, VIT, changed
from safetensors.torch import save_file
from weights import randomized

from convlab.errors import ConvlabError
from convlab.exports.safetensors import packed
from convlab.language.files import load, save
from convlab.models import build, fold
from convlab.weights.converting import write
from convlab.weights.inheritance import inherit_weights
from convlab.weights.layouts import from_convlab

LARGER = {"block": {"kernel_size": 9}}


def written(path, model, **metadata):
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, path, metadata)
    return path


def same_weights(one, other):
    return all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items())


@pytest.fixture(scope="module")
def old():
    return randomized(build(design_of(CONVNEXT), seed=1))


def heir(old, **options):
    """A model of larger kernels, and one that inherited from the built model itself."""
    design = changed(old.design, LARGER)
    expected = build(design, seed=2)
    inherit_weights(expected, old)
    return build(design, seed=2), expected


def test_an_exported_file_says_its_design(old, tmp_path):
    path = tmp_path / "old.safetensors"
    path.write_bytes(packed(old))
    new, expected = heir(old)
    report = inherit_weights(new, path)
    assert same_weights(new, expected)
    assert report.source == str(path)


def test_a_converted_file_says_its_design_in_any_layout(old, tmp_path):
    tensors = from_convlab(old.state_dict(), old.design, "torchvision")
    write(tensors, tmp_path / "old.safetensors", design=old.design, layout="torchvision")
    new, expected = heir(old)
    inherit_weights(new, tmp_path / "old.safetensors")
    assert same_weights(new, expected)


def test_a_design_may_be_given(old, tmp_path):
    tensors = from_convlab(old.state_dict(), old.design, "facebookresearch")
    torch.save({"model": tensors}, tmp_path / "old.pth")
    save(old.design, tmp_path / "old.toml")
    new, expected = heir(old)
    report = inherit_weights(new, tmp_path / "old.pth", source_design=tmp_path / "old.toml")
    assert same_weights(new, expected)
    assert report.source.endswith("old.pth (old)")


def test_a_preset_is_recognised_whatever_its_layout_and_classes():
    design = dataclasses.replace(load("resnet18"), head=dataclasses.replace(load("resnet18").head, classes=7))
    source = randomized(build(design, seed=1))
    tensors = from_convlab(source.state_dict(), design, "torchvision")
    new = build(changed(design, {"block": {"kernel_size": 5}}), seed=2)
    report = inherit_weights(new, tensors)
    assert report.by_how.keys() == {"loaded", "padded"}
    assert report.source == "the given tensors (resnet18)"


@pytest.mark.parametrize(
    "source",
    [CONVNEXT, RESNET, SWIN, VIT]
    + [RESNET | {"block": {"kind": kind}} for kind in ("basic", "regnet_y", "mbconv", "fused_mbconv")]
    + [RESNET | {"block": {"kind": "mbconv", "order": "separable"}}]
    + [CONVNEXT | {"block": {"kind": "convnext_v2"}, "head": {"classes": 10, "hidden": 12}}]
    + [CONVNEXT | {"block": {"kind": "custom", "branch": ["parallel(depthwise(3), depthwise(5))", "pointwise(1x)"]}}],
)
@pytest.mark.parametrize("turned", [("depths", "image", "head"), ("widths", "block")])
def test_names_tell_what_a_design_would(source, turned):
    """Tensors without a design give what the same tensors with their design do."""
    before = randomized(build(design_of(source), seed=1))
    knobs = {
        "depths": [depth + 1 for depth in source["depths"]],
        "widths": [width * 3 // 2 for width in source["widths"]],
        "image": {"channels": 1},
        "head": {"classes": 7},
        "block": {} if source["block"]["kind"] == "custom" else {"expansion_ratio": 2.0},
    }
    design = changed(before.design, {name: knobs[name] for name in turned})
    new, expected = build(design, seed=2), build(design, seed=2)
    known, guessed = inherit_weights(expected, before), inherit_weights(new, before.state_dict())
    assert [(line.path, line.how) for line in guessed.lines] == [(line.path, line.how) for line in known.lines]
    assert same_weights(new, expected)


def test_weights_without_a_classifier_bring_the_rest(old):
    tensors = {name: tensor for name, tensor in old.state_dict().items() if not name.startswith("head.fc")}
    new, _ = heir(old)
    report = inherit_weights(new, tensors, source_design=old.design)
    assert [line.path for line in report.by_how["fresh"]] == ["head.fc.weight", "head.fc.bias"]


def refused(*arguments, **options):
    model = arguments[0]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items() if not tensor.is_meta}
    with pytest.raises(ConvlabError) as caught:
        inherit_weights(*arguments, **options)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items() if name in before)
    return caught.value.problems[0]


def test_weights_that_have_nothing_in_common_are_refused(old):
    problem = refused(build(old.design, seed=2), {"encoder.layer.0.weight": torch.ones(3, 3), "wte": torch.ones(5)})
    assert problem.code == "weights-do-not-fit"
    assert problem.message == "nothing of the given tensors (of an unknown design) fits the model"
    assert problem.label == 'its 2 tensors begin with "encoder", "wte"'
    assert "--from DESIGN" in problem.help


def test_a_head_alone_makes_no_kin(old):
    names = {"blocks.0.attn.qkv.weight": torch.ones(96, 32), "head.weight": torch.ones(10, 32)}
    assert refused(build(old.design, seed=2), names).code == "weights-do-not-fit"


def test_weights_that_are_not_the_given_designs_are_refused(old):
    problem = refused(build(old.design, seed=2), old.state_dict(), source_design="resnet18")
    assert problem.code == "weights-do-not-fit"


def test_infinite_weights_are_refused_and_named(old):
    tensors = {name: tensor.clone() for name, tensor in old.state_dict().items()}
    tensors["stages.1.blocks.2.mlp.fc1.bias"][3] = float("nan")
    problem = refused(build(old.design, seed=2), tensors, source_design=old.design)
    assert (problem.code, problem.path) == ("not-finite", "stages.1.blocks.2.mlp.fc1.bias")


def test_models_without_memory_or_with_other_weights_are_refused(old):
    assert "meta device" in refused(build(old.design, device="meta"), old).message
    folded = fold(old)
    assert "folded" in refused(folded, old).message
    assert "folded" in refused(build(old.design, seed=2), folded).message


def test_an_unknown_choice_is_refused(old):
    problem = refused(build(old.design, seed=2), old, new_blocks="copys")
    assert problem.message == 'new_blocks cannot be "copys"'
    assert problem.help == 'did you mean "copy"? choices: identity, copy, fresh'
