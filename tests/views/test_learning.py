"""Learning curves: series by seed and averaged, and the line of text that draws them."""

from __future__ import annotations

import math

from convlab import load
from convlab.training.keeping.trained import Point, Trained
from convlab.training.recipes.recipe import Recipe
from convlab.views.learning import GAP, curve_table, learning_curves, mean_curves, span, sparkline


def trained(name, seed, accuracies, losses=None):
    losses = losses or [1.0] * len(accuracies)
    pairs = zip(accuracies, losses, strict=True)
    curve = tuple(
        Point(10 * n, 1280 * n, float(n), 2.0, loss, accuracy) for n, (accuracy, loss) in enumerate(pairs, start=1)
    )
    return Trained(name, load("convnext_atto"), seed, Recipe(), curve)


def test_a_series_for_each_design_and_seed():
    found = learning_curves([trained("a", 0, [0.1, 0.5]), trained("a", 1, [0.3, 0.7])])
    assert [(each.name, each.seeds, each.values) for each in found] == [("a", (0,), (10, 50)), ("a", (1,), (30, 70))]
    assert found[0].samples == (1280, 2560)
    assert found[0].unit == "%"
    (loss,) = learning_curves([trained("a", 0, [0.1], [2.5])], "validation_loss")
    assert (loss.values, loss.unit) == ((2.5,), "nats")


def test_a_mean_is_of_the_seeds_that_came_furthest():
    seeds = [trained("a", 0, [0.0, 0.5, 0.9]), trained("a", 1, [0.2, 0.7, 0.7])]
    cut = [trained("a", 2, [0.2, 0.7]), trained("a", 3, [])]
    found = mean_curves([*seeds, trained("b", 0, [0.2]), *cut, trained("c", 0, [])])
    assert [(each.name, each.seeds, each.values) for each in found] == [
        ("a", (0, 1), (10, 60, 80)),
        ("b", (0,), (20,)),
        ("c", (0,), ()),
    ]


def test_the_images_that_a_curve_ends_with_stand_beside_it():
    table = curve_table([trained("a", 0, [0.0, 0.5]), trained("b", 0, [0.5]), trained("c", 0, [])])
    assert [row[2].text for row in table.rows] == ["2,560", "1,280", "-"]


def test_what_is_not_finite_is_a_gap():
    (curve,) = mean_curves([trained("a", 0, [0.1, 0.9], [1.0, math.nan])], "validation_loss")
    assert curve.values == (1.0, None)
    assert sparkline(curve.values, 0.0, 1.0) == "█" + GAP
    assert span([curve]) == (1.0, 1.0)
    assert span([]) == (0.0, 1.0)


def test_heights_share_a_scale():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 0, 7) == "▁▂▃▄▅▆▇█"
    assert sparkline([-5, 100], 0, 7) == "▁█"
    table = curve_table([trained("a", 0, [0.0, 0.5]), trained("b", 0, [0.5, 1.0])])
    first, second = table.records()
    assert [row[3].text for row in table.rows] == ["▁▅", "▅█"]
    assert (first["first"], first["last"], second["last"]) == (0, 50, 100)


def test_one_look_is_no_curve():
    assert curve_table([trained("a", 0, [0.5])]) is None
