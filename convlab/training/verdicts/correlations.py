"""How well two orders of the same things agree: Kendall's tau-b with a bootstrap interval, Spearman's rank correlation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 10_000
LEVEL = 0.95


@final
@dataclass(frozen=True, slots=True)
class Agreement:
    """Kendall's tau-b of two orders of n things with a 95 % interval, and Spearman's correlation; NaN where one is all ties."""

    tau: float
    low: float
    high: float
    spearman: float
    n: int


def agreement(ones: Sequence[float], others: Sequence[float], *, seed: int = 0) -> Agreement:
    """How well the order of ``ones`` agrees with that of ``others``, in which larger is as good as in the first.

    The interval is that of the bootstrap over the things (percentiles of 10,000 resamples, the same for one seed everywhere): it asks
    what other things of their kind would have given. Pairs of one thing with itself do not count. Below three things it is NaN.
    """
    low, high = _interval(_signs(ones), _signs(others), seed=seed) if len(ones) > 2 else (math.nan, math.nan)
    return Agreement(kendall(ones, others), low, high, spearman(ones, others), len(ones))


def kendall(ones: Sequence[float], others: Sequence[float]) -> float:
    """Kendall's tau-b, which takes account of ties; NaN where either is all ties."""
    assert len(ones) == len(others)
    x, y = _signs(ones), _signs(others)
    size = math.sqrt(float(np.abs(x).sum()) * float(np.abs(y).sum()))
    return float((x * y).sum()) / size if size else math.nan


def spearman(ones: Sequence[float], others: Sequence[float]) -> float:
    """Spearman's rank correlation, ties sharing their mean rank; NaN where either is all ties."""
    x, y = (_centred(_ranks(values)) for values in (ones, others))
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / size if size else math.nan


def _signs(values: Sequence[float]) -> NDArray[np.float64]:
    """The order of every pair: 1, 0 for a tie, or -1."""
    found = np.asarray(values, dtype=np.float64)
    above = found[:, None] > found[None, :]  # a difference of two infinite values would be no number
    return above.astype(np.float64) - above.T


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    ranks: NDArray[np.float64] = (_signs(values).sum(axis=1) + len(values) + 1) / 2
    return ranks


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred: NDArray[np.float64] = values - values.mean()
    return centred


def _interval(x: NDArray[Any], y: NDArray[Any], *, seed: int) -> tuple[float, float]:
    count = len(x)
    drawn = np.random.Generator(np.random.PCG64(seed)).multinomial(count, [1 / count] * count, size=RESAMPLES)
    weights = drawn.astype(np.float64)
    both, one, other = (((weights @ signs) * weights).sum(axis=1) for signs in (x * y, np.abs(x), np.abs(y)))
    defined = (one > 0) & (other > 0)
    taus = both[defined] / np.sqrt(one[defined] * other[defined])
    if not len(taus):
        return math.nan, math.nan
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(taus, [tail, 100 - tail])
    return float(low), float(high)
