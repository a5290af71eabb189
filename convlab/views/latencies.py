"""Latencies as a table: how long a caller waits in half of all cases, and in the worst of twenty and of a hundred."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from convlab.views.measurements import significant
from convlab.views.notes import Note
from convlab.views.tables import Cell, Column, Table, words

if TYPE_CHECKING:
    from convlab.measurement.latency import Latency, Percentile
    from convlab.measurement.running.subjects import Subject
    from convlab.measurement.surveys import Survey


def latency_table(found: Survey[Latency]) -> Table:
    """A row a network; milliseconds with 95 % intervals."""
    percents = [each.percent for each in found.found[0][1].percentiles] if found.found else []
    columns = (
        Column("subject", "network", least=16),
        Column("n", "n", right=True, rank=1),
        *(Column(f"p{percent:g}_ms", f"p{percent:g} ms", right=True, least=14) for percent in percents),
    )
    return Table(columns, tuple(_row(subject, latency) for subject, latency in found.found))


def latency_notes(found: Survey[Latency]) -> list[Note]:
    """Where there are too few samples for the interval of a percentile."""
    lacking = [each for _, latency in found.found for each in latency.percentiles if not each.certain]
    if not lacking:
        return []
    worst = max(lacking, key=lambda each: each.least)
    message = (
        f"the interval of p{worst.percent:g} has an open end: {worst.n} steps were measured, it takes {worst.least}"
    )
    return [Note("", message, "more --seconds, or --rounds with so many")]


def plain_latency(subject: Subject, found: Latency) -> dict[str, Any]:
    """A latency as JSON holds it."""
    return {
        "subject": subject.name,
        "package": subject.package,
        "design": None if subject.design is None else subject.design.key,
        "image": list(subject.image),
        "percentiles_s": [asdict(each) for each in found.percentiles],
        "stopped": found.stopped,
        "samples_s": list(found.samples),
    }


def _row(subject: Subject, found: Latency) -> tuple[Cell, ...]:
    return (words(subject.name), words(len(found.samples)), *(_cell(each) for each in found.percentiles))


def _cell(found: Percentile) -> Cell:
    value = significant(1e3 * found.value)
    if found.low is None or found.high is None:
        return Cell(1e3 * found.value, f"{value} (needs more samples)")
    return Cell(1e3 * found.value, f"{value} ({significant(1e3 * found.low)}-{significant(1e3 * found.high)})")
