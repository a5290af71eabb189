"""The folder for the hub: timm builds the same network from it, convlab too, and it replaces nothing but a folder of its kind."""

import json
import re

import pytest
import timm
import torch
from safetensors.torch import load_file
from systems import NAMES, alive, assert_same_outputs, tiny

import convlab.timm  # noqa: F401  # registers the architectures
from convlab import ConvlabError, build, export, load, profile, turn

FILES = ["README.md", "config.json", "design.toml", "model.safetensors"]


@pytest.mark.parametrize("name", NAMES)
def test_timm_builds_the_network_from_the_folder(name, tmp_path):
    design = tiny(name)
    weights = alive(design)
    found = export(design, to="hub", path=tmp_path / "folder", weights=weights)
    assert sorted(item.name for item in found.path.iterdir()) == FILES
    assert list(tmp_path.iterdir()) == [found.path]
    assert found.difference == 0.0
    model = timm.create_model(f"local-dir:{found.path}", pretrained=True).eval()
    with torch.no_grad():
        assert_same_outputs(model, design, weights)


def test_a_preset_goes_by_its_name_and_anything_else_by_its_text(tmp_path):
    preset = load("convnext_atto")
    export(preset, to="hub", path=tmp_path / "preset")
    config = json.loads((tmp_path / "preset" / "config.json").read_text())
    assert config["architecture"] == "convlab_convnext_atto"
    assert "model_args" not in config
    turned = turn(preset, "image.size", 64)
    export(turned, to="hub", path=tmp_path / "turned")
    config = json.loads((tmp_path / "turned" / "config.json").read_text())
    assert config["architecture"] == "convlab"
    (tmp_path / "text.toml").write_text(config["model_args"]["design"])
    assert load(tmp_path / "text.toml") == load(tmp_path / "turned" / "design.toml") == turned
    assert config["pretrained_cfg"]["input_size"] == [3, 64, 64]
    assert (config["num_classes"], config["num_features"]) == (1000, 320)


def test_a_reader_may_ask_timm_for_other_classes(tmp_path):
    export(tiny("resnet18"), to="hub", path=tmp_path / "folder", seed=1)
    model = timm.create_model(f"local-dir:{tmp_path / 'folder'}", pretrained=True, num_classes=3)
    expected = build(tiny("resnet18"), seed=1).state_dict()
    assert model.get_classifier().weight.shape == (3, 64)
    assert all(torch.equal(tensor, expected[path]) for path, tensor in model.state_dict().items() if "head" not in path)


def test_the_card_shows_the_costs_and_code_that_runs(tmp_path, monkeypatch):
    design = tiny("convnext_v2_t")
    found = export(design, to="hub", path=tmp_path / "folder", seed=4)
    card = (found.path / "README.md").read_text()
    costs = profile(design)
    assert f"({costs.params:,})" in card
    assert f"({costs.macs:,})" in card
    assert f"`{design.key}`" in card
    assert "| receptive field | global |" in card
    assert "Weights: random, seed 4." in card
    shown = re.search(r"```toml\n(.*?)```", card, re.DOTALL)[1]
    (tmp_path / "shown.toml").write_text(shown)
    assert load(tmp_path / "shown.toml") == design
    with_timm, alone = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    results = []
    for folder, code in ((tmp_path, with_timm), (found.path, alone)):
        monkeypatch.chdir(folder)
        names = {}
        exec(code, names)
        results.append(names["model"](images))
    assert torch.equal(*results)


def test_the_card_does_not_tell_where_weights_lay(tmp_path):
    design = tiny("resnet18")
    weights = export(design, to="safetensors", path=tmp_path / "trained.safetensors").path
    found = export(design, to="hub", path=tmp_path / "folder", weights=weights)
    card = (found.path / "README.md").read_text()
    assert "Weights: trained.safetensors." in card
    assert str(tmp_path) not in card


def test_a_folder_is_replaced_only_when_asked_and_as_a_whole(tmp_path):
    design = tiny("resnet18")
    folder = tmp_path / "folder"
    export(design, to="hub", path=folder, seed=1)
    with pytest.raises(ConvlabError, match="is already there") as raised:
        export(design, to="hub", path=folder, seed=2)
    assert raised.value.problems[0].code == "already-there"
    export(design, to="hub", path=folder, seed=2, force=True)
    expected = build(design, seed=2).state_dict()
    read = load_file(folder / "model.safetensors")
    assert all(torch.equal(tensor, expected[path]) for path, tensor in read.items())
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_other_things_is_left_alone(tmp_path, monkeypatch, force):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(ConvlabError) as raised:
        export(tiny("resnet18"), to="hub", path="thesis", force=force)
    assert str(raised.value).partition("\n")[0] == (
        'error: cannot write "thesis": the folder holds "chapter.tex", which no export wrote'
        if force
        else 'error: "thesis" is already there'
    )
    assert [item.name for item in (tmp_path / "thesis").iterdir()] == ["chapter.tex"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "folder").mkdir()
    found = export(tiny("resnet18"), to="hub", path=tmp_path / "folder")
    assert sorted(item.name for item in found.path.iterdir()) == FILES
