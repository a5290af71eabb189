"""Spaces as tables: what varies, members with their costs, and how the costs of a population are distributed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convlab import units
from convlab.errors import CODES
from convlab.spaces.factors import ORDERS, Choice, Factor, Monotone
from convlab.spaces.limits import LIMITED
from convlab.spaces.space import Space
from convlab.views.cards import FIGURES
from convlab.views.catalogue import count_text
from convlab.views.tables import Cell, Column, Table, plain, value_text, words

if TYPE_CHECKING:
    from convlab.spaces.populations import Population  # which imports numpy: counting a space needs none

SHARES = (0, 5, 25, 50, 75, 95, 100)
"""The percentiles that are shown of a distribution."""


def factor_table(space: Space) -> Table:
    """A row for each independent choice of a space: the knobs that it sets, in how many ways, the first and the last of them."""
    columns = (
        Column("paths", "knobs", least=30),
        Column("size", "ways", right=True),
        Column("first", "first", least=10),
        Column("last", "last", least=10),
    )
    rows = []
    for factor in space.factors:
        ends = [factor.values(number) for number in (0, factor.size - 1)]
        cells = [Cell(plain(values), value_text(values[0] if len(set(values)) == 1 else values)) for values in ends]
        paths = Cell(list(factor.paths), _paths_text(factor, len(space.base.stages)))
        rows.append((paths, Cell(factor.size, count_text(factor.size)), *cells))
    return Table(columns, tuple(rows))


def limit_table(space: Space) -> Table:
    """A row a limit."""
    columns = (Column("metric", "limit"), Column("low", "low", right=True), Column("high", "high", right=True))
    rows = [
        (words(limit.metric), *(_bound(limit.metric, bound) for bound in (limit.low, limit.high)))
        for limit in space.limits
    ]
    return Table(columns, tuple(rows))


def member_table(population: Population) -> Table:
    """A row a member: its index, its costs, and its values of the knobs that vary."""
    metrics = tuple(population.costs)
    columns = (
        Column("index", "index", right=True),
        *(Column(metric, title_of(metric), right=True) for metric in metrics),
        Column("knobs", "knobs", least=30),
    )
    rows = []
    for row, index in enumerate(population.indices):
        costs = [
            Cell(int(population.costs[metric][row]), text_of(metric)(population.costs[metric][row]))
            for metric in metrics
        ]
        knobs = population.space.values(index)
        text = ", ".join(f"{path} {value_text(value)}" for path, value in _gathered(knobs).items())
        rows.append((words(index), *costs, Cell({path: plain(value) for path, value in knobs.items()}, text)))
    return Table(columns, tuple(rows))


def distribution_table(population: Population) -> Table:
    """A row a metric: how the costs of the valid members are distributed, as percentiles that members have."""
    import numpy as np

    valid = np.equal(population.fault, "")
    columns = (Column("metric", "metric"), *(Column(f"p{share}", _share_title(share), right=True) for share in SHARES))
    rows = []
    for metric, costs in population.costs.items():
        found = np.percentile(costs[valid], SHARES, method="nearest") if valid.any() else []
        cells = [Cell(int(value), text_of(metric)(int(value))) for value in found] or [Cell(None, "-") for _ in SHARES]
        rows.append((Cell(metric, title_of(metric)), *cells))
    return Table(columns, tuple(rows))


def title_of(metric: str) -> str:
    """How a metric is called in a heading."""
    return FIGURES[metric].title if metric in FIGURES else metric.replace("_", " ")


def text_of(metric: str) -> Callable[[float], str]:
    """How figures of a metric are written."""
    return units.size if metric == "peak_bytes" else units.count


def metrics_of(space: Space, named: Sequence[str] | None = None) -> tuple[str, ...]:
    """The metrics to show: those that are named, else the usual ones and those that are limited."""
    usual = ("params", "macs", "activations", *(limit.metric for limit in space.limits))
    return tuple(dict.fromkeys(named or usual))


def reason_text(reason: str) -> str:
    """Why members were rejected, in words: a broken limit with its unit, or what a code means."""
    metric, _, bound = reason.partition(" above ")
    if bound:
        return f"{metric} above {text_of(metric)(float(bound))}"
    metric, _, bound = reason.partition(" below ")
    if bound:
        return f"{metric} below {text_of(metric)(float(bound))}"
    return f"{reason}: {CODES[reason].partition('. ')[0].rstrip('.')}" if reason in CODES else reason


def known_metrics() -> tuple[str, ...]:
    """The metrics that populations can be costed by."""
    return LIMITED


def _gathered(knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs with those of several stages as one, a value a stage."""
    names = Counter(_inner(path) for path in knobs)
    found: dict[str, Any] = {}
    for path, value in knobs.items():
        if names[_inner(path)] > 1:
            found.setdefault(_inner(path), []).append(value)
        else:
            found[path] = value
    return found


def _inner(path: str) -> str:
    """The path of a stage's knob inside its stage; any other path as it is."""
    parts = path.split(".", 2)
    return parts[2] if parts[0] == "stages" else path


def _paths_text(factor: Factor, stages: int) -> str:
    """The knobs that a factor sets: those of all stages as one path, with the rule between them."""
    rule = " (equal)" if isinstance(factor, Choice) else ""
    if isinstance(factor, Monotone):
        orders = (factor.strict, factor.falling)
        rule = f" ({next(order for order, meant in ORDERS.items() if meant == orders)})"
    names = tuple(dict.fromkeys(map(_inner, factor.paths)))
    every = {f"stages.{index}.{name}" for index in range(stages) for name in names}
    if stages > 1 and set(factor.paths) == every:
        return ", ".join(f"stages.*.{name}{rule}" for name in names)
    return ", ".join(factor.paths)


def _bound(metric: str, bound: float | None) -> Cell:
    return Cell(bound, "-" if bound is None else text_of(metric)(bound))


def _share_title(share: int) -> Any:
    return {0: "min", 50: "median", 100: "max"}.get(share, f"{share} %")
