"""What the runs panel reads and does in the store, each call a transaction of its own; called from a thread, as imports alone take long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from convlab.views.tables import Table, value_text

if TYPE_CHECKING:
    from convlab.runs.store import Store

PATIENCE_S = 2.0
"""How long to wait for one who writes: then it is said that the store is busy."""

MOST = 500
"""So many runs are listed, the newest."""

Facts = tuple[tuple[str, str], ...]


@final
@dataclass(frozen=True)
class Listing:
    """The runs of a store, the newest first, with the ids of the rows."""

    place: str
    table: Table
    ids: tuple[str, ...]
    more: bool = False


@final
@dataclass(frozen=True)
class Sheets:
    """Runs in full: a title, facts, and tables."""

    title: str
    facts: Facts
    tables: tuple[Table, ...]


def listed() -> Listing:
    """The newest runs. Raises ConvlabError where the store cannot be had, as all here do."""
    from convlab.views.runs import run_table

    with _opened() as store:
        found = store.runs(limit=MOST + 1)
        return Listing(store.place, run_table(found[:MOST]), tuple(run.id for run in found[:MOST]), len(found) > MOST)


def in_full(run_id: str) -> Sheets:
    """A run with its rows."""
    from convlab.views.runs import row_table, run_facts
    from convlab.views.stored_trainings import stored_training_table

    with _opened() as store:
        run = store.run(run_id)
        rows, environment = store.rows(run), store.environment(run)
        heirs = [each.id for each in store.runs(kind=run.kind) if each.settings.get("resumed_from") == run.id]
    trained = bool(rows) and all(row.kind == "training" for row in rows.values())
    tables = (stored_training_table(rows) if trained else row_table(rows),) if rows else ()
    facts = (*run_facts(run, environment), *(("resumed as", name) for name in heirs))
    return Sheets(run.id, facts, tables)


def compared(run_ids: Sequence[str]) -> Sheets:
    """Runs side by side; ratios are over the first."""
    from convlab.runs.comparing import compare, differing
    from convlab.views.runs import code_text, comparison_table, difference_table

    with _opened() as store:
        runs = [store.run(name) for name in run_ids]
        lines = compare([store.rows(run) for run in runs])
        environments = [{**store.environment(run), "code": code_text(run)} for run in runs]
    differences = differing(environments)
    tables = [comparison_table(lines, runs), *([difference_table(differences, runs)] if differences else [])]
    facts = tuple((name, value_text(run.name)) for name, run in zip(run_ids, runs, strict=True))
    return Sheets("compared", facts, tuple(tables))


def delete(run_ids: Sequence[str]) -> None:
    """Mark runs for removal; ``restore`` takes it back."""
    with _opened() as store:
        store.delete(*(store.run(name) for name in run_ids))


def restore(run_ids: Sequence[str]) -> None:
    """Take the mark away."""
    with _opened() as store:
        store.restore(*(store.run(name, deleted=True) for name in run_ids))


def _opened() -> Store:
    from convlab.runs import existing_store

    return existing_store(patience_s=PATIENCE_S)
