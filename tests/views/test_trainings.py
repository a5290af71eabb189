"""What is told around a ranking: overrides, cues, how it was trained, and failures."""

from __future__ import annotations

import torch

from convlab import load
from convlab.training.data.datasets import Dataset, Split
from convlab.training.keeping.trained import Trained
from convlab.training.proxies.shrinking import Override
from convlab.training.recipes.named import recipe
from convlab.views.trainings import beginning, cue_table, duration, override_table, trained_notes


def data(**changes):
    split = Split(torch.zeros(20, 1, 8, 8, dtype=torch.uint8), torch.zeros(20, dtype=torch.int64))
    told = {"source": "generated", "note": "drawn because nothing else is here"} | changes
    return Dataset("tiny", ("a", "b"), 1, 8, 8, split, split, split, (0.5,), (0.5,), "abc", **told)


def trained(name="a", seed=0, **changes):
    return Trained(name, load("convnext_atto"), seed, recipe("sprint"), **changes)


def test_what_is_about_to_happen():
    text = beginning("convnext_atto, resnet18", recipe("sprint"), data(), seeds=3, device="cpu")
    assert text == (
        "training convnext_atto, resnet18 by sprint: 65,536 images of tiny (drawn because nothing else is here), on cpu, 3 seeds"
    )


def test_overrides_of_all_are_told_once():
    both = Override("image.channels", 3, 1, "the data's images")
    found = override_table({"a": (both,), "b": (both, Override("depths", (3, 3), (1, 1), "the budget"))})
    assert [[cell.text for cell in row] for row in found.rows] == [
        ["all", "image.channels", "3", "1", "the data's images"],
        ["b", "depths", "[3, 3]", "[1, 1]", "the budget"],
    ]
    assert found.records()[1]["after"] == (1, 1)
    assert override_table({"a": ()}) is None
    (row,) = override_table({"a": (both,)}).rows
    assert row[0].text == "a"


def test_cues_are_means_over_seeds():
    found = cue_table([trained(cue_accuracy={"far": 0.1, "texture": 1.0}), trained(seed=1, cue_accuracy={"far": 0.3})])
    assert [[cell.text for cell in row] for row in found.rows] == [["a", "20.0", "100.0"]]
    assert cue_table([trained()]) is None


def test_failures_and_what_else_has_to_be_known():
    notes = trained_notes([trained(failure="diverged at step 3"), trained(seed=1, notes=("resumed elsewhere",))])
    assert notes[0].message == "a, seed 0: diverged at step 3"
    assert notes[1].message == "a, seed 1: resumed elsewhere"
    (note,) = trained_notes([trained(notes=("smaller batches",)), trained("b", notes=("smaller batches",))])
    assert note.message == "smaller batches"


def test_durations():
    assert [duration(seconds) for seconds in (1.25, 75, 3675)] == ["1.2 s", "1 min 15 s", "1 h 01 min"]
