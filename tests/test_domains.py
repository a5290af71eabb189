"""Domains: lists and ranges as the values that a knob takes."""

import pytest

from convlab.language.blocks import Block
from convlab.language.design import Image, Stage
from convlab.language.knobs import knobs_of
from convlab.spaces.domains import Objection, domain

DEPTH, WIDTH = knobs_of(Stage)["depth"], knobs_of(Stage)["width"]
RATIO, SCALE, NORM_AFTER = (knobs_of(Block)[name] for name in ("expansion_ratio", "layer_scale", "norm_after"))


@pytest.mark.parametrize(
    ("knob", "written", "values"),
    [
        (DEPTH, [9, 3, 27], (9, 3, 27)),
        (RATIO, [1, 2.5], (1.0, 2.5)),
        (NORM_AFTER, [["project", "expand"], []], (("expand", "project"), ())),
        (knobs_of(Image)["size"], [224, [224, 160], [64, 64]], (224, (224, 160), 64)),
        (knobs_of(Block)["groups"], [1, "depthwise"], (1, "depthwise")),
        (DEPTH, {"low": 3, "high": 27, "step": 3}, (3, 6, 9, 12, 15, 18, 21, 24, 27)),
        (DEPTH, {"low": 3, "high": 28, "step": 5, "scale": "linear"}, (3, 8, 13, 18, 23, 28)),
        (DEPTH, {"low": 3, "high": 7, "step": 5}, (3,)),
        (DEPTH, {"low": 3, "high": 3, "step": 1}, (3,)),
        (RATIO, {"low": 0.1, "high": 0.7, "step": 0.1}, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
        (RATIO, {"low": 1, "high": 3, "step": 1}, (1.0, 2.0, 3.0)),
        (RATIO, {"low": 1.5, "high": 3.0, "step": 0.4}, (1.5, 1.9, 2.3, 2.7)),
        (WIDTH, {"low": 8, "high": 100, "scale": "power_of_two"}, (8, 16, 32, 64)),
        (WIDTH, {"low": 1, "high": 1, "scale": "power_of_two"}, (1,)),
        (RATIO, {"low": 0.3, "high": 4.1, "scale": "power_of_two"}, (1.0, 2.0, 4.0)),
        (WIDTH, {"low": 16, "high": 512, "count": 6, "scale": "log"}, (16, 32, 64, 128, 256, 512)),
        (WIDTH, {"low": 1, "high": 4, "count": 9, "scale": "log"}, (1, 2, 3, 4)),
        (WIDTH, {"low": 7, "high": 900, "count": 1, "scale": "log"}, (7,)),
        (SCALE, {"low": 1e-6, "high": 1, "count": 3, "scale": "log"}, (1e-6, 1e-3, 1.0)),
    ],
)  # fmt: skip
def test_the_values_of_a_domain(knob, written, values):
    found = domain(knob, written)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize("count", [2, 3, 7, 100, 1000])
def test_a_logarithmic_range_ends_where_it_says(count):
    found = domain(SCALE, {"low": 1e-6, "high": 0.7, "count": count, "scale": "log"})
    assert (len(found), found[0], found[-1]) == (count, 1e-6, 0.7)
    assert list(found) == sorted(found)


@pytest.mark.parametrize("count", [1, 10, 1000, 100_000])
def test_a_range_of_fractions_has_as_many_values_as_it_says(count):
    found = domain(RATIO, {"low": 0.5, "high": 0.5 + (count - 1) * 0.0001, "step": 0.0001})
    assert len(found) == len(set(found)) == count
    assert all(len(str(value)) <= 8 for value in found)


@pytest.mark.parametrize(
    ("written", "code", "at"),
    [
        (3, "bad-space", ()),
        ("3", "bad-space", ()),
        ([], "empty-space", ()),
        ([3, 3], "bad-space", (1,)),
        ([3, 3.0], "wrong-type", (1,)),
        ([3, True], "wrong-type", (1,)),
        ([3, [3]], "wrong-type", (1,)),
        ([3, 0], "out-of-range", (1,)),
        ({}, "missing-key", ()),
        ({"low": 3, "high": 9}, "missing-key", ()),
        ({"low": 3, "high": 9, "step": 3, "count": 3}, "unknown-key", ("count",)),
        ({"low": 3, "high": 9, "step": 3, "scale": "logarithmic"}, "bad-space", ("scale",)),
        ({"low": 3, "high": 9, "step": 3, "scale": ["log"]}, "bad-space", ("scale",)),
        ({"low": 3, "high": True, "step": 3}, "wrong-type", ("high",)),
        ({"low": 3, "high": float("inf"), "step": 3}, "wrong-type", ("high",)),
        ({"low": 3, "high": 10**400, "step": 3}, "wrong-type", ("high",)),
        ({"low": float("nan"), "high": 9, "scale": "power_of_two"}, "wrong-type", ("low",)),
        ({"low": 3, "high": 2, "step": 1}, "empty-space", ("high",)),
        ({"low": 3, "high": 4, "step": 0}, "empty-space", ("step",)),
        ({"low": 3, "high": 4, "step": -1}, "empty-space", ("step",)),
        ({"low": 3, "high": 4, "step": 0.5}, "wrong-type", ("step",)),
        ({"low": 0, "high": 9, "count": 3, "scale": "log"}, "empty-space", ("low",)),
        ({"low": 1, "high": 9, "count": 0, "scale": "log"}, "wrong-type", ("count",)),
        ({"low": 1, "high": 9, "count": 1.5, "scale": "log"}, "wrong-type", ("count",)),
        ({"low": 1, "high": 9, "count": 10**9, "scale": "log"}, "bad-space", ()),
        ({"low": 1, "high": 9, "count": 3, "step": 2, "scale": "log"}, "unknown-key", ("step",)),
        ({"low": 5, "high": 7, "scale": "power_of_two"}, "empty-space", ()),
        ({"low": 1, "high": 10**9, "step": 1}, "bad-space", ()),
        ({"low": 1, "high": 20_000, "step": 1}, "out-of-range", (10_000,)),
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused_at_its_place(written, code, at):
    found = domain(DEPTH, written)
    assert isinstance(found, Objection)
    assert (found.refused.code, found.at) == (code, at)
    assert found.refused.label or found.refused.help
