"""The command calibrate, and what profile, build and compare say once there is a calibration."""

import dataclasses
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "prediction"))

import synthetic

from convlab.prediction import files, put


@pytest.fixture
def calibrated(shell):
    """A shell on a device that is calibrated; it does not exist, but has this one's name."""
    put(synthetic.calibration())
    return shell


def test_without_a_calibration_the_way_to_one_is_told(shell):
    for command in (("profile", "convnext_atto"), ("compare", "convnext_atto", "resnet18")):
        ran = shell(*command)
        assert ran.code == 0
        assert "Speed is not predicted: `convlab calibrate` measures this device once." in " ".join(ran.out.split())
        assert "predicted latency" not in ran.out
    assert "predictions" not in shell("profile", "convnext_atto", "--json").json


def test_profile_shows_predictions_as_such(calibrated):
    ran = calibrated("profile", "convnext_atto")
    lines = {line.split("  ")[0]: line for line in ran.out.splitlines()}
    for title in ("predicted latency", "predicted throughput", "predicted step"):
        assert "predicted ±" in lines[title]
    assert "from the calibration of 2026-11-22" in " ".join(ran.out.split())


def test_profile_as_json(calibrated):
    plain = calibrated("profile", "convnext_atto", "--batch", "3", "--json").json
    found = plain["predictions"]
    assert found["throughput"]["batch"] == 3
    assert found["latency"]["batch"] == 1
    for name in ("latency", "throughput", "train_step"):
        one = found[name]
        assert one["low"] < one["value"] < one["high"]
        assert one["what"].startswith("predicted ±")
        assert plain["cards"][name]["value"] == one["value"]


def test_against_a_baseline_there_are_deltas(calibrated):
    plain = calibrated("profile", "convnext_t", "--against", "convnext_atto", "--json").json
    assert plain["cards"]["latency"]["delta"]["ratio"] > 1
    assert plain["predictions"]["latency"]["value"] == plain["cards"]["latency"]["value"]
    folded = calibrated("profile", "resnet18", "--folded", "--json").json
    assert folded["cards"]["latency"]["delta"]["ratio"] < 0
    assert folded["predictions"]["train_step"] is None


def test_compare_sets_predictions_side_by_side(calibrated):
    ran = calibrated("compare", "convnext_atto", "convnext_femto")
    (line,) = (line for line in ran.out.splitlines() if line.startswith("predicted latency"))
    assert line.count("±") == 2
    plain = calibrated("compare", "convnext_atto", "convnext_femto", "--json").json
    assert all(one["predictions"]["latency"]["value"] > 0 for one in plain["designs"])


def test_a_calibration_of_another_torch_is_passed_over_aloud(shell):
    made = synthetic.calibration()
    put(dataclasses.replace(made, machine=dataclasses.replace(made.machine, torch="1.0")))
    ran = shell("profile", "convnext_atto")
    assert "torch 1.0, here is" in " ".join(ran.out.split())
    assert "predicted latency" not in ran.out
    assert (
        "not for this machine as it is now" in shell("calibrate", "--show", "--json").json["calibrations"][0]["state"]
    )


def test_show_and_delete(calibrated):
    shown = calibrated("calibrate", "--show", "--json").json
    assert [one["state"] for one in shown["calibrations"]] == ["in use"]
    assert "in use" in calibrated("calibrate", "--show").out
    assert calibrated("calibrate", "--delete", "--dtype", "bfloat16", "--json").json["deleted"] == []
    assert len(calibrated("calibrate", "--delete", "--device", "cpu", "--json").json["deleted"]) == 1
    assert files() == ()
    assert "There is no calibration" in calibrated("calibrate", "--show").out


def test_a_damaged_file_is_shown_and_deleted(calibrated):
    (path,) = files()
    path.write_text("{")
    assert "it is not JSON" in calibrated("calibrate", "--show", "--json").json["calibrations"][0]["state"]
    assert "1 calibration deleted" in calibrated("calibrate", "--delete").out


@pytest.mark.parametrize(
    "options",
    [
        ("--seconds", "0"),
        ("--seconds", "soon"),
        ("--threads", "0"),
        ("--device", "abacus"),
        ("--dtype", "int8"),
        ("--show", "--delete"),
    ],
)
def test_what_is_wrong_is_told(shell, options):
    ran = shell("calibrate", *options)
    assert ran.code == 2
    assert ran.err.startswith("error:")
    assert files() == ()


@pytest.mark.slow
def test_calibrate_and_predict(shell):
    ran = shell("calibrate", "--device", "cpu", "--seconds", "4", "--json")
    assert ran.code == 0
    assert set(ran.json["tables"]) == {"inference", "training"}
    assert shell("profile", "convnext_atto", "--json").json["predictions"]["latency"]["value"] > 0
