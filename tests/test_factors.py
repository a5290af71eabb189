"""Factors: every way has a number, every number a way, and there are as many as brute force finds."""

import math
import random
from itertools import combinations, combinations_with_replacement, product

import pytest

from convlab.spaces.factors import ORDERS, Choice, Joint, Monotone

PATHS = tuple(f"stages.{index}.depth" for index in range(6))


def ways(factor):
    return [factor.values(number) for number in range(factor.size)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("choices", range(1, 6))
@pytest.mark.parametrize("count", range(1, 6))
def test_monotone_is_what_brute_force_finds(order, choices, count):
    strict, falling = ORDERS[order]
    values = tuple(10 * choice for choice in range(choices))
    factor = Monotone(PATHS[:count], values, strict, falling)
    holds = {
        "nondecreasing": lambda one, other: one <= other,
        "increasing": lambda one, other: one < other,
        "nonincreasing": lambda one, other: one >= other,
        "decreasing": lambda one, other: one > other,
    }[order]
    expected = {row for row in product(values, repeat=count) if all(map(holds, row, row[1:]))}
    assert len(ways(factor)) == len(set(ways(factor))) == len(expected)
    assert set(ways(factor)) == expected
    assert [factor.number(row) for row in ways(factor)] == list(range(factor.size))
    for row in set(product(values, repeat=count)) - expected:
        with pytest.raises(ValueError):  # noqa: PT011 - the contract of Factor.number
            factor.number(row)


def test_rising_ways_are_in_the_order_of_itertools():
    assert ways(Monotone(PATHS[:3], (1, 2, 3, 4), False, False)) == list(combinations_with_replacement((1, 2, 3, 4), 3))
    assert ways(Monotone(PATHS[:3], (1, 2, 3, 4), True, False)) == list(combinations((1, 2, 3, 4), 3))


@pytest.mark.parametrize("order", ORDERS)
def test_monotone_of_a_million_choices(order):
    strict, falling = ORDERS[order]
    factor = Monotone(PATHS, tuple(range(1_000_000)), strict, falling)
    assert factor.size == math.comb(1_000_000 if strict else 1_000_005, 6)
    draw = random.Random(order)
    for number in [0, factor.size - 1, *(draw.randrange(factor.size) for _ in range(20))]:
        row = factor.values(number)
        assert list(row) == sorted(row, reverse=falling)
        assert not strict or len(set(row)) == 6
        assert factor.number(row) == number


def test_a_choice_is_the_same_at_every_path():
    factor = Choice(PATHS[:3], (3, 9, 5))
    assert ways(factor) == [(3, 3, 3), (9, 9, 9), (5, 5, 5)]
    assert [factor.number(row) for row in ways(factor)] == [0, 1, 2]
    for row in ((3, 3, 9), (4, 4, 4), ((3, 3),) * 3):
        with pytest.raises(ValueError):  # noqa: PT011 - the contract of Factor.number
            factor.number(row)


def test_joint_rows_are_taken_as_they_are():
    factor = Joint(PATHS[:2], ((3, 9), (9, 3), (3, 3)))
    assert ways(factor) == [(3, 9), (9, 3), (3, 3)]
    assert [factor.number(row) for row in ways(factor)] == [0, 1, 2]
    with pytest.raises(ValueError):  # noqa: PT011 - the contract of Factor.number
        factor.number((9, 9))
