"""ONNX: what ONNX Runtime computes from the file is what the model computes, for any batch; the file says what it is."""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from designs import swept
from systems import FULL_SIZE, NAMES, OTHERS, alive, assert_same_outputs, least, mixed, tiny

from convlab import ConvlabError, export, load, turn
from convlab.exports import comparison
from convlab.exports import onnx as onnx_format


def runner(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(None, {"image": images.numpy()})[0])


@pytest.mark.parametrize("name", ["mixed", *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES)])
def test_onnx_runtime_computes_what_the_model_computes(name, tmp_path):
    design = mixed() if name == "mixed" else tiny(name)
    weights = alive(design)
    found = export(design, to="onnx", path=tmp_path / "network.onnx", weights=weights)
    assert found.files == (tmp_path / "network.onnx",)
    assert [check.batch for check in found.checks] == [1, 3]
    assert 0 <= found.difference < 1e-5
    assert_same_outputs(runner(found.path), design, weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*OTHERS, *FULL_SIZE])
def test_mixtures_and_full_size(name, tmp_path):
    design = swept(name) if name in OTHERS else load(name)
    weights = alive(design)
    found = export(design, to="onnx", path=tmp_path / "network.onnx", weights=weights)
    assert_same_outputs(runner(found.path), design, weights)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return export(least(), to="onnx", path=tmp_path_factory.mktemp("onnx") / "network.onnx", seed=3)


def test_the_graph_is_whole_and_says_what_it_is(exported):
    onnx.checker.check_model(exported.path, full_check=True)
    graph = onnx.load(exported.path).graph
    shape = [side.dim_param or side.dim_value for side in graph.input[0].type.tensor_type.shape.dim]
    assert ([item.name for item in graph.input], shape) == (["image"], ["batch", 3, 64, 64])
    shape = [side.dim_param or side.dim_value for side in graph.output[0].type.tensor_type.shape.dim]
    assert ([item.name for item in graph.output], shape) == (["logits"], ["batch", 10])
    told = {item.key: item.value for item in onnx.load(exported.path).metadata_props}
    design = exported.origin.design
    assert (told["convlab_name"], told["convlab_key"]) == (design.name, design.key)
    Path(exported.path.parent / "design.toml").write_text(told["convlab_design"])
    assert load(exported.path.parent / "design.toml") == design


def test_no_place_of_this_machine_is_in_the_file(exported):
    content = exported.path.read_bytes()
    for place in (Path(onnx_format.__file__).parents[2], Path(torch.__file__).parents[1]):
        assert str(place).encode() not in content


def test_two_exports_are_one_file(exported, tmp_path):
    again = export(least(), to="onnx", path=tmp_path / "network.onnx", seed=3)
    assert again.path.read_bytes() == exported.path.read_bytes()


def test_it_runs_where_it_lies_in_another_place(exported, tmp_path):
    (tmp_path / "renamed.onnx").write_bytes(exported.path.read_bytes())
    images = np.zeros((4, 3, 64, 64), np.float32)
    session = onnxruntime.InferenceSession(tmp_path / "renamed.onnx", providers=["CPUExecutionProvider"])
    assert session.run(["logits"], {"image": images})[0].shape == (4, 10)


def test_weights_that_are_too_large_for_one_file_stand_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_format, "LARGEST_FILE", 1000)
    monkeypatch.chdir(tmp_path)
    design = least()
    weights = alive(design)
    found = export(design, to="onnx", path=tmp_path / "network.onnx", weights=weights)
    assert found.files == (tmp_path / "network.onnx", tmp_path / "network.onnx.data")
    assert found.bytes == sum(file.stat().st_size for file in tmp_path.iterdir())
    assert sorted(tmp_path.iterdir()) == sorted(found.files)
    assert_same_outputs(runner(found.path), design, weights)
    found.path.unlink()
    with pytest.raises(ConvlabError, match=r"network\.onnx\.data. is already there"):
        export(design, to="onnx", path="network.onnx")


def test_a_design_without_a_classifier_gives_its_features(tmp_path):
    design = turn(least(), "head.classes", 0)
    found = export(design, to="onnx", path=tmp_path / "network.onnx", weights=alive(design))
    assert runner(found.path)(torch.zeros(2, 3, 64, 64)).shape[:2] == (2, 16)


def test_a_missing_package_is_told_with_the_command_that_installs_it(tmp_path, monkeypatch):
    for name in ("onnxruntime", "onnxscript"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConvlabError) as raised:
        export(tiny("resnet18"), to="onnx", path=tmp_path / "network.onnx")
    assert str(raised.value) == (
        "error: ONNX needs onnxruntime, onnxscript, which are not installed\n   = help: pip install onnxruntime onnxscript"
    )
    assert raised.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_weights_that_overflow_are_not_exported(tmp_path):
    design = least()
    weights = {name: tensor * 1e30 if tensor.is_floating_point() else tensor for name, tensor in alive(design).items()}
    with pytest.raises(ConvlabError, match="infinities or NaN"):
        export(design, to="onnx", path=tmp_path / "network.onnx", weights=weights)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_computes_something_else_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(comparison, "TOLERANCE", 1e-12)  # closer than rounding allows
    design = least()
    with pytest.raises(ConvlabError, match=r"batch 1: the outputs differ from the model's by \d") as raised:
        export(design, to="onnx", path=tmp_path / "network.onnx", weights=alive(design))
    assert (raised.value.problems[0].code, raised.value.exit_code) == ("differs", 1)
    assert list(tmp_path.iterdir()) == []
