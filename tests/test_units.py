"""Figures as people read them."""

import pytest

from convlab import units


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.000 k"),
        (28_589_128, "28.59 M"),
        (4_455_531_264, "4.456 G"),
        (2_350_000_000, "2.350 G"),
        (10**18, "1,000,000 T"),
    ],
)
def test_count(number, text):
    assert units.count(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (1536, "1.500 KiB"), (13_848_576, "13.21 MiB"), (2**40, "1.000 TiB")]
)
def test_size(number, text):
    assert units.size(number) == text


@pytest.mark.parametrize(("ratio", "text"), [(0.031, "+3.1 %"), (-0.5, "-50.0 %"), (0, "+0.0 %")])
def test_percent(ratio, text):
    assert units.percent(ratio) == text
