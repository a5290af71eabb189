"""The sections of a report about what the store has: measurements and trainings of its designs, with their charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convlab import charts
from convlab.report.asking import Asked
from convlab.report.pieces import Chart, Piece
from convlab.runs.records import Row
from convlab.views.batch_lines import lines_of_rows
from convlab.views.stored_designs import NEWEST, Evidence, Stored, devices, measurement_table
from convlab.views.stored_trainings import stored_training_table

LEAST_BATCHES = 3
"""Batches that a throughput is measured at for a chart to say more than the table."""


def measurements(asked: Asked, found: Sequence[Evidence]) -> Iterator[Piece]:
    """Every stored measurement of the designs, and throughput against the batch where one was swept."""
    rows = [stored for each in _once(found) for stored in each.measured]
    if not rows:
        yield f"Nothing is stored of {_names(asked)}: `convlab bench {asked.names[0]}` measures."
        return
    yield measurement_table(rows)
    on = devices(rows)
    where = f"Measured on {on[0]}. " if len(on) == 1 and on[0] else ""
    yield f"{where}Medians with the interval in which 95 % of next runs would lie; figures of other conditions are no comparison."
    yield from _older(found)
    for run in dict.fromkeys(stored.run.id for stored in rows):
        of_run = [stored.row for stored in rows if stored.run.id == run]
        if max((len(line.speeds) for line in lines_of_rows(of_run)), default=0) >= LEAST_BATCHES:
            yield _sweep(run, of_run)


def trainings(asked: Asked, found: Sequence[Evidence]) -> Iterator[Piece]:
    """Every stored training of the designs, a table and curves for each run."""
    rows = [stored for each in _once(found) for stored in each.trained]
    if not rows:
        yield f"No training of {_names(asked)} is stored: `convlab train {asked.names[0]}` trains."
        return
    for run in dict.fromkeys(stored.run.id for stored in rows):
        of_run = [stored for stored in rows if stored.run.id == run]
        yield f"Run {run}: {_how(of_run)}"
        yield stored_training_table({stored.position: stored.row for stored in of_run})
        curves = [stored.row for stored in of_run if len(stored.row.details.get("curve") or ()) > 1]
        if curves:
            yield _curves(run, curves)
    yield from _older(found)


def _sweep(run: str, rows: Sequence[Row]) -> Chart:
    return Chart(f"Throughput against the batch, run {run}.", lambda theme: charts.throughput(rows, theme=theme))


def _curves(run: str, rows: Sequence[Row]) -> Chart:
    return Chart(f"Learning curves, run {run}.", lambda theme: charts.learning(rows, theme=theme))


def _once(found: Sequence[Evidence]) -> Iterator[Evidence]:
    """Each design once: two names of one network have the same rows."""
    seen: set[tuple[str, int]] = set()
    for each in found:
        rows = [*each.measured, *each.trained]
        fresh = {(stored.run.id, stored.position) for stored in rows} - seen
        seen |= fresh
        yield Evidence(
            each.name,
            tuple(stored for stored in each.measured if (stored.run.id, stored.position) in fresh),
            tuple(stored for stored in each.trained if (stored.run.id, stored.position) in fresh),
            each.more,
        )


def _older(found: Sequence[Evidence]) -> Iterator[str]:
    if any(each.more for each in found):
        yield f"Of each design the newest {NEWEST} runs are shown; `convlab runs list --design NAME` has the others."


def _how(found: Sequence[Stored]) -> str:
    """Recipe, data and budget of a run's trainings, and whether the networks were made smaller."""
    first = found[0].row
    recipe, data, budget = (first.details.get(name) for name in ("recipe", "data", "budget"))
    told = [f"recipe {recipe}"] * bool(recipe) + [f"on {data}"] * bool(data)
    told += [f"{budget:,} images"] * (budget is not None)
    shrunk = any(stored.row.details.get("overrides") for stored in found)
    smaller = "; networks made smaller for it" if shrunk else ""
    return f"{', '.join(told)}{smaller}. {found[0].run.started:%Y-%m-%d}, {first.device}."


def _names(asked: Asked) -> str:
    *others, last = asked.names
    return f"{', '.join(others)} or {last}" if others else last
