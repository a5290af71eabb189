"""What timm knows once ``convlab.timm`` is imported: a model for every preset, and one for any design."""

import subprocess
import sys
from pathlib import Path

import pytest
import timm
import timm.data
import torch
from designs import PRESETS, REST_SLOW, design_of
from timm.models import get_arch_pretrained_cfgs, resolve_model_input_args

import convlab.timm
from convlab import ConvlabError, load, profile, save
from convlab.language.writing import text_of

NAMES = {preset: f"convlab_{preset.replace('/', '_')}" for preset in PRESETS}
CIFAR = {"depths": [1, 1], "widths": [16, 32], "image": {"size": 32, "channels": 1}, "head": {"classes": 10}}


def test_every_preset_is_a_model():
    assert {preset: name for name, preset in convlab.timm.PRESETS.items()} == NAMES
    assert set(timm.list_models("convlab*")) == {"convlab", *NAMES.values()}
    assert set(timm.list_models(module="designs")) == {"convlab", *NAMES.values()}
    assert all(timm.is_model(name) for name in NAMES.values())
    assert all(timm.model_entrypoint(name).__doc__ == load(preset).summary for preset, name in NAMES.items())


@pytest.mark.parametrize("preset", REST_SLOW)
def test_the_model_of_a_preset(preset):
    """On the meta device: the design's parameters, and a configuration that names layers that are there."""
    design = load(preset)
    model = timm.create_model(NAMES[preset], device="meta")
    assert model.design == design
    assert sum(parameter.numel() for parameter in model.parameters()) == profile(design).params
    found, weights = model.default_cfg, model.state_dict()
    assert found["architecture"] == NAMES[preset]
    assert found["input_size"][0] == model.in_chans
    assert found["num_classes"] == model.num_classes == design.head.classes
    assert tuple(weights[f"{found['classifier']}.weight"].shape) == (model.num_classes, model.head_hidden_size)
    first = found["first_conv"]
    for path in [first] if isinstance(first, str) else first:
        assert weights[f"{path}.weight"].shape[1] == 3
    assert found["fixed_input_size"] == design.stem.position_embedding
    assert timm.model_entrypoint(NAMES[preset]).__doc__ == design.summary


@pytest.mark.parametrize(
    "given",
    ["path", "name", "text", "design"],
)
def test_any_design(given, tmp_path):
    design = design_of(CIFAR)
    path = tmp_path / "cifar.toml"
    save(design, path)
    sources = {"path": path, "name": str(path), "text": text_of(design), "design": design}
    model = timm.create_model("convlab", design=sources[given])
    assert model.design == design
    assert model.default_cfg["input_size"] == (1, 32, 32)
    assert model.default_cfg["pool_size"] == (4, 4)
    assert (model.num_classes, model.in_chans) == (10, 1)
    assert model(torch.randn(2, 1, 32, 32)).shape == (2, 10)
    assert timm.create_model("convlab", design=sources[given], num_classes=3).num_classes == 3


@pytest.mark.parametrize("source", ["convnext_atto", load("convnext_atto"), text_of(load("convnext_atto"))])
def test_knobs_are_set(source):
    sets = ["block.kernel_size=5", "head.classes=4"]
    model = timm.create_model("convlab", design=source, sets=sets)
    assert model.design == load("convnext_atto", sets=sets)
    assert model.default_cfg["num_classes"] == 4


def test_text_may_have_a_base():
    model = timm.create_model("convlab", design='base = "resnet18"\nhead.classes = 3\n')
    assert model.design.key == load("resnet18", sets=["head.classes=3"]).key


def test_as_timms_scripts_ask_for_it(tmp_path):
    """They ask timm for the configuration first, which knows nothing of the file, and give it back."""
    save(design_of(CIFAR), tmp_path / "cifar.toml")
    arguments = {"design": str(tmp_path / "cifar.toml"), "num_classes": None, "img_size": None, "in_chans": None}
    model = timm.create_model(**resolve_model_input_args("convlab", {"input_size": None}, **arguments))
    assert (model.num_classes, model.in_chans) == (10, 1)
    assert timm.data.resolve_data_config({}, model=model)["input_size"] == (1, 32, 32)
    model = timm.create_model(**resolve_model_input_args("convlab", {"input_size": (3, 48, 48)}, **arguments))
    assert model.in_chans == 3
    model = timm.create_model("convlab", pretrained_cfg_overlay={"mean": (0.1,), "crop_pct": 0.5}, **arguments)
    assert (model.default_cfg["mean"], model.default_cfg["crop_pct"]) == ((0.1,), 0.5)
    model = timm.create_model("convlab", pretrained_cfg={"crop_pct": 0.75, "num_classes": 4}, **arguments)
    assert (model.default_cfg["crop_pct"], model.num_classes, model.in_chans) == (0.75, 4, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "which design"),
        ({"design": "convnxt_t"}, 'did you mean "convnext_t"'),
        ({"design": "nowhere/mine.toml"}, "there is no file"),
        ({"design": "depths = [1\n"}, "design:1"),
        ({"design": "convnext_t", "sets": ["block.kernl=3"]}, "block.kernl"),
        ({"design": load("convnext_t"), "sets": ["block.kernel_size=0"]}, "block.kernel_size"),
    ],
)
def test_designs_that_are_not_there(arguments, message):
    with pytest.raises(ConvlabError, match=message):
        timm.create_model("convlab", **arguments)


def test_a_wrong_tag_is_timms_error():
    with pytest.raises(RuntimeError, match="Invalid pretrained tag"):
        timm.create_model("convlab_convnext_t.nonsense", device="meta")
    with pytest.raises(RuntimeError, match="Invalid pretrained tag"):
        timm.create_model("convlab", design="convnext_t", pretrained_cfg="nonsense")


def test_published_weights_are_timms():
    """The tags, places and statistics of the model that a preset is, under our names of layers."""
    theirs, ours = get_arch_pretrained_cfgs("resnet50"), get_arch_pretrained_cfgs("convlab_resnet50")
    assert {name.replace("convlab_", "") for name in ours} <= set(theirs)
    found = ours["convlab_resnet50.a1_in1k"]
    assert found.hf_hub_id == "timm/resnet50.a1_in1k"
    assert (found.first_conv, found.classifier) == ("stem.0", "head.fc")
    assert (found.crop_pct, found.test_input_size) == (0.95, (3, 288, 288))
    assert "convlab_resnet50.tv_in1k" in timm.list_pretrained("convlab_*")
    assert timm.models.is_model_pretrained("convlab_convnext_t")
    assert not timm.models.is_model_pretrained("convlab_convnext_iso_s")


@pytest.mark.parametrize(
    ("preset", "tag"), [("convnext_t", "fb_in1k"), ("convnext_v2_t", "fcmae_ft_in1k"), ("resnet50", "tv_in1k")]
)
def test_a_presets_own_weights_are_its_authors(preset, tag):
    assert timm.create_model(NAMES[preset], device="meta").default_cfg["tag"] == tag


def test_importing_convlab_does_not_import_timm():
    code = "import sys, convlab, convlab.models; convlab.load('convnext_t'); sys.exit('timm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_does_not_hide_timm():
    assert Path(timm.__file__).parent != Path(convlab.timm.__file__).parent
