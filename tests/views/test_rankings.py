"""Rankings as tables: places, intervals, ties and costs, and what one seed cannot say."""

from __future__ import annotations

import json
import math

from convlab import load, profile
from convlab.training.keeping.trained import Trained
from convlab.training.recipes.recipe import Recipe
from convlab.training.verdicts.ranking import Score, ranked
from convlab.views.rankings import interval_text, plain_ranking, ranking_table

LOSSES = {"good": (0.50, 0.52, 0.51), "alike": (0.51, 0.52, 0.52), "bad": (0.90, 0.92, 0.91)}


def trained(name, seed, loss=1.0, **changes):
    told = {
        "validation_loss": loss,
        "validation_accuracy": 1 - loss / 2,
        "test_accuracy": 0.7,
        "images_per_second": 100.0,
    }
    return Trained(name, load("convnext_atto"), seed, Recipe(), **told | changes)


def everything(seeds=3):
    return [trained(name, seed, loss) for name, losses in LOSSES.items() for seed, loss in enumerate(losses[:seeds])]


def scores(found):
    return [Score(each.name, each.seed, each.validation_loss, each.validation_accuracy) for each in found]


def table(found, **changes):
    return ranking_table(ranked(scores(found), **changes), found)


def texts(found, column):
    place = [each.name for each in found.columns].index(column)
    return [row[place].text for row in found.rows]


def test_designs_by_loss_with_intervals_and_ties():
    found = table(everything())
    assert texts(found, "name") == ["good", "alike", "bad"]
    assert texts(found, "ties") == ["a", "a", "b"]
    assert texts(found, "loss")[2].startswith("0.910 ± 0.0")
    assert texts(found, "accuracy")[0].startswith("74.50 ± ")
    assert texts(found, "behind")[0] == "best"
    assert texts(found, "behind")[2].startswith("+0.400 (+0.")
    assert texts(found, "n") == ["3", "3", "3"]
    assert texts(found, "test_accuracy") == ["70.00"] * 3
    assert texts(found, "images_per_second") == ["100"] * 3
    assert found.records()[0]["params"] == profile(load("convnext_atto")).params


def test_one_seed_has_neither_intervals_nor_ties():
    found = table(everything(1))
    assert texts(found, "loss") == ["0.500", "0.510", "0.900"]
    assert texts(found, "behind") == ["best", "+0.010", "+0.400"]
    assert "ties" not in [column.name for column in found.columns]


def test_intervals_of_accuracy_end_at_0_and_100_and_are_explained():
    losses = {"a": (1.9, 1.0), "b": (1.0, 1.2)}
    found = [trained(name, seed, loss) for name, some in losses.items() for seed, loss in enumerate(some)]
    assert texts(table(found), "accuracy")[0].endswith(" to 100.00)")
    assert texts(table(found), "accuracy")[1].startswith("27.50 (0.00 to ")
    text = interval_text(ranked(scores(found)))
    assert text.startswith("± is how far another seed may move a design alone; rank and ties")
    assert interval_text(ranked(scores(everything(1)))) == ""


def test_one_design_is_ahead_of_nobody():
    found = table(everything(1)[:1])
    assert "behind" not in [column.name for column in found.columns]
    several = table([each for each in everything() if each.name == "good"])
    assert "ties" not in [column.name for column in several.columns]


def test_what_has_no_place_is_not_among_those_that_have():
    found = table([*everything(), trained("ill", 0, math.nan, failure="diverged at step 3")])
    assert texts(found, "name") == ["good", "alike", "bad"]
    assert table([trained("ill", 0, math.nan)]) is None


def test_a_design_between_two_groups_of_ties_has_the_letters_of_both():
    losses = {"a": (1.0, 1.01, 1.03), "b": (1.02, 1.01, 1.05), "c": (1.05, 1.03, 1.06)}
    found = table([trained(name, seed, loss) for name, some in losses.items() for seed, loss in enumerate(some)])
    assert texts(found, "ties") == ["a", "ab", "b"]
    assert found.records()[1]["ties"] == [1, 2]


def test_json_has_no_numbers_that_are_not_finite():
    for seeds in (1, 3):
        plain = plain_ranking(ranked(scores(everything(seeds))))
        json.dumps(plain, allow_nan=False)
    assert plain["groups"] == [["good", "alike"], ["bad"]]
    assert [pair["differs"] for pair in plain["pairs"]] == [False, True, True]
