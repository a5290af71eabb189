"""What is told around a ranking: overrides, cues, how it was trained, and failures."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch

from convlab import load
from convlab.training.comparing import Training
from convlab.training.data.datasets import Dataset, Split
from convlab.training.keeping.job import Job
from convlab.training.keeping.trained import Trained
from convlab.training.proxies.shrinking import Override
from convlab.training.recipes.named import changed, recipe
from convlab.training.verdicts.ranking import Score, ranked
from convlab.views.proxies import proxies_text
from convlab.views.trainings import beginning, cue_table, duration, override_table, trained_notes, unranked_table


def data(**changes):
    split = Split(torch.zeros(20, 1, 8, 8, dtype=torch.uint8), torch.zeros(20, dtype=torch.int64))
    told = {"source": "generated", "note": "drawn because nothing else is here"} | changes
    return Dataset("tiny", ("a", "b"), 1, 8, 8, split, split, split, (0.5,), (0.5,), "abc", **told)


def trained(name="a", seed=0, **changes):
    return Trained(name, load("convnext_atto"), seed, **{"recipe": recipe("sprint")} | changes)


RESULT = {"validation_loss": 1.5, "validation_accuracy": 0.25}
DIVERGED = "diverged: the loss of step 3 is not finite; there was no checkpoint before it"
OUT_OF_MEMORY = "out of memory: a single image does not fit cpu in training"


def test_what_is_about_to_happen():
    text = beginning("convnext_atto, resnet18", recipe("sprint"), data(), seeds=3, device="cpu")
    assert text == (
        "training convnext_atto, resnet18 by sprint: 65,536 images of tiny (drawn because nothing else is here), on cpu, 3 seeds"
    )


def test_what_is_trained_in_the_place_of_a_design():
    sizes = [Override("image.size", 224, 8, ""), Override("depths", (2, 2, 6, 2), (1, 1), "")]
    short = changed(recipe("sprint"), {"samples": 128})
    text = proxies_text({"a": sizes}, short, data())
    assert text == "proxy on tiny, 8x8 px, 128 images; depths 2-2-6-2 → 1-1, 1 other knob changed"
    text = proxies_text({"a": sizes[:1], "b": ()}, short, data())
    assert text.endswith("; a: depths and widths as they are, 1 knob changed; b: depths and widths as they are")
    text = proxies_text({"a": sizes[:1]}, short, data())  # in its full size
    assert text == "on tiny, 8x8 px, 128 images; depths and widths as they are, 1 knob changed"


def test_overrides_of_all_are_told_once():
    both = Override("image.channels", 3, 1, "the data's images")
    found = override_table({"a": (both,), "b": (both, Override("depths", (3, 3), (1, 1), "the budget"))})
    assert [[cell.text for cell in row] for row in found.rows] == [
        ["all", "image.channels", "3", "1", "the data's images"],
        ["b", "depths", "[3, 3]", "[1, 1]", "the budget"],
    ]
    assert found.records()[1]["after"] == (1, 1)
    several = override_table({"a": (both,), "b": (both,), "c": (both,), "d": ()})
    assert [row[0].text for row in several.rows] == ["a to c"]
    apart = override_table({"a": (both,), "b": (), "c": (both,), "d": (both,)})
    assert [row[0].text for row in apart.rows] == ["a, c, d"]
    assert override_table({"a": ()}) is None
    (row,) = override_table({"a": (both,)}).rows
    assert row[0].text == "a"


def test_cues_are_means_over_seeds():
    found = cue_table([trained(cue_accuracy={"far": 0.1, "texture": 1.0}), trained(seed=1, cue_accuracy={"far": 0.3})])
    assert [[cell.text for cell in row] for row in found.rows] == [["a", "20.0", "100.0"]]
    assert cue_table([trained()]) is None


def test_cues_of_trainings_that_were_cut_short_do_not_count_beside_whole_ones():
    cut = [trained(seed=1, cue_accuracy={"far": 0.9}, stopped=True)]
    cut += [trained(seed=2, cue_accuracy={"far": 0.5}, failure="diverged: the loss of step 3 is not finite")]
    assert cue_table([trained(cue_accuracy={"far": 0.1}), *cut]).rows[0][1].text == "10.0"
    assert cue_table(cut).rows[0][1].text == "70.0"


def test_what_is_not_ranked_is_told_with_the_reason_and_its_figures():
    whole = [trained(name, seed, steps=8, **RESULT) for name in "ab" for seed in range(2)]
    ill = [trained("c", 0, failure=DIVERGED, steps=4, **RESULT), trained("c", 1, steps=8, **RESULT)]
    cut = trained("b", 2, stopped=True, steps=2)
    found = unranked_table(training([*whole, *ill, cut], {"twin": "the same network as a at this size"}))
    assert [[cell.text for cell in row] for row in found.rows] == [
        ["c", "0", "512", "1.500", "25.00", DIVERGED],
        ["c", "1", "1,024", "1.500", "25.00", "it diverged with 1 of 2 seeds: the other one alone would flatter it"],
        ["b", "2", "256", "-", "-", "stopped before its end"],
        ["twin", "-", "-", "-", "-", "the same network as a at this size"],
    ]
    assert unranked_table(training(whole, {})) is None


def training(found, unranked):
    """What `convlab.train` returns of these."""
    scores = [
        Score(each.name, each.seed, *((math.nan, math.nan) if each.failure else (1.5, 0.25)))
        for each in found
        if not each.stopped
    ]
    job = Job((), recipe("sprint"), "tiny", "abc", (0, 1))
    return Training(tuple(found), ranked(scores, unranked=unranked), {}, (), {}, job, data(), Path("here"))


@pytest.mark.parametrize(
    ("failure", "knobs", "help"),
    [
        (DIVERGED, {}, "train all designs anew with --recipe-set learning_rate=0.02 (it was 0.06) or clip_norm=1"),
        (
            DIVERGED,
            {"clip_norm": 0.5, "dtype": "float16", "learning_rate": 0.004},
            "train all designs anew with --recipe-set learning_rate=0.0013 (it was 0.004) or dtype=float32",
        ),
        (
            OUT_OF_MEMORY,
            {},
            "train anew with a smaller design or a smaller --image or --recipe-set dtype=bfloat16; --resume tries again,"
            " where more memory is free by then",
        ),
        (
            OUT_OF_MEMORY,
            {"dtype": "bfloat16", "shrink": "never"},
            "train anew with a smaller design or a smaller --image or --recipe-set shrink=auto; --resume tries again,"
            " where more memory is free by then",
        ),
    ],
)
def test_each_kind_of_failure_has_its_own_way_out(failure, knobs, help):
    (note,) = trained_notes([trained(failure=failure, recipe=dataclasses.replace(recipe("sprint"), **knobs))])
    assert note.message == f"a, seed 0: {failure}"
    assert note.help == help


def test_failures_and_what_else_has_to_be_known():
    notes = trained_notes([trained(failure=DIVERGED), trained(seed=1, notes=("resumed elsewhere",))])
    assert notes[0].message == f"a, seed 0: {DIVERGED}"
    assert notes[1].message == "a, seed 1: resumed elsewhere"
    (note,) = trained_notes([trained(notes=("smaller batches",)), trained("b", notes=("smaller batches",))])
    assert note.message == "smaller batches"


def test_durations():
    assert [duration(seconds) for seconds in (1.25, 75, 3675)] == ["1.2 s", "1 min 15 s", "1 h 01 min"]
