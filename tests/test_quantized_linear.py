"""The quantised linear rule in a space: the networks that its parameters give, each once; tests/test_rules.py is about the rule."""

from itertools import product

import pytest
from spaces import preset, varied

from convlab import profile, turn
from convlab.language.rules import PARAMETERS, fitted, regnet
from convlab.spaces import quantized_linear as module
from convlab.spaces.domains import Objection
from convlab.spaces.quantized_linear import quantized_linear


def test_the_networks_of_a_range_of_parameters_are_those_of_each():
    table = {
        "initial": [8, 16, 24],
        "slope": {"low": 0, "high": 40, "step": 8},
        "multiplier": [1.5, 2.0, 2.5],
        "depth": [5, 7, 12],
    }
    tried = product(table["initial"], range(0, 41, 8), table["multiplier"], table["depth"])
    rows = {(*widths, *depths) for widths, depths in (regnet(*one) for one in tried) if len(widths) == 4}
    found = quantized_linear(table, (1, 1, 1, 1))
    assert len(found.rows) == len(set(found.rows)) == found.size
    assert set(found.rows) == rows
    assert found.paths == (
        *(f"stages.{index}.width" for index in range(4)),
        *(f"stages.{index}.depth" for index in range(4)),
    )
    for row in found.rows:
        assert list(row[:4]) == sorted(set(row[:4]))
        assert all(width % 8 == 0 for width in row[:4])


def test_widths_are_fitted_to_every_group_width():
    table = {
        "initial": [8, 24],
        "slope": {"low": 8, "high": 40, "step": 8},
        "multiplier": [2.0, 2.5],
        "depth": [12, 13],
        "group_width": [8, 16, 24],
        "expansion_ratio": [1.0, 0.5],
    }
    tried = product([8, 24], range(8, 41, 8), [2.0, 2.5], [12, 13], [8, 16, 24], [1.0, 0.5])
    rows = set()
    for initial, slope, multiplier, depth, group_width, ratio in tried:
        widths, depths = regnet(initial, slope, multiplier, depth)
        if len(widths) == 4:
            widths, groups = fitted(widths, group_width, ratio)
            rows.add((*widths, *depths, *groups, *[ratio] * 4))
    found = quantized_linear(table, (1, 1, 1, 1))
    assert set(found.rows) == rows
    assert len(found.rows) == len(rows) > 50
    names = ("width", "depth", "block.group_width", "block.expansion_ratio")
    assert found.paths == tuple(f"stages.{index}.{name}" for name in names for index in range(4))


def test_the_space_of_regnets_holds_what_the_rule_of_a_design_says():
    space = preset("spaces/regnet_x")
    rule = {"initial": 24, "slope": 24.0, "multiplier": 2.5, "depth": 22, "group_width": 16}
    design = turn(space.base, "widths", {"quantized_linear": rule})
    member = space[space.index(design)]
    assert member == design
    assert (member.widths, member.depths) == ((32, 64, 160, 384), (1, 2, 6, 13))
    assert not profile(member).adjustments


def test_too_many_networks_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MAXIMUM_ROWS", 7)
    table = {"initial": [24], "slope": [24.48], "multiplier": [2.54], "group_width": list(range(1, 9))}
    found = quantized_linear(table, (1, 2, 7, 12))
    assert (found.refused.code, "7 networks" in found.refused.message) == ("bad-space", True)


def test_without_a_depth_it_is_the_bases():
    found = quantized_linear({"initial": [24], "slope": [24.48], "multiplier": [2.54]}, (1, 2, 7, 12))
    assert found.rows == ((24, 64, 152, 392, 1, 2, 7, 12),)


def test_members_of_a_space_have_the_rules_widths_and_depths(tmp_path):
    rule = {
        "initial": [8, 16],
        "slope": {"low": 4.0, "high": 24.0, "step": 4.0},
        "multiplier": [1.5, 2.0],
        "depth": [4, 6],
    }
    space = varied(tmp_path, {"widths": {"quantized_linear": rule}})
    rows = {
        (*widths, *depths)
        for widths, depths in (regnet(*one) for one in product([8, 16], range(4, 25, 4), [1.5, 2.0], [4, 6]))
        if len(widths) == 2
    }
    assert {(*design.widths, *design.depths) for design in space} == rows
    assert space.size == len(rows) > 3


def test_networks_wider_than_the_language_knows_are_left_out():
    table = {"initial": [4096], "slope": [4096.0], "multiplier": [8.0], "depth": [3, 100]}
    assert regnet(4096, 4096.0, 8.0, 100) == ((4096, 32768, 262144), (2, 20, 78))
    assert quantized_linear(table, (1, 1)).rows == ((4096, 32768, 2, 1),)
    assert quantized_linear(table, (1, 1, 1)).refused.code == "empty-space"


@pytest.mark.parametrize(
    ("table", "code", "at"),
    [
        (3, "wrong-type", ()),
        ({}, "missing-key", ()),
        ({"initial": [24], "slope": [36.0], "multiplier": [2.5], "width": [3]}, "unknown-key", ("width",)),
        ({"initial": [24], "slope": [36.0], "multiplier": [1.0]}, "out-of-range", ("multiplier", 0)),
        ({"initial": [24], "slope": {"low": 1}, "multiplier": [2.0]}, "missing-key", ("slope",)),
        ({"initial": [24], "slope": [0], "multiplier": [2.0]}, "empty-space", ()),
    ],
)
def test_what_is_no_rule_is_refused_at_its_place(table, code, at):
    found = quantized_linear(table, (3, 3, 9, 3))
    assert isinstance(found, Objection)
    assert (found.refused.code, found.at) == (code, at)
    assert found.refused.help or found.refused.label


def test_every_parameter_says_what_it_is():
    assert all(knob.help and knob.low is not None and knob.high is not None for knob in PARAMETERS.values())
