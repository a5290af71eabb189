"""Long work beside the notebook: real workers, their curves and results, and a stop that keeps what there is."""

import time

import pytest

import convlab
from convlab.notebook import Explorer
from convlab.notebook.curves import Curves
from convlab.notebook.ordering import argv
from convlab.notebook.results import result_table


def test_designs_are_presets_or_files_of_their_own(tmp_path):
    design = convlab.load("convnext_atto")
    turned = convlab.turn(design, "stages.0.depth", 3)
    words = argv("bench", [design, turned, turned], ["--batch", "2"], folder=tmp_path)
    assert words[:3] == ("convlab", "bench", "convnext_atto")
    assert [convlab.load(word) for word in words[3:5]] == [turned, turned]
    assert len(set(words[2:5])) == 3
    assert words[5:] == ("--batch", "2")


def test_curves_grow_and_a_design_more_is_a_line_more():
    curves = Curves()
    nan = float("nan")
    curves.show({("a", 0): [(1, 2.0, nan), (2, 1.5, 0.25)]})
    curves.show({("a", 0): [(1, 2.0, nan), (2, 1.5, 0.25), (3, 1.0, 0.5)], ("b", 0): [(1, 3.0, nan)]})
    accuracy, loss, *rest = curves.figure.data
    assert list(accuracy.y) == [25.0, 50.0]
    assert list(loss.y) == [2.0, 1.5, 1.0]
    assert [trace.name for trace in rest] == ["b, seed 0", "b, seed 0"]


def test_a_ranking_is_a_table():
    place = {"name": "a", "place": 1, "loss": {"mean": 1.5}, "accuracy": {"mean": 0.25}, "seeds": 2}
    table = result_table({"ranking": {"places": [place]}})
    assert [cell.text for cell in table.rows[0]] == ["a", "1.500", "25.0 %", "2"]
    assert result_table({}) is None


def test_options_that_are_refused_are_told():
    lab = Explorer("convnext_atto")
    lab._buttons._options.value = "--epochs 'one"
    lab._buttons._work(lab.train)
    assert "quote" in lab._said.value
    assert not lab.works


@pytest.mark.slow
def test_a_design_is_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    lab = Explorer("convnext_atto", knobs=["image.size"])
    lab.controls["image.size"].value = 64
    work = lab.measure("--batch", "2", "--seconds", "1", "--device", "cpu")
    assert work.wait(240)
    assert work.status == "done", work.error
    assert work.result["benchmarks"][0]["rows"][0]["images_per_second"]["median"] > 0
    assert "convnext_atto-turned" in work._report.value
    assert work.figure.data[0].y[0] > 0


@pytest.mark.slow
def test_a_training_is_stopped_and_keeps_its_curve(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    lab = Explorer("convnext_atto")
    lab.turn("stages.2.depth", 5)
    work = lab.train("--data", "digits", "--epochs", "200", "--device", "cpu")
    until = time.monotonic() + 240
    while not any(len(curve) > 3 for curve in work.curves.values()):
        assert work.running, work.error
        assert time.monotonic() < until
        time.sleep(0.1)
    work.stop()
    assert work.wait(120)
    assert work.status == "stopped"
    assert len(work.figure.data[1].y) > 3
    assert work.run


@pytest.mark.slow
def test_what_fails_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    work = Explorer("convnext_atto").train("--data", "nothing_of_this_name")
    assert work.wait(120)
    assert work.status == "failed"
    assert "not taken" in work._report.value
