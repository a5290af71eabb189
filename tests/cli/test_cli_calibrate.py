"""The command calibrate, and what profile, build and compare say once there is a calibration."""

import dataclasses
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "prediction"))

import synthetic

from convlab.prediction import files, put
from convlab.prediction.calibration import Checked
from convlab.runs import open_store
from convlab.views.predictions import calibration_notes


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


def test_a_calibration_of_other_threads_is_used_where_it_is_asked_for(shell):
    put(synthetic.calibration(threads=77, default_threads=False))
    ran = shell("profile", "convnext_atto")
    assert "is of 77 threads" in " ".join(ran.out.split())
    assert "--threads 77" in " ".join(ran.out.split())
    assert "in use with --threads 77" in shell("calibrate", "--show", "--json").json["calibrations"][0]["state"]
    for command in (("profile", "resnet18"), ("compare", "resnet18", "resnet34")):
        assert "77 threads" in shell(*command, "--threads", "77", "--json").out
    built = shell("build", "convnext_atto", "--image", "32", "--threads", "77", "--json").json
    assert built["predictions"]["latency"]["value"] > 0


def test_what_is_too_uncertain_is_not_shown_as_a_number(shell):
    made = synthetic.calibration()
    poor = {task: dataclasses.replace(table, stretch=1000.0) for task, table in made.tables.items()}
    put(dataclasses.replace(made, tables=poor))
    lines = {line.split("  ")[0]: line for line in shell("profile", "convnext_atto").out.splitlines()}
    for title in ("predicted latency", "predicted throughput", "predicted step"):
        assert "too uncertain" in lines[title]
        assert "calibrate longer (--seconds 90)" in lines[title]
        assert "±" not in lines[title]
    compared = shell("compare", "convnext_atto", "resnet18").out
    assert "calibrate longer (--seconds 90)" in " ".join(compared.split())
    plain = shell("profile", "convnext_atto", "--json").json
    assert plain["predictions"]["latency"]["value"] is None
    assert plain["cards"]["latency"]["value"] is None


def test_few_networks_are_told():
    (note,) = calibration_notes(synthetic.calibration())
    assert "only 0 networks in inference and 0 networks in training could be held out, not 4" in note.message
    one = Checked("a", 1, 10**6, 0.01, 0.011, 0.1)
    table = dataclasses.replace(synthetic.table(), networks=(one,) * 4)
    assert calibration_notes(synthetic.calibration(tables={"inference": table})) == []
    single = dataclasses.replace(table, networks=(one,))
    (note,) = calibration_notes(synthetic.calibration(tables={"inference": single}))
    assert "only 1 network in inference" in note.message


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
    assert "predictions" in shell("profile", "convnext_atto", "--json").json
    with open_store() as store:
        (run,) = store.runs(kind="calibration")
        rows = store.rows(run).values()
    assert run.id == ran.json["run"]["id"]
    assert run.status == "complete"
    held_out = [(task, each) for task, table in ran.json["tables"].items() for each in table["networks"]]
    assert [(row.task, row.subject, row.median) for row in rows] == [
        (task, each["name"], each["measured"]) for task, each in held_out
    ]
    for row, (_, each) in zip(rows, held_out, strict=True):
        assert row.details["predicted_s"] == each["predicted"]
        assert row.details["error"] == pytest.approx(each["predicted"] / each["measured"] - 1)


@pytest.mark.slow
def test_no_run_is_kept_where_none_is_wanted(shell, tmp_path):
    ran = shell("calibrate", "--device", "cpu", "--seconds", "1", "--no-store", "--json")
    assert ran.code == 0
    assert ran.json["run"] is None
    assert not list(tmp_path.rglob("*.sqlite"))
