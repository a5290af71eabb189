"""What ``verify`` found, as tables: the tools' counts side by side, and the differences with their causes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from convlab.verification import METRICS, Metric, Reconciliation
from convlab.views.tables import Cell, Column, Table, plain_shape, words

UNITS: dict[Metric, str] = {"params": "parameters", "macs": "multiply-adds", "activations": "activations"}


def counts(found: Reconciliation) -> Table:
    """A row a metric, a column a tool; counts to the unit, for one image."""
    tools = (found.ours, *found.tools)
    columns = [Column("metric", ""), *(Column(tool.name, tool.name, right=True) for tool in tools)]
    rows = [(words(UNITS[metric]), *(_exact(getattr(tool, metric)) for tool in tools)) for metric in METRICS]
    return Table(tuple(columns), tuple(rows))


def differences(found: Reconciliation) -> Table:
    """A row a difference: whose, in what, by how much, and why."""
    columns = (
        Column("tool", "tool"),
        Column("metric", "counts"),
        Column("amount", "difference", right=True),
        Column("cause", "cause", least=30),
    )
    rows = tuple(
        (
            words(each.tool),
            Cell(each.metric, UNITS[each.metric]),
            Cell(each.amount, f"{each.amount:+,}"),
            words(each.cause),
        )
        for each in found.differences
    )
    return Table(columns, rows)


def versions(found: Reconciliation) -> str:
    """The tools with their versions."""
    return ", ".join(f"{tool.name} {tool.version}" for tool in (found.ours, *found.tools))


def verdict(found: Reconciliation) -> str:
    """The result in a sentence."""
    if not found.agrees:
        return "The counts do not agree: not every difference is explained."
    return "The counts agree: every difference is explained to the unit."


def plain_verification(found: Reconciliation) -> dict[str, Any]:
    """The reconciliation as JSON holds it."""
    return {
        "design": found.design.name,
        "image": plain_shape(found.image),
        "agrees": found.agrees,
        "tools": [asdict(tool) for tool in (found.ours, *found.tools)],
        "differences": [asdict(each) for each in found.differences],
    }


def _exact(count: int | None) -> Cell:
    return Cell(count, "-" if count is None else f"{count:,}")
