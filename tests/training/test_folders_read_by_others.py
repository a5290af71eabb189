"""A training's folder says what was trained, how, and how it went to whoever reads JSON, TOML and safetensors, without convlab."""

import json
import tomllib

import pytest
from safetensors import safe_open
from small_trainings import trained_in


@pytest.mark.slow
def test_a_folder_is_read_without_convlab(tmp_path):
    trained = trained_in(tmp_path / "run")
    (result,) = (tmp_path / "run").rglob("result.json")
    told = json.loads(result.read_text(encoding="utf-8"))
    assert [point["samples"] for point in told["curve"]] == [64, 128]
    assert told["validation_accuracy"] == trained.validation_accuracy
    assert told["identity"]["recipe"]["batch"] == 16
    assert tomllib.loads(told["identity"]["design"])["depths"] == [1, 1]
    with safe_open(result.parent / told["checkpoint"] / "model.safetensors", "pt") as weights:
        assert tomllib.loads(weights.metadata()["convlab_design"])["widths"] == [8, 16]
        assert list(weights.get_tensor("stem.0.weight").shape) == [8, 1, 4, 4]
