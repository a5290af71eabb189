"""safetensors: bit-equal weights under the layers' names, and metadata from which the network is built again."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from systems import alive, tiny

from convlab import ConvlabError, build, export, load
from convlab.exports.safetensors import refuse_other_weights

NAMES = ("convnext_t", "resnet18", "efficientnet_b0", "swin_t", "deit_s", "convnext_iso_s")


@pytest.mark.parametrize("name", NAMES)
def test_weights_come_back_to_the_bit(name, tmp_path):
    design = tiny(name)
    weights = alive(design)
    found = export(design, to="safetensors", path=tmp_path / "weights.safetensors", weights=weights)
    read = load_file(found.path)
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[path], tensor) for path, tensor in weights.items())
    assert (found.difference, found.random) == (0.0, ())
    again = export(design, to="safetensors", path=tmp_path / "again.safetensors", weights=found.path)
    assert again.path.read_bytes() == found.path.read_bytes()


def test_a_file_is_enough_to_build_its_network(tmp_path):
    design = tiny("convnext_v2_t")
    found = export(design, to="safetensors", path=tmp_path / "weights.safetensors", seed=9)
    with safe_open(found.path, "pt") as file:
        told = file.metadata()
    (tmp_path / "design.toml").write_text(told["convlab_design"])
    assert told["convlab_name"] == design.name == "convnext_v2_t"
    assert (told["convlab_key"], told["convlab_layout"]) == (design.key, "convlab")
    model = build(load(tmp_path / "design.toml"), initialized=False)
    model.load_state_dict(load_file(found.path))
    expected = build(design, seed=9).state_dict()
    assert all(torch.equal(tensor, expected[path]) for path, tensor in model.state_dict().items())


def test_not_a_number_is_equal_to_itself(tmp_path):
    design = tiny("resnet18")
    weights = {
        path: torch.full_like(tensor, torch.nan) if tensor.is_floating_point() else tensor
        for path, tensor in alive(design).items()
    }
    found = export(design, to="safetensors", path=tmp_path / "weights.safetensors", weights=weights)
    assert load_file(found.path)["head.fc.weight"].isnan().all()


def test_a_bit_or_a_name_that_differs_is_noticed():
    design = tiny("resnet18")
    model = build(design, seed=0)
    weights = {path: tensor.clone() for path, tensor in model.state_dict().items()}
    refuse_other_weights(weights, model)
    with pytest.raises(ConvlabError, match="not those of the model"):
        refuse_other_weights(weights | {"more": torch.zeros(1)}, model)
    weights["stem.1.bias"][0] = -0.0  # equal to 0 as a number, not as bits
    with pytest.raises(ConvlabError, match="not those of the model"):
        refuse_other_weights(weights, model)


def test_weights_of_another_layout_are_renamed(tmp_path):
    import timm

    theirs = timm.create_model("resnet18").state_dict()
    design = load("resnet18")
    found = export(design, to="safetensors", path=tmp_path / "weights.safetensors", weights=theirs)
    assert torch.equal(load_file(found.path)["stages.0.blocks.0.conv1.weight"], theirs["layer1.0.conv1.weight"])


def test_weights_of_another_network_are_refused(tmp_path):
    with pytest.raises(ConvlabError, match="not the weights of convnext_t"):
        export(
            tiny("convnext_t"), to="safetensors", path=tmp_path / "weights.safetensors", weights=alive(tiny("resnet18"))
        )
    assert list(tmp_path.iterdir()) == []


def test_a_backbone_alone_leaves_the_rest_random_and_says_so(tmp_path):
    from convlab.weights.layouts import from_convlab

    design = tiny("convnext_v2_t")
    backbone = from_convlab(alive(design), design, "fcmae")
    found = export(design, to="safetensors", path=tmp_path / "weights.safetensors", weights=backbone, seed=2)
    assert found.random == ("head.norm.weight", "head.norm.bias", "head.fc.weight", "head.fc.bias")
    assert torch.equal(load_file(found.path)["head.fc.weight"], build(design, seed=2).state_dict()["head.fc.weight"])
