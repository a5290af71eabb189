"""Fitting: the rates of a law from measured calls, and the corrections of many laws from whole networks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from operator import mul

from convlab.prediction.calls import Call
from convlab.prediction.laws import Law, amounts

SWEEPS = 400
ROUNDS = 4
FOLDS = 5
LEAST_POINTS = 6
"""From so many measurements on a law is worth its name."""

LEAST_FACTOR, MOST_FACTOR = 0.25, 4.0

USUAL = 0.15
"""The relative error of a whole network up to which it counts fully."""

ROUNDS_OF_WEIGHTS = 8

Measured = tuple[Call, int, float]
"""A call, the batch, seconds."""


def law_of(measured: Sequence[Measured], element_bytes: int) -> Law:
    """The law of calls of one kind; its deviation is that at measurements that were held out in turn."""
    rows = [amounts(call, batch, element_bytes) for call, batch, _ in measured]
    seconds = [max(value, 1e-9) for *_, value in measured]
    errors = []
    for fold in range(min(FOLDS, len(rows))):
        kept = [index for index in range(len(rows)) if index % FOLDS != fold]
        if not kept:
            break
        rates = fitted([rows[index] for index in kept], [seconds[index] for index in kept])
        errors += [math.log(_sum(rates, rows[i]) / seconds[i]) for i in range(fold, len(rows), FOLDS)]
    sizes = [
        (float(batch * call.macs), float(batch * (call.input + call.output)), float(call.weights))
        for call, batch, _ in measured
    ]
    low, high = (tuple(bound(axis) for axis in zip(*sizes, strict=True)) for bound in (min, max))
    deviation = _deviation(errors) if errors else 1.0
    return Law(fitted(rows, seconds), deviation, len(rows), low, high)


def fitted(rows: Sequence[Sequence[float]], seconds: Sequence[float]) -> tuple[float, ...]:
    """Rates that are not negative, for the least squared error of the logarithm.

    Least squares of relative errors; relative to what is both measured and found, which takes a few rounds.
    """
    width = len(rows[0])
    scales = [max(row[term] for row in rows) or 1.0 for term in range(width)]
    rates = [0.0] * width
    found = list(seconds)
    for _ in range(ROUNDS):
        weights = [1.0 / math.sqrt(one * other) for one, other in zip(seconds, found, strict=True)]
        scaled = [
            [weight * value / scale for value, scale in zip(row, scales, strict=True)]
            for weight, row in zip(weights, rows, strict=True)
        ]
        goal = [weight * value for weight, value in zip(weights, seconds, strict=True)]
        rates = _descended(scaled, goal, rates)
        unscaled = [rate / scale for rate, scale in zip(rates, scales, strict=True)]
        found = [_sum(unscaled, row) for row in rows]
    shift = math.exp(statistics.fmean(math.log(s / f) for s, f in zip(seconds, found, strict=True)))
    return tuple(shift * rate / scale for rate, scale in zip(rates, scales, strict=True))


def factors_of(shares: Sequence[Sequence[float]], pull: float) -> list[float]:
    """A factor for each group of laws, near 1, such that shares of the measured time, so corrected, add up to 1 in each network.

    ``pull`` is how much a factor's squared distance from 1 counts beside a squared relative error. A network that is unlike all others,
    by an error beyond ``USUAL``, counts with that error alone (Huber, 1964): it is not to decide for them.
    """
    weights = [1.0] * len(shares)
    factors = [1.0] * len(shares[0])
    for _ in range(ROUNDS_OF_WEIGHTS):
        factors = _factors(shares, weights, pull)
        errors = [abs(math.log(_sum(factors, row))) for row in shares]
        weights = [min(1.0, USUAL / error) if error else 1.0 for error in errors]
    return factors


def _factors(shares: Sequence[Sequence[float]], weights: Sequence[float], pull: float) -> list[float]:
    width = len(shares[0])
    weighed = list(zip(weights, shares, strict=True))
    gram = [
        [sum(weight * row[i] * row[j] for weight, row in weighed) + pull * (i == j) for j in range(width)]
        for i in range(width)
    ]
    towards = [sum(weight * row[i] for weight, row in weighed) + pull for i in range(width)]
    factors = [1.0] * width
    for _ in range(SWEEPS):
        for term in range(width):
            slope = towards[term] - _dot(gram[term], factors)
            value = factors[term] + slope / gram[term][term]
            factors[term] = min(MOST_FACTOR, max(LEAST_FACTOR, value))
    return factors


def _descended(rows: list[list[float]], goal: list[float], start: list[float]) -> list[float]:
    """Coefficients that are not negative, for the least squared error, by coordinate descent on the normal equations."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    gram = [[_dot(one, other) for other in columns] for one in columns]
    towards = [_dot(column, goal) for column in columns]
    slight = 1e-9 * max(gram[term][term] for term in range(len(start)))
    found = list(start)
    for _ in range(SWEEPS):
        moved = 0.0
        for term, own in enumerate(gram):
            if own[term] <= 0.0:
                continue
            slope = towards[term] - _dot(own, found)
            value = max(0.0, found[term] + slope / (own[term] + slight))
            moved = max(moved, abs(value - found[term]))
            found[term] = value
        if moved < 1e-7:
            break
    return found


def _sum(rates: Sequence[float], row: Sequence[float]) -> float:
    return max(1e-9, _dot(rates, row))


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return float(sum(map(mul, one, other)))


def _deviation(errors: Sequence[float]) -> float:
    """What two of three errors do not exceed: the standard deviation where they are normal, and hardly moved by a few large ones."""
    ordered = sorted(map(abs, errors))
    return ordered[min(len(ordered) - 1, round(0.68 * len(ordered)))]
