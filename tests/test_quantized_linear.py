"""The quantised linear rule gives the published RegNets; timm's own code is the oracle."""

from collections import Counter
from itertools import product

import pytest
from spaces import varied

from convlab.spaces.domains import Objection
from convlab.spaces.quantized_linear import PARAMETERS, quantized_linear, regnet

regnets = pytest.importorskip("timm.models.regnet")

PUBLISHED = {
    "regnetx_002": ((24, 56, 152, 368), (1, 1, 4, 7)),
    "regnetx_004": ((32, 64, 160, 384), (1, 2, 7, 12)),
    "regnetx_032": ((96, 192, 432, 1008), (2, 6, 15, 2)),
    "regnetx_320": ((336, 672, 1344, 2520), (2, 7, 13, 1)),
    "regnety_004": ((48, 104, 208, 440), (1, 3, 6, 6)),
    "regnety_040": ((128, 192, 512, 1088), (2, 6, 12, 2)),
    "regnety_160": ((224, 448, 1232, 3024), (2, 4, 11, 1)),
}
"""Widths and depths as the paper prints them (arXiv:2003.13678, figures 16 and 17): the rule's, fitted to the group width."""


@pytest.mark.parametrize("name", regnets.model_cfgs)
def test_the_rule_is_timms(name):
    config = regnets.model_cfgs[name]
    blocks, stages, _ = regnets.generate_regnet(config.wa, config.w0, config.wm, config.depth, config.group_size)
    counts = Counter(blocks)
    widths, depths = regnet(config.w0, config.wa, config.wm, config.depth)
    assert len(widths) == stages
    assert dict(zip(widths, depths, strict=True)) == counts


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_rule_gives_the_published_networks(name):
    config = regnets.model_cfgs[name]
    widths, depths = regnet(config.w0, config.wa, config.wm, config.depth)
    fitted, _ = regnets.adjust_widths_groups_comp(list(widths), [1.0] * 4, [config.group_size] * 4)
    assert (tuple(fitted), depths) == PUBLISHED[name]


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
