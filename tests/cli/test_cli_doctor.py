"""doctor: recognises what is known to go wrong, and names the fix."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from convlab.cli import checkup

TORCH = {"version": "2", "threads": 2, "cuda": None, "hip": None, "gpus": [], "mps": False}


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, str, str]]:
    """What the two programs of doctor answer: torch's devices, and whether torchvision and timm can be imported."""
    answers = {"torch": (0, json.dumps(TORCH), ""), "timm": (0, "", "")}
    monkeypatch.setattr(checkup, "_run", lambda program: answers["timm" if "timm" in program else "torch"])
    return answers


def test_all_is_fine(shell: Callable, probes: dict) -> None:
    ran = shell("doctor")
    assert ran.code == 0
    assert "All that convlab needs is here." in ran.out
    assert "none that this torch (built for CPU) can use" in ran.out
    assert shell("doctor", "--json").json["fine"] is True


def test_devices_are_named(shell: Callable, probes: dict) -> None:
    gpus = [{"name": "NVIDIA H100", "bytes": 80 * 2**30}]
    probes["torch"] = (0, json.dumps(TORCH | {"gpus": gpus, "mps": True}), "")
    ran = shell("doctor")
    assert "NVIDIA H100, 80.0 GiB" in ran.out
    assert "Apple GPU" in ran.out


def test_torchvision_of_another_index_is_recognised(shell: Callable, probes: dict) -> None:
    probes["timm"] = (1, "", "RuntimeError: operator torchvision::nms does not exist")
    ran = shell("doctor")
    assert ran.code == 1
    assert "come from different indexes" in ran.out
    assert "--index-url" in ran.out


def test_another_failure_of_torchvision(shell: Callable, probes: dict) -> None:
    probes["timm"] = (1, "", "ImportError: no")
    assert "pip install --force-reinstall torchvision timm" in shell("doctor").out


def test_a_torch_that_crashes(shell: Callable, probes: dict) -> None:
    probes["torch"] = (-11, "", "the process ended with code -11")
    ran = shell("doctor", "--json")
    assert ran.code == 1
    broken = [item for item in ran.json["findings"] if item["state"] == "broken"]
    assert [item["what"] for item in broken] == ["import torch"]
    assert broken[0]["fix"]


def test_missing_packages(shell: Callable, probes: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    real = checkup._version
    monkeypatch.setattr(checkup, "_version", lambda name: "" if name in ("timm", "plotly") else real(name))
    ran = shell("doctor")
    assert ran.code == 1
    assert "pip install timm" in ran.out
    assert "plotly (not needed" in ran.out


def test_missing_presets(shell: Callable, probes: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "preset_names", lambda: ())
    assert shell("doctor").code == 1


def test_wrong_settings_are_a_finding(shell: Callable, probes: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("convlab.toml").write_text('device = "gpu"\n')
    monkeypatch.setenv("CONVLAB_DTYP", "float16")
    ran = shell("doctor")
    assert ran.code == 1
    assert 'device cannot be "gpu"' in ran.out
    assert "CONVLAB_DTYP is no setting of convlab" in ran.out


def test_programs_run_in_a_process_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkup._run("print(1)") == (0, "1\n", "the process ended with code 0")
    assert checkup._run("raise SystemExit('no')")[2] == "no"
    monkeypatch.setattr(checkup, "SECONDS", 0.01)
    assert checkup._run("import time; time.sleep(60)")[2].startswith("no answer")
