"""Results are read as they were written, and under what they came about is told."""

import math
import os

import pytest
import torch
from small_trainings import design_of, drawn, recipe_of

from convlab import ConvlabError
from convlab.training.keeping.identity import circumstances, identity, note_of
from convlab.training.keeping.results import finished, keep_result
from convlab.training.keeping.trained import Point, Trained
from convlab.training.running.arithmetic import CUBLAS, kernels


def about():
    return identity(design_of(), recipe_of(), drawn(), seed=0)


def test_what_is_not_a_number_stays_so_at_any_depth(tmp_path):
    point = Point(1, 16, 0.5, math.nan, 1.5, 0.25)
    kept = Trained("small", design_of(), 0, recipe_of(), (point,), 1.5, cue_accuracy={"first": math.nan, "second": 0.5})
    keep_result(kept, tmp_path / "new", about())
    found = finished(tmp_path / "new")
    assert math.isnan(found.cue_accuracy["first"])
    assert found.cue_accuracy["second"] == 0.5
    assert math.isnan(found.curve[0].training_loss)
    assert math.isnan(found.test_loss)
    assert (found.validation_loss, found.failure, found.notes) == (1.5, "", ())


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConvlabError, match="cannot make the folder"):
        keep_result(Trained("small", design_of(), 0, recipe_of()), tmp_path / "file" / "folder", about())


def test_circumstances_are_what_bits_depend_on():
    found = circumstances(torch.device("cpu"), 1)
    assert found["kernels"] == torch.backends.cpu.get_cpu_capability()
    assert found["device"]
    assert set(found) == {"torch", "timm", "convlab", "processes", "device", "kernels", "threads"}
    assert note_of(found, found, 3) == ""
    told = note_of({**found, "kernels": "NO AVX", "timm": "0.1"}, found, 3)
    assert told == (
        f"resumed at step 3 under other circumstances, so not bit for bit: timm 0.1 is now {found['timm']}, "
        f"kernels NO AVX is now {found['kernels']}"
    )


@pytest.mark.parametrize("before", [None, ":16:8"])
def test_what_cublas_is_told_is_as_it_was_afterwards(monkeypatch, before):
    monkeypatch.delenv(CUBLAS, raising=False)
    if before:
        monkeypatch.setenv(CUBLAS, before)
    with kernels(recipe_of(deterministic=True), torch.device("cuda")):
        assert os.environ[CUBLAS] == (before or ":4096:8")
    assert os.environ.get(CUBLAS) == before
