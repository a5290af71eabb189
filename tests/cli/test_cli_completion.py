"""Shell completion offers presets, files, knob paths and what they can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlab.cli.completion import (
    complete_color,
    complete_design,
    complete_device,
    complete_dtype,
    complete_format,
    complete_grouping,
    complete_measured_dtype,
    complete_mode,
    complete_name,
    complete_set,
    complete_space,
    complete_task,
)
from convlab.measurement.running.conditions import MODES, TASKS


def test_designs_are_presets_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "convnext_mine.toml").touch()
    (tmp_path / "convnext_notes.txt").touch()
    (tmp_path / "convnext_folder").mkdir()
    (tmp_path / "convnext_folder" / "a.toml").touch()
    found = complete_design("convnext_")
    assert {"convnext_t", "convnext_mine.toml", "convnext_folder/"} <= set(found)
    assert "convnext_notes.txt" not in found
    assert complete_design("convnext_folder/") == ["convnext_folder/a.toml"]
    assert complete_design("nowhere/") == []
    assert "roadmap/09_kernel_7" in complete_design("road")
    assert complete_space("spaces/kernel") == ["spaces/kernel_study"]


def test_knob_paths_and_their_choices() -> None:
    assert complete_set("block.kern") == ["block.kernel_size="]
    assert complete_set("stages.2.dep") == ["stages.2.depth="]
    assert "stages.*.block.kernel_size=" in complete_set("stages")
    assert "stages.-1.block.kernel_size=" in complete_set("stages.-1.block")
    assert complete_set("block.kind=convn") == ["block.kind=convnext", "block.kind=convnext_v2"]
    assert complete_set("stages.1.block.grn=") == ["stages.1.block.grn=true", "stages.1.block.grn=false"]
    assert complete_set("nothing=") == []


def test_words() -> None:
    assert complete_grouping("b") == ["block"]
    assert complete_color("a") == ["auto", "always"]
    assert complete_device("c") == ["cpu", "cuda"]
    assert complete_dtype("f") == ["float32", "float16"]
    assert complete_measured_dtype("t") == ["tf32"]
    assert [complete_task(""), complete_mode("")] == [[*TASKS, "both"], list(MODES)]
    assert complete_format("to") == ["torch-export", "toml"]
    assert "map-vanishes" in complete_name("map")
