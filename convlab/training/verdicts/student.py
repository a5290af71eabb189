"""Student's t distribution, and the largest of several normal numbers: what tests and intervals of a few seeds need."""

from __future__ import annotations

import math
from functools import cache

_STEPS = 200
"""Steps of halving, and terms of the fraction: both come to the last digit in fewer."""


def two_sided(t: float, freedom: float) -> float:
    """The probability that |T| exceeds |t|, with so many degrees of freedom."""
    if not math.isfinite(t):
        return math.nan if math.isnan(t) else 0.0
    return _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


@cache
def quantile(level: float, freedom: int) -> float:
    """The t between whose negative and itself T lies with the probability ``level`` (0.95: 2.776 of 4 degrees of freedom)."""
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > 1 - level:
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > 1 - level else (low, middle)
    return (low + high) / 2


@cache
def expected_largest(count: int) -> float:
    """The mean of the largest of so many independent standard normal numbers, by the trapezoid rule."""
    step, reach = 1 / 64, 9
    points = (index * step for index in range(-reach * 64, reach * 64 + 1))
    return step * sum(x * count * _density(x) * _below(x) ** (count - 1) for x in points)


def _density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _below(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction 1 / (1 + d1 / (1 + d2 / (1 + ...))), from its far end on."""
    value = 1.0
    for index in range(_STEPS, 0, -1):
        half = index // 2
        if index % 2:
            term = -(a + half) * (a + b + half) / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) / ((a + 2 * half - 1) * (a + 2 * half))
        value = 1 + term * x / value
    return 1 / value
