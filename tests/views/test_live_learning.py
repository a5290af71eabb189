"""Curves of running jobs and rates of finished ones as plain data."""

import math

from convlab.views.live_learning import JobCurves, best, live_curves, live_series, outcome, rates

CURVES = {("a", 0): ((10, 2.0, math.nan), (20, 1.5, 0.25), (30, math.nan, math.nan), (40, 1.0, 0.5))}


def test_accuracy_is_where_somebody_looked():
    (series,) = live_series(CURVES, "accuracy")
    assert (series.name, series.seeds, series.unit) == ("a", (0,), "%")
    assert list(zip(series.samples, series.values, strict=True)) == [(20, 25.0), (40, 50.0)]
    assert best(series) == 50.0


def test_a_loss_that_is_no_number_is_a_gap():
    (series,) = live_series(CURVES, "loss")
    assert series.values == (2.0, 1.5, None, 1.0)
    assert best(series) == 1.0
    assert best(live_series({("a", 0): ()}, "loss")[0]) is None


def test_rates_of_a_benchmark():
    speed = {"median": 31.2, "low": 30.0, "high": 33.0}
    rows = [
        {
            "subject": "a",
            "dtype": "float32",
            "batch": 8,
            "images_per_second": speed,
        },
        {"subject": "b", "images_per_second": None, "failure": "out of memory"},
    ]
    one, other = rates({"benchmarks": [{"conditions": {"task": "inference", "device": "cpu"}, "rows": rows}]})
    assert (one.median, one.conditions) == (31.2, "inference, cpu, float32, batch 8")
    assert (other.median, other.failure) == (None, "out of memory")
    assert rates({}) == ()
    assert outcome({"benchmarks": [{"conditions": {}, "rows": rows}]}) == "a 31.2 img/s"


def test_what_came_of_trainings():
    def trained(name, seed, share):
        return {"name": name, "seed": seed, "test_accuracy": share}

    smaller = {"a": [{"path": "head.classes"}, {"path": "depths"}]}
    assert outcome({"trained": [trained("a", 0, 0.5)], "overrides": smaller}) == "a 50.0 % test accuracy, as a proxy"
    both = {"trained": [trained("a", 0, 0.5), trained("b", 1, 0.25), trained("b", 2, None)], "overrides": {"a": []}}
    assert outcome(both) == "a, seed 0 50.0 %, b, seed 1 25.0 % test accuracy; 1 of 3 without one"
    assert outcome(both, "stopped").startswith("stopped; a, seed 0 50.0 %, b")
    assert [outcome({"trained": []}), outcome({}, "stopped")] == ["done", "stopped"]


def test_trainings_of_one_design_are_told_apart_by_their_jobs():
    points = ((1.0, 2.0, math.nan),)
    first = JobCurves(
        {("a", 0): points, ("b", 0): points}, "r1", {"trained": [{"name": "a", "seed": 0, "test_accuracy": 0.5}]}
    )
    found = live_curves([first, JobCurves({("a", 0): points}, "r2"), JobCurves({("a", 0): points})])
    assert [each.name for each in found] == ["a, seed 0, r1", "b, seed 0", "a, seed 0, r2", "a, seed 0"]
    assert [each.test for each in found] == [50.0, None, None, None]
