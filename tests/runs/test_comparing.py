"""Rows side by side: what belongs together is found, what differs is told, and a ratio carries an honest interval."""

from __future__ import annotations

import pytest

from convlab.runs import ResolvedDesign
from convlab.runs.comparing import compare, differing, ratio
from convlab.runs.records import CONDITIONS, FURTHER_CONDITIONS, Row


def step(median=1.0, low=None, high=None, **changes):
    return Row(
        **{"kind": "step", "subject": "a", "unit": "s", "batch": 32} | changes, median=median, low=low, high=high
    )


def differences(line):
    return {item.name: item.values for item in line.differences}


def test_a_ratio_has_the_interval_that_both_allow():
    found = ratio(step(3.0, 2.0, 4.0), step(1.5, 1.0, 2.0))
    assert found == (2.0, 1.0, 4.0)
    assert ratio(step(3.0), step(1.5, 1.0, 2.0)) == (2.0, None, None)
    assert ratio(step(3.0, 2.0, 4.0), step(1.5)) == (2.0, None, None)
    for wrong in (None, step(None), step(0.0), step(-1.0)):
        assert ratio(step(), wrong) is None
    assert ratio(None, step()) is None


def test_equal_rows_are_side_by_side_wherever_they_stand():
    first = {0: step(1.0, batch=32), 1: step(2.0, batch=64), 2: step(4.0, subject="b")}
    second = {0: step(8.0, subject="b"), 5: step(4.0, batch=64), 7: step(2.0, batch=32)}
    lines = compare([first, second])
    assert [(line.first.subject, line.first.batch, line.ratios[1].median) for line in lines] == [
        ("a", 32, 2.0),
        ("a", 64, 2.0),
        ("b", 32, 2.0),
    ]
    assert all(line.differences == () for line in lines)
    assert all(line.ratios[0].median == 1.0 for line in lines)


@pytest.mark.parametrize(
    ("name", "value"), [(name, 7 if name in ("batch", "threads") or "image" in name else "x") for name in CONDITIONS]
)
def test_what_differs_in_the_conditions_is_told(name, value):
    (line,) = compare([{0: step()}, {0: step(2.0, **{name: value})}])
    assert list(differences(line)) == [name]
    assert differences(line)[name][1] == value


@pytest.mark.parametrize("name", FURTHER_CONDITIONS)
def test_conditions_among_the_details_are_conditions(name):
    (line,) = compare([{0: step(details={name: False})}, {0: step(details={name: True})}])
    assert differences(line) == {name: (False, True)}
    first, second = (
        {0: step(number, details={name: False}), 1: step(number, details={name: True})} for number in (1.0, 2.0)
    )
    lines = compare([first, dict(enumerate(reversed(second.values())))])
    assert [(line.differences, line.ratios[1].median) for line in lines] == [((), 2.0)] * 2


def test_layers_are_compared_with_themselves():
    first = {number: step(details={"path": path}) for number, path in enumerate(("stem.0", "head.fc"))}
    second = {number: step(3.0, details={"path": path}) for number, path in enumerate(("head.fc", "norm_pre"))}
    pairs = [tuple(row and row.details["path"] for row in line.rows) for line in compare([first, second])]
    assert pairs == [("stem.0", None), ("head.fc", "head.fc"), (None, "norm_pre")]


def test_another_network_is_told():
    (line,) = compare([{0: step()}, {0: step(subject="b")}])
    assert differences(line) == {"subject": ("a", "b")}
    one, other = (ResolvedDesign(key, f"depths = {key}") for key in "12")
    (line,) = compare([{0: step(design=one)}, {0: step(design=other)}])
    assert differences(line) == {"design": ("1", "2")}


def test_where_a_match_would_be_a_guess_there_is_none():
    first = {0: step(batch=1), 1: step(batch=2)}
    second = {0: step(batch=4), 1: step(batch=8)}
    lines = compare([first, second])
    assert [(line.rows[0] is None, line.rows[1] is None) for line in lines] == [(False, True)] * 2 + [(True, False)] * 2
    assert all(line.ratios[1] is None for line in lines)


@pytest.mark.parametrize("changes", [{"kind": "latency"}, {"unit": "B"}])
def test_figures_of_another_kind_are_never_compared(changes):
    lines = compare([{0: step()}, {0: step(**changes)}])
    assert len(lines) == 2
    assert all(line.ratios == (None, None) or line.ratios[1] is None for line in lines)


def test_three_runs():
    lines = compare([{0: step(1.0)}, {}, {0: step(3.0), 1: step(subject="c", kind="memory")}])
    assert [[row and row.median for row in line.rows] for line in lines] == [[1.0, None, 3.0], [None, None, 1.0]]
    assert lines[0].ratios[2].median == 3.0


def test_environments_differ_by_paths():
    first = {"gpu": {"name": "x", "clock": 1}, "threads": 2}
    second = {"gpu": {"name": "y", "clock": 1}, "python": "3"}
    assert differing([first, second]) == (("gpu.name", ("x", "y")), ("threads", (2, None)), ("python", (None, "3")))
    assert differing([first, first]) == ()
