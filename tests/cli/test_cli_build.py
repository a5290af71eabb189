"""build: a model is made, run once and shown; weights are written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import convlab


def test_build_runs_the_model_and_says_what_came_out(shell: Callable) -> None:
    ran = shell("build", "convnext_atto", "--device", "cpu", "--image", "32", "--batch", "2")
    assert (ran.code, ran.err) == (0, "")
    assert "cpu, float32, batch 2: output 2x1000, all finite" in ran.out
    assert "indicative" in ran.out
    assert "3,695,520 parameters" in ran.out


def test_build_as_json(shell: Callable) -> None:
    ran = shell(
        "build", "resnet18", "--device", "cpu", "--image", "32x64", "--dtype", "bfloat16", "--json", "--seed", "3"
    )
    assert ran.code == 0
    run = ran.json["run"]
    assert (run["device"], run["dtype"], run["output"], run["finite"], run["seed"]) == (
        "cpu",
        "bfloat16",
        [1, 1000],
        True,
        3,
    )
    assert ran.json["cards"]["params"]["value"] == 11_689_512


def test_saved_weights_are_those_of_the_seed(shell: Callable) -> None:
    from safetensors.torch import load_file

    arguments = (
        "build",
        "convnext_atto",
        "--device",
        "cpu",
        "--image",
        "32",
        "--seed",
        "7",
        "--save",
        "weights.safetensors",
    )
    assert "written to weights.safetensors" in shell(*arguments).out
    saved = load_file("weights.safetensors")
    model = convlab.build(convlab.load("convnext_atto"), seed=7)
    assert saved.keys() == model.state_dict().keys()
    assert all(torch.equal(saved[name], tensor) for name, tensor in model.state_dict().items())
    assert [path.name for path in Path.cwd().iterdir()] == ["weights.safetensors"]


def test_a_design_that_does_not_fit_is_refused(shell: Callable) -> None:
    ran = shell("build", "convnext_t", "--set", "widths=65536", "--set", "depths=10000")
    assert ran.code == 1
    assert "the model needs" in ran.err


def test_a_batch_that_does_not_fit_is_refused_before_it_is_made(shell: Callable) -> None:
    ran = shell("build", "convnext_t", "--device", "cpu", "--batch", "1000000")
    assert ran.code == 1
    assert "1000000 images" in ran.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there(shell: Callable) -> None:
    ran = shell("build", "convnext_t", "--device", "cuda")
    assert ran.code == 2
    assert 'there is no device "cuda" here' in ran.err


def test_infinite_output_is_a_failed_measurement(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "isfinite", lambda tensor: torch.zeros_like(tensor, dtype=torch.bool))
    ran = shell("build", "convnext_atto", "--device", "cpu", "--image", "32")
    assert ran.code == 3
    assert "NOT finite" in ran.out
    assert "the output holds infinities or NaN" in ran.err


def test_memory_that_runs_out_is_told(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr("convlab.models.build", out_of_memory)
    ran = shell("build", "convnext_atto", "--device", "cpu", "--batch", "4")
    assert ran.code == 3
    assert "cpu ran out of memory with a batch of 4" in ran.err


def test_settings_choose_the_number_format(shell: Callable) -> None:
    Path("convlab.toml").write_text('dtype = "bfloat16"\ndevice = "cpu"\n')
    assert "cpu, bfloat16" in shell("build", "convnext_atto", "--image", "32").out
    assert "cpu, float32" in shell("build", "convnext_atto", "--image", "32", "--dtype", "float32").out
