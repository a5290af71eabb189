"""What the runs panel reads and does in the store, each call a transaction of its own; called from a thread, as imports alone take long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from convlab.errors import ConvlabError, Problem
from convlab.views.tables import Table, value_text

if TYPE_CHECKING:
    from convlab.runs.records import Row
    from convlab.runs.store import Store

PATIENCE_S = 2.0
"""How long to wait for one who writes: then it is said that the store is busy."""

TRAINING = "training"
"""The kind of runs and rows that are trainings."""

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
    from convlab.views.resuming import resume_facts
    from convlab.views.runs import heir_facts, row_table, run_facts

    with _opened() as store:
        run = store.run(run_id)
        rows, environment, others = store.rows(run), store.environment(run), store.runs(kind=run.kind)
    facts = (*run_facts(run, environment), *heir_facts(run, others), *resume_facts(run, others))
    if rows and all(row.kind == TRAINING for row in rows.values()):
        return _of_trainings(run.id, facts, rows)
    return Sheets(run.id, facts, (row_table(rows),) if rows else ())


def _of_trainings(title: str, facts: Facts, rows: Mapping[int, Row]) -> Sheets:
    """Trainings, the comparison that they come to, and what it cannot tell."""
    from convlab.views.stored_comparisons import stored_comparison
    from convlab.views.stored_trainings import stored_training_table

    found = stored_comparison(rows)
    notes = (
        *(("ranking", sentence) for sentence in found.sentences),
        *(("cannot tell", f"{topic}: {told}") for topic, told in found.doubts),
    )
    return Sheets(
        title, (*facts, *notes), tuple(filter(None, (stored_training_table(rows), found.ranking, found.changed)))
    )


def broken_off(run_id: str = "") -> tuple[str, str]:
    """The id and the name of the latest training that was broken off and can go on, or of one of this id. Raises ConvlabError for none."""
    from convlab.views.resuming import TRAIN, resume_facts, verb_of
    from convlab.views.resuming import broken_off as found_in

    with _opened() as store:
        others = store.runs(kind=TRAINING)
        asked = store.run(run_id) if run_id else None
    found = [run for run in found_in(others) if verb_of(run) == TRAIN]
    run = next((each for each in found if asked is None or each.id == asked.id), None)
    if run is not None:
        return run.id, run.name
    if asked is None:
        raise ConvlabError(Problem("unknown-run", "no training was broken off", help="t begins one"), exit_code=2)
    ways = [text for _, text in resume_facts(asked, others)]
    message = f"{asked.id} ({asked.name}, {asked.status}) is no training that was broken off"
    help = (
        f"{ways[0]} in a shell goes on with it" if ways else "choose one that was, or R in another tab takes the latest"
    )
    raise ConvlabError(Problem("usage", message, help=help), exit_code=2)


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
