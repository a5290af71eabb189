"""Rows of trainings: one for each design and seed, kept while it trains, and what `convlab runs` makes of them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch

from convlab import load
from convlab.measurement.recording import Recorder
from convlab.runs import open_store
from convlab.runs.comparing import compare
from convlab.runs.records import conditions_of
from convlab.training.data.datasets import Dataset, Split
from convlab.training.keeping.trained import Point, Trained
from convlab.training.proxies.judging import Doubt
from convlab.training.proxies.overrides import Override
from convlab.training.recipes.named import recipe
from convlab.training.recording import TrainingRecorder, budget, recipe_label, run_settings, training_row
from convlab.views.runs import comparison_table, conditions_text, run_facts
from convlab.views.stored_comparisons import figures, stored_comparison
from convlab.views.stored_trainings import stored_training_table


def data():
    split = Split(torch.zeros(20, 1, 8, 8, dtype=torch.uint8), torch.zeros(20, dtype=torch.int64))
    return Dataset("tiny", ("a", "b"), 1, 8, 8, split, split, split, (0.5,), (0.5,), "abc", "generated")


def trained(seed=0, accuracy=0.5, **changes):
    design = load("convnext_atto", sets=["image.size=64"])
    curve = (Point(1, 128, 0.5, 2.0, 1.9, 0.25), Point(2, 256, 1.0, 1.5, 1.25, accuracy))
    told = {"validation_loss": 1.25, "validation_accuracy": accuracy, "steps": 2, "curve": curve}
    return Trained("atto", design, seed, **{"recipe": recipe("sprint")} | told | changes)


def row(found):
    return training_row(found, data=data(), device="cpu")


def test_a_row_says_all_of_a_training():
    found = row(
        trained(seed=3, accuracy=0.5, test_accuracy=0.4, checkpoint=Path("a/step-2"), cue_accuracy={"far": 0.1})
    )
    assert (found.kind, found.subject, found.median, found.unit, found.n) == ("training", "atto", 50.0, "%", 20)
    assert (found.image_height, found.device, found.low) == (64, "cpu", None)
    assert found.details["validation_loss"] == 1.25
    assert found.details["test_loss"] is None
    assert found.details["cue_accuracy"] == {"far": 0.1}
    assert [point["samples"] for point in found.details["curve"]] == [128, 256]
    assert "recipe sprint, tiny, 65,536 images, seed 3" in conditions_text(found)


def test_what_was_not_looked_at_is_no_figure():
    found = row(trained(accuracy=math.nan, curve=(), failure="diverged at step 2"))
    assert (found.median, found.n) == (None, None)
    assert found.details["failure"] == "diverged at step 2"


def test_images_count_though_nothing_was_looked_at_yet():
    assert row(trained(steps=18, curve=(), stopped=True)).details["samples"] == 18 * 128


def test_runs_of_trainings_are_compared_by_loss_and_accuracy():
    first, second = ({0: row(trained(0, 0.5, validation_loss=loss))} for loss in (1.0, 2.0))
    lines = compare([figures(first), figures(second)])
    assert [(line.kind, line.ratios[1].median) for line in lines] == [
        ("validation loss", 2.0),
        ("validation accuracy", 1.0),
    ]


def test_stored_trainings_are_the_comparison_that_they_were(store):
    with store.begin("training") as run:
        keep = TrainingRecorder(Recorder(run), data=data(), device="cpu")
        change = Override("image.size", 224, 64, "the data's images")
        doubt = Doubt("kernels", ("atto",), "their kernels differ", "train on larger images")
        for seed in (0, 1):
            for name, loss in (("atto", 1.0 + seed), ("pico", 2.0 + seed)):
                found = trained(seed, validation_loss=loss, test_accuracy=0.5)
                keep(dataclasses.replace(found, name=name), [change], [doubt] if name == "atto" else ())
        keep(trained(2, stopped=True))
    found = stored_comparison(store.rows("latest"))
    assert [record["name"] for record in found.ranking.records()] == ["atto", "pico"]
    assert [record["n"] for record in found.ranking.records()] == [2, 2]
    assert [record["path"] for record in found.changed.records()] == ["image.size"]
    assert found.doubts == (("kernels", "atto: their kernels differ; train on larger images"),)


def test_seeds_are_told_apart_when_runs_are_compared():
    first = {seed: row(trained(seed, 0.5)) for seed in (0, 1)}
    second = {seed: row(trained(seed, accuracy)) for seed, accuracy in ((1, 0.75), (0, 0.25))}
    lines = compare([first, second])
    assert [line.ratios[1].median for line in lines] == [0.5, 1.5]
    assert conditions_of(first[1])["seed"] == 1
    more = {0: row(trained(0, 0.5, recipe=recipe("sprint", sets=["learning_rate=0.01"])))}
    (line,) = compare([{0: first[0]}, more])
    assert [item.values for item in line.differences] == [("sprint", "sprint learning_rate=0.01")]


def test_seeds_belong_together_though_the_budget_differs():
    first = {seed: row(trained(seed, 0.5)) for seed in (0, 1)}
    longer = recipe("sprint", sets=["samples=131072"])
    second = {seed: row(trained(seed, 0.75, recipe=longer)) for seed in (0, 1)}
    lines = compare([first, second])
    assert [line.ratios[1].median for line in lines] == [1.5, 1.5]
    assert {item.name for item in lines[0].differences} == {"recipe", "budget"}


def test_a_label_says_what_is_turned():
    assert recipe_label(recipe("sprint", sets=["mixup=0.8", "evaluations=3", "seed=7"])) == "sprint mixup=0.8"
    assert budget(recipe("sprint"), data()) == 65_536


@pytest.mark.parametrize(("budgeted", "images"), [("epochs=2.5", 40), ("samples=70", 64), ("samples=1", 8)])
def test_a_budget_is_what_is_trained_in_whole_batches(budgeted, images):
    assert budget(recipe("sprint", sets=[budgeted, "batch=8"]), data()) == images


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "here.sqlite") as opened:
        yield opened


def test_a_training_under_way_takes_its_former_place(store):
    settings = run_settings(recipe("sprint"), data=data(), seeds=[0, 1], folder="here", weights="timm:convnext_atto")
    with store.begin("training", settings=settings) as run:
        keep = TrainingRecorder(Recorder(run), data=data(), device="cpu")
        keep(trained(0, 0.25))
        keep(trained(1, 0.5, test_accuracy=0.5))
        keep(trained(0, 0.75, stopped=True))
    rows = store.rows("latest")
    assert [(found.details["seed"], found.median) for found in rows.values()] == [(0, 75.0), (1, 50.0)]
    table = stored_training_table(rows)
    assert [record["state"] for record in table.records()] == ["stopped", ""]
    assert [cells[6].text for cells in table.rows] == ["▁█", "▁▅"]
    facts = dict(run_facts(store.run("latest"), {}))
    assert facts["settings.recipe"] == "sprint"
    assert facts["settings.weights"] == "timm:convnext_atto"
    assert not any("in_full" in name for name in facts)
    (text,) = {cells[1].text for cells in comparison_table(compare([rows, rows]), [store.run("latest")] * 2).rows[:1]}
    assert text == "atto, seed 0"
