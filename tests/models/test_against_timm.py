"""The ConvNeXt families are timm's: names, order and shapes of all weights, and with the same weights the same outputs."""

import csv
from importlib.resources import files

import pytest
import timm
import torch
from weights import assert_close, images, randomized

from convlab import build, load
from convlab.presets import preset_names

V1 = {"t": "tiny", "s": "small", "b": "base", "l": "large", "xl": "xlarge"}
V2 = {"t": "tiny", "b": "base", "l": "large", "h": "huge"}
THEIRS = {f"convnext_{size}": f"convnext_{V1.get(size, size)}" for size in ("atto", "femto", "pico", "nano", *V1)}
THEIRS |= {f"convnext_v2_{size}": f"convnextv2_{V2.get(size, size)}" for size in ("atto", "femto", "pico", "nano", *V2)}
SMALL = [name for name in THEIRS if name.endswith(("atto", "femto", "pico", "nano", "_t"))]
LARGE = ["convnext_s", "convnext_b", "convnext_v2_b"]


def shapes(model):
    return [(name, tuple(tensor.shape)) for name, tensor in model.state_dict().items()]


def theirs_of(name, device="cpu", **options):
    with torch.device(device):
        return timm.create_model(THEIRS[name], pretrained=False, **options)


def test_all_presets_of_the_families_are_compared():
    ours = {"convnext_rep_t", "convnext_swin_t"}
    published = {name for name in preset_names() if name.startswith("convnext") and "iso" not in name}
    assert published - ours == set(THEIRS)


@pytest.mark.parametrize("name", THEIRS)
def test_names_order_and_shapes_of_the_weights(name):
    ours = build(load(name), device="meta")
    assert all(tensor.device.type == "meta" for tensor in ours.state_dict().values())
    assert shapes(ours) == shapes(theirs_of(name, "meta"))


def compare_outputs(name, size):
    ours = randomized(build(load(name), initialized=False))
    theirs = theirs_of(name).eval()
    theirs.load_state_dict(ours.state_dict())
    with torch.no_grad():
        assert_close(ours(images(size=size)), theirs(images(size=size)))
        assert_close(ours.forward_features(images(size=size)), theirs.forward_features(images(size=size)))


@pytest.mark.parametrize("name", SMALL)
def test_outputs(name):
    compare_outputs(name, 64)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_outputs_of_large_models(name):
    compare_outputs(name, 96)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["convnext_t", "convnext_v2_t"])
def test_outputs_at_full_size(name):
    compare_outputs(name, 224)


@pytest.mark.parametrize("name", ["convnext_t", "convnext_s", "convnext_v2_t"])
def test_drop_path_rises_block_by_block(name):
    design = load(name)
    ours = build(design, device="meta")
    theirs = theirs_of(name, drop_path_rate=design.drop_path)
    expected = [
        block.drop_path.drop_prob if hasattr(block.drop_path, "drop_prob") else 0.0
        for stage in theirs.stages
        for block in stage.blocks
    ]
    found = [getattr(block, "drop_path", None) for stage in ours.stages for block in stage.blocks]
    rates = [0.0 if path is None else path.rate for path in found]
    assert rates == pytest.approx(expected, abs=1e-6)
    assert rates[-1] == pytest.approx(design.drop_path)
    assert design.drop_path > 0


@pytest.mark.parametrize(("name", "table"), [("convnext_t", "convnext_tiny"), ("convnext_v2_t", "convnextv2_tiny")])
def test_names_are_those_of_the_published_maps(name, table):
    text = (files("convlab.facts") / f"statedict_map_{table}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["timm"] for row in rows} == {key for key, _ in shapes(build(load(name), device="meta"))}


def test_the_last_step_of_the_walk_is_convnext_t():
    last = build(load("roadmap/16_separate_downsampling"), device="meta")
    assert shapes(last) == shapes(build(load("convnext_t"), device="meta"))
    assert load("roadmap/16_separate_downsampling").key == load("convnext_t").key
