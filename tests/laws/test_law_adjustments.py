"""Law: a width that was rounded is told, with what was asked and given, and nothing else is; a resolved design is a fixed point."""

from fractions import Fraction

import pytest
from designs import PRESETS, SWEEP, design_of, designs, preset, swept
from hypothesis import given
from hypothesis import strategies as st

from convlab import load, profile
from convlab.language.writing import text_in_full
from convlab.layers import Convolution, Depthwise, Pointwise


def check(design, folder):
    costs = profile(design)
    for item in costs.adjustments:
        assert item.asked != item.given
        assert item.given == int(item.given) >= 1
        assert item.path.startswith("stages.")
    (folder / "resolved.toml").write_text(text_in_full(design), encoding="utf-8")
    again = load(folder / "resolved.toml")
    assert again == design
    assert again.key == design.key
    assert profile(again).adjustments == costs.adjustments


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name, tmp_path):
    check(swept(name), tmp_path)


@given(design=designs())
def test_random_designs(design, tmp_path_factory):
    check(design, tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_round_nothing(name):
    assert profile(preset(name)).adjustments == ()


def hidden_width(design):
    """The width that goes into the last convolution of the first block."""
    rows = [row for row in profile(design).rows if row.path.startswith("stages.0.blocks.0.")]
    return [row for row in rows if isinstance(row.layer, Convolution | Depthwise | Pointwise)][-1].input.channels


@given(
    width=st.integers(1, 12).map(lambda eighths: 8 * eighths),
    percent=st.integers(10, 600),
    group_width=st.sampled_from((0, 1, 2, 8)),
)
def test_told_exactly_where_the_hidden_width_is_not_the_product(width, percent, group_width):
    block = {"kind": "bottleneck", "expansion_ratio": percent / 100, "group_width": group_width, "groups": 1}
    design = design_of({"depths": [1], "widths": [width], "block": block})
    asked, given_width = Fraction(percent, 100) * width, hidden_width(design)
    told = [(item.path, item.given) for item in profile(design).adjustments if abs(item.asked - item.given) > 1e-9]
    assert told == ([("stages.0.block.expansion_ratio", given_width)] if asked != given_width else [])
    unit = max(1, group_width)
    assert given_width % unit == 0
    assert abs(given_width - asked) <= Fraction(unit, 2) or given_width == unit


@given(factor=st.integers(1, 400))
def test_custom_widths(factor):
    block = {"kind": "custom", "branch": [f"pointwise({factor / 100}x)", "activation", "pointwise(1x)"]}
    design = design_of({"depths": [1], "widths": [24], "block": block})
    asked, given_width = Fraction(factor * 24, 100), hidden_width(design)
    told = [(item.path, item.given) for item in profile(design).adjustments if abs(item.asked - item.given) > 1e-9]
    assert told == ([("stages.0.block.branch.0", given_width)] if asked != given_width else [])


def test_a_width_rounded_to_its_group_width():
    design = load("resnet50", sets=["block.group_width=48"])
    assert [(item.path, item.asked, item.given) for item in profile(design).adjustments] == [
        ("stages.0.block.expansion_ratio", 64.0, 48),
        ("stages.1.block.expansion_ratio", 128.0, 144),
        ("stages.2.block.expansion_ratio", 256.0, 240),
        ("stages.3.block.expansion_ratio", 512.0, 528),
    ]


@given(width=st.integers(1, 12).map(lambda eighths: 8 * eighths), percent=st.integers(1, 100))
def test_a_rounded_squeeze_is_told(width, percent):
    block = {"kind": "bottleneck", "expansion_ratio": 1, "squeeze_ratio": percent / 100}
    design = design_of({"depths": [1], "widths": [width], "block": block})
    squeezed = next(row for row in profile(design).rows if row.path.endswith("se.fc1")).output.channels
    told = [(item.path, item.given) for item in profile(design).adjustments if abs(item.asked - item.given) > 1e-9]
    assert told == ([("stages.0.block.squeeze_ratio", squeezed)] if Fraction(percent, 100) * width != squeezed else [])
