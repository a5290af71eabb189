"""What weights may be given as, what may be filled with them, and how both are refused."""

import pytest
import timm
import torch
from designs import small
from weights import randomized

from convlab import ConvlabError, build, features, fold, inherit_weights, load, load_weights
from convlab.weights.converting import write
from convlab.weights.inheritance.report import Inheritance, Inherited
from convlab.weights.provenance import provenance

DESIGN = small("resnet18")


@pytest.fixture
def trained():
    return randomized(build(DESIGN, initialized=False))


@pytest.mark.parametrize(
    "form", [lambda model: model, lambda model: model.state_dict(), lambda model: {"model": model.state_dict()}]
)
def test_models_and_state_dicts_are_taken(form, trained):
    for fill in (load_weights, inherit_weights):
        model = build(DESIGN, seed=1)
        fill(model, form(trained))
        assert all(torch.equal(tensor, trained.state_dict()[path]) for path, tensor in model.state_dict().items())
    backbone = features(DESIGN)
    load_weights(backbone, form(trained))
    assert all(torch.equal(tensor, trained.state_dict()[path]) for path, tensor in backbone.state_dict().items())


def test_a_model_of_timm_gives_its_weights():
    theirs = timm.create_model("resnet18")
    model = build(load("resnet18"), initialized=False)
    report = load_weights(model, theirs)
    assert (report.source, report.layout) == ("the given model", "timm")
    assert torch.equal(model.get_submodule("head.fc").weight, theirs.fc.weight)


@pytest.mark.parametrize("fill", [load_weights, inherit_weights])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "weights are due, not"),
        (3, "weights are due, not 3"),
        ({"a": 1}, "no state dict"),
        (build(DESIGN, device="meta"), "meta device"),
    ],
)
def test_what_are_no_weights(fill, source, said):
    with pytest.raises(ConvlabError, match=said):
        fill(build(DESIGN, seed=0), source)


@pytest.mark.parametrize("fill", [load_weights, inherit_weights])
def test_what_cannot_be_filled(fill, trained):
    with pytest.raises(ConvlabError, match="a model that convlab built is due, not a ResNet"):
        fill(timm.create_model("resnet18"), trained)
    with pytest.raises(ConvlabError, match=r"not \"resnet18\""):
        fill("resnet18", trained)
    with pytest.raises(ConvlabError, match="was folded"):
        fill(fold(build(DESIGN, seed=0).eval()), trained)


def test_a_backbone_inherits_by_way_of_its_network(trained):
    with pytest.raises(ConvlabError, match=r"a backbone holds a part[^\n]*\n.*load_weights\(backbone, model\)"):
        inherit_weights(features(DESIGN), trained)


def test_weights_of_a_folded_network_say_so(trained, tmp_path):
    path = tmp_path / "folded.safetensors"
    folded = fold(trained.eval())
    write(folded.state_dict(), path, design=DESIGN, layout="convlab", folded=folded.folded)
    for fill in (load_weights, inherit_weights):
        with pytest.raises(ConvlabError, match=r"holds the weights of a folded network[^\n]*\n.*before folding"):
            fill(build(DESIGN, seed=0), path)
    assert "convlab_folded" not in provenance(DESIGN)


def test_only_all_is_told_as_all():
    loaded = Inherited("a", ("loaded",), (100_000,), "a", (100_000,))
    told = str(Inheritance("x", "y", (loaded, Inherited("b", ("fresh",), (2,))), ()))
    assert "2 tensors, > 99.9 % of their numbers inherited" in told
    assert "1 tensor, 100.0 % of their numbers inherited" in str(Inheritance("x", "y", (loaded,), ()))
