"""Loading: all of a checkpoint or nothing, what the report tells, and why a checkpoint of another network is refused."""

import copy
import dataclasses

import pytest
import torch
from designs import small
from safetensors.torch import save_file
from weights import images, randomized

import convlab
from convlab import ConvlabError, build, load, load_weights
from convlab.weights.fitting import fit
from convlab.weights.layouts import from_convlab

DESIGN = small("convnext_t")
FILE = "weights.safetensors"


@pytest.fixture
def trained():
    return randomized(build(DESIGN, initialized=False))


@pytest.fixture
def model():
    return build(DESIGN, seed=1)


def saved(state, folder):
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, folder / FILE)
    return folder / FILE


def refused(model, path, **options):
    """The message of a refusal, which leaves every bit of the model as it was."""
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ConvlabError) as told:
        load_weights(model, path, **options)
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
    return str(told.value)


def test_the_public_verb_fills_a_model(trained, model, tmp_path):
    report = convlab.load_weights(model, saved(trained.state_dict(), tmp_path))
    image = images(1)
    with torch.no_grad():
        assert torch.equal(model.eval()(image), trained(image))
    assert len(report.loaded) == len(trained.state_dict())
    assert not report.missing + report.unexpected + report.reshaped + report.cast
    assert str(report) == f"{tmp_path / FILE}, layout timm: {len(report.loaded)} tensors loaded"


def test_channels_last_stays(trained, tmp_path):
    model = build(DESIGN, seed=1, channels_last=True)
    load_weights(model, saved(trained.state_dict(), tmp_path))
    kernel = model.get_submodule("stem.0").weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(kernel, trained.get_submodule("stem.0").weight)


def test_shapes_that_change_are_told(trained, model, tmp_path):
    report = load_weights(model, saved(from_convlab(trained.state_dict(), DESIGN, "torchvision"), tmp_path))
    assert report.layout == "torchvision"
    assert len(report.reshaped) == sum(DESIGN.depths)
    assert "stages.0.blocks.0.gamma 12 <- features.1.0.layer_scale 12x1x1" in str(report)
    assert f"and {sum(DESIGN.depths) - 4} more" in str(report)


@pytest.mark.parametrize(("theirs", "ours"), [(torch.float16, torch.float32), (torch.float32, torch.bfloat16)])
def test_number_formats_are_cast_and_told(theirs, ours, trained, tmp_path):
    state = {key: tensor.to(theirs) for key, tensor in trained.state_dict().items()}
    model = build(DESIGN, seed=1, dtype=ours)
    report = load_weights(model, saved(state, tmp_path))
    assert len(report.cast) == len(report.loaded)
    assert f"({str(theirs)[6:]} to {str(ours)[6:]})" in str(report)
    assert all(torch.equal(tensor, state[key].to(ours)) for key, tensor in model.state_dict().items())


def test_weights_that_are_ignored_stay(trained, tmp_path):
    other = dataclasses.replace(DESIGN, head=dataclasses.replace(DESIGN.head, classes=7))
    model = build(other, seed=1)
    before = copy.deepcopy(model.head.fc.state_dict())
    report = load_weights(model, saved(trained.state_dict(), tmp_path), ignore=["head.fc"])
    assert [line.path for line in report.ignored] == ["head.fc.weight", "head.fc.bias"]
    assert not report.missing
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.head.fc.state_dict().items())
    assert torch.equal(model.head.norm.weight, trained.head.norm.weight)
    assert "2 ignored:\n  head.fc.weight 7x96 <- 10x96" in str(report)


def test_what_is_ignored_may_be_named_as_in_the_checkpoint(trained, tmp_path):
    other = dataclasses.replace(DESIGN, head=dataclasses.replace(DESIGN.head, classes=0))
    state = from_convlab(trained.state_dict(), DESIGN, "facebookresearch")
    model = build(other, seed=1)
    assert "2 tensors without a place" in refused(model, saved(state, tmp_path))
    report = load_weights(model, tmp_path / FILE, ignore="head")
    assert {line.names for line in report.ignored if not line.path} == {("head.weight",), ("head.bias",)}
    assert not report.unexpected
    assert "4 ignored:\n  head.norm.weight" in str(report)
    assert "  head.weight 10x96" in str(report)


def test_an_ignored_name_that_is_nowhere_is_told(trained, model, tmp_path):
    path = saved(trained.state_dict(), tmp_path)
    assert 'no weight begins with "heads"' in refused(model, path, ignore=["heads"])
    assert 'did you mean "head"?' in refused(model, path, ignore=["heads"])


def test_a_masked_autoencoder_leaves_the_head_alone(tmp_path):
    design = small("convnext_v2_t")
    encoder = randomized(build(design, initialized=False))
    model = build(design, seed=1)
    head = copy.deepcopy(model.head.state_dict())
    path = saved(from_convlab(encoder.state_dict(), design, "fcmae"), tmp_path)
    report = load_weights(model, path)
    assert report.layout == "fcmae"
    assert {line.path for line in report.missing} == {f"head.{key}" for key in head}
    assert all(torch.equal(tensor, head[key]) for key, tensor in model.head.state_dict().items())
    image = images(1)
    with torch.no_grad():
        assert torch.equal(model.eval().forward_features(image), encoder.forward_features(image))


def test_other_classes_are_told_with_a_way_out(trained, tmp_path):
    other = dataclasses.replace(DESIGN, name="mine", head=dataclasses.replace(DESIGN.head, classes=7))
    told = refused(build(other, seed=1), saved(trained.state_dict(), tmp_path))
    assert "the classifier of mine is not that of these weights" in told
    assert "head.fc.weight 7x96 <- 10x96" in told
    assert "ignore head.fc" in told
    assert "head.classes = 10" in told


def test_a_network_that_is_deeper_is_recognized(tmp_path):
    state = {
        key: torch.empty_like(tensor, device="cpu")
        for key, tensor in build(load("convnext_s"), device="meta").state_dict().items()
    }
    told = refused(build(load("convnext_t"), seed=0), saved(state, tmp_path))
    assert "162 tensors without a place in convnext_t" in told
    assert "they look like convnext_s (layout timm); convlab compare convnext_s convnext_t" in told


def test_a_network_of_another_family_is_recognized(model, tmp_path):
    state = build(load("resnet18"), seed=0).state_dict()
    told = refused(model, saved(from_convlab(state, load("resnet18"), "transformers"), tmp_path))
    assert f"not the weights of {DESIGN.name}: 0 of its" in told
    assert "stem.0.weight" in told
    assert "122 without a place in" in told
    assert "classifier.1.bias 1000" in told
    assert "they look like resnet18 (layout transformers)" in told


def test_a_network_that_no_preset_is_like(model, tmp_path):
    told = refused(model, saved({"a.weight": torch.zeros(3), "b": torch.zeros(())}, tmp_path))
    assert "no preset has weights of these names and shapes" in told


def test_a_missing_and_a_misshapen_tensor(trained, model, tmp_path):
    state = trained.state_dict()
    del state["stages.1.blocks.0.norm.bias"]
    state["stages.0.blocks.1.gamma"] = torch.zeros(11)
    told = refused(model, saved(state, tmp_path))
    assert f"1 tensor of {DESIGN.name} missing" in told
    assert "stages.1.blocks.0.norm.bias 24" in told
    assert f"1 tensor of another shape than in {DESIGN.name}" in told
    assert "stages.0.blocks.1.gamma 12 <- 11" in told


def test_pieces_of_another_shape_are_refused(tmp_path):
    design = small("deit_s")
    state = from_convlab(build(design, seed=0).state_dict(), design, "transformers")
    name = "vit.encoder.layer.1.attention.attention.key.weight"
    state[name] = state[name][:-1]
    told = refused(build(design, seed=1), saved(state, tmp_path))
    assert "1 tensor of another shape" in told
    assert f"{name} 47x48" in told


def test_a_transposed_kernel_is_no_reshape(tmp_path):
    design = small("convnext_v2_t")
    state = from_convlab(build(design, seed=0).state_dict(), design, "fcmae")
    state["encoder.stages.0.0.dwconv.kernel"] = state["encoder.stages.0.0.dwconv.kernel"].t().contiguous()
    assert "1 tensor of another shape" in refused(build(design, seed=1), saved(state, tmp_path))


def test_a_layout_can_be_forced(trained, model, tmp_path):
    path = saved(trained.state_dict(), tmp_path)
    assert load_weights(model, path, layout="convlab").layout == "convlab"
    assert "in layout torchvision" in refused(model, path, layout="torchvision")
    assert "knows no names of" in refused(model, path, layout="transformers_5")
    assert 'there is no layout "tim"' in refused(model, path, layout="tim")


def test_counters_of_batches_may_be_missing(tmp_path):
    design = small("resnet18")
    trained = randomized(build(design, initialized=False))
    state = {key: tensor for key, tensor in trained.state_dict().items() if not key.endswith("num_batches_tracked")}
    model = build(design, seed=1)
    report = load_weights(model, saved(state, tmp_path))
    assert not report.missing
    image = images(1)
    with torch.no_grad():
        assert torch.equal(model.eval()(image), trained(image))


def test_a_head_that_was_replaced_in_the_model_counts(trained, model, tmp_path):
    model.head.fc = torch.nn.Linear(96, 3)
    told = refused(model, saved(trained.state_dict(), tmp_path))
    assert "head.fc.weight 3x96 <- 10x96" in told


def test_a_model_without_memory_is_refused(tmp_path):
    with pytest.raises(ConvlabError, match="meta device"):
        load_weights(build(DESIGN, device="meta"), tmp_path / FILE)


def test_fitting_copies_nothing(trained, model):
    before = copy.deepcopy(model.state_dict())
    found = fit(trained.state_dict(), DESIGN, model.state_dict())
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
    assert found.tensors.keys() == before.keys()
