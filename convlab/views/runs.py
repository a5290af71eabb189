"""Stored runs as tables: the runs, the rows of one, several side by side, and what a query gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from convlab import units
from convlab.runs.comparing import Difference, Line, Ratio
from convlab.runs.ids import short_name
from convlab.runs.querying import Answer
from convlab.runs.records import CONDITIONS, FURTHER_CONDITIONS, TRAINING_CONDITIONS, Row, Run, conditions_of
from convlab.views.tables import Cell, Column, Table, value_text, words

NONE = "-"
_SECONDS = ((1.0, "s", 1.0), (1e-3, "ms", 1e3), (0.0, "us", 1e6))


def run_table(runs: Sequence[Run]) -> Table:
    """A row a run; one that goes on with another says with which."""
    columns = [
        Column("id", "run"),
        Column("kind", "kind", rank=2),
        Column("name", "name", least=12),
        Column("status", "status"),
        Column("rows", "rows", right=True, rank=2),
        Column("started", "started, UTC", rank=4),
        Column("took", "took", right=True, rank=3),
    ]
    resumed = {run.settings.get("resumed_from") for run in runs}
    optional = {
        Column("resumed_from", "goes on from", rank=1): any(run.settings.get("resumed_from") for run in runs),
        Column("deleted", "marked, UTC", rank=1): any(run.deleted for run in runs),
    }
    columns += [column for column, is_there in optional.items() if is_there]
    cells = [_run_cells(run, run.id in resumed) for run in runs]
    return Table(tuple(columns), tuple(tuple(row[column.name] for column in columns) for row in cells))


def run_facts(run: Run, environment: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What there is to say of a run, except its rows."""
    took = f", took {_took(run)}" if run.finished else ""
    facts = [
        ("kind", run.kind),
        ("name", run.name),
        ("status", run.status),
        ("started", f"{time_text(run.started)} UTC{took}"),
        ("command", run.command),
        *((f"settings.{name}", value_text(value)) for name, value in _flat_settings(_shown(run)) if value != []),
        ("code", code_text(run)),
        ("process", f"{run.process} on {run.host}" if run.process is not None else ""),
        ("environment", f"{run.environment[:12]}, {len(dict(flat(environment)))} facts (--environment)"),
        *(("note", line) for line in run.note.splitlines()),
        ("marked", f"for removal, {time_text(run.deleted)} UTC" if run.deleted else ""),
    ]
    return [(label, text) for label, text in facts if text]


def heir_facts(run: Run, others: Iterable[Run]) -> list[tuple[str, str]]:
    """The runs that go on with a run."""
    return [("resumed as", each.id) for each in others if each.settings.get("resumed_from") == run.id]


def row_table(rows: Mapping[int, Row]) -> Table:
    """A row a row, by their positions."""
    columns = (
        Column("position", "#", right=True),
        Column("kind", "kind", rank=2),
        Column("subject", "subject", least=16),
        Column("median", "median", right=True),
        Column("interval", "interval", right=True, rank=1),
        Column("n", "n", right=True, rank=3),
        Column("conditions", "conditions", least=24),
    )
    return Table(columns, tuple(_row_cells(position, row) for position, row in rows.items()))


def comparison_table(lines: Sequence[Line], runs: Sequence[Run]) -> Table:
    """A row for each figure that runs have in common, or that one has alone; ratios are over the first run."""
    names = short_names(runs)
    apart = _apart([line.first for line in lines])
    columns = [Column("kind", "kind", rank=1), Column("subject", "subject", least=16)]
    columns += [Column(run.id, name, right=True) for run, name in zip(runs, names, strict=True)]
    columns += [
        Column(f"ratio {run.id}", f"{name} / {names[0]}", right=True)
        for run, name in zip(runs[1:], names[1:], strict=True)
    ]
    columns += [Column("differs", "what differs", least=20)]
    return Table(tuple(columns), tuple(_line_cells(line, apart) for line in lines))


def difference_table(differences: Sequence[Difference], runs: Sequence[Run]) -> Table:
    """A row for each fact that is not the same everywhere."""
    columns = (
        Column("name", "environment"),
        *(Column(run.id, name, least=12) for run, name in zip(runs, short_names(runs), strict=True)),
    )
    cells = [(words(item.name), *(Cell(value, value_text(value)) for value in item.values)) for item in differences]
    return Table(columns, tuple(cells))


def answer_table(answer: Answer) -> Table:
    """What a query gives; numbers stand right."""
    numeric = [
        any(isinstance(row[place], int | float) for row in answer.rows)
        and all(isinstance(row[place], int | float | None) for row in answer.rows)
        for place in range(len(answer.columns))
    ]
    columns = tuple(Column(name, name, right=right) for name, right in zip(answer.columns, numeric, strict=True))
    return Table(columns, tuple(tuple(Cell(value, value_text(value)) for value in row) for row in answer.rows))


def code_text(run: Run) -> str:
    """The version of the code that a run was made with."""
    commit = f", commit {run.commit[:12]}{' with changes' if run.dirty else ''}" if run.commit else ""
    return f"convlab {run.version}{commit}"


def figure_text(value: float | None, unit: str) -> str:
    """A figure with its unit."""
    if value is None:
        return NONE
    if unit == "s":
        _, name, factor = next(item for item in _SECONDS if abs(value) >= item[0])
        return f"{value * factor:.4g} {name}"
    if unit == "B":
        return units.size(value)
    return f"{value:,.4g} {unit}".rstrip() if abs(value) < 1e4 else f"{value:,.0f} {unit}".rstrip()


def ratio_text(ratio: Ratio | None) -> str:
    """A ratio with the interval that it has."""
    if ratio is None:
        return NONE
    ends = "" if ratio.low is None or ratio.high is None else f" [{ratio.low:.3f}, {ratio.high:.3f}]"
    return f"{ratio.median:.3f}{ends}"


def conditions_text(row: Row) -> str:
    """The conditions of a row in words, those that it has."""
    image = f"{row.image_height}x{row.image_width}" if row.image_height else ""
    threads = f"{row.threads} thread{'s' * (row.threads != 1)}" if row.threads else ""
    batch = f"batch {row.batch}" if row.batch is not None else ""
    further = (name.replace("_", " ") for name in FURTHER_CONDITIONS if row.details.get(name))
    told = (row.task, row.device, row.dtype, row.layout, row.mode, *further, batch, image, threads)
    return ", ".join(filter(None, (*told, *_training_words(row))))


def _training_words(row: Row) -> Iterator[str]:
    """What a training was made with, of what is told: recipe, data, budget, seed."""
    recipe, data, budget, seed = (row.details.get(name) for name in TRAINING_CONDITIONS)
    if recipe:
        yield f"recipe {recipe}"
    if data:
        yield str(data)
    if budget is not None:
        yield f"{budget:,} images"
    if seed is not None:
        yield f"seed {seed}"


def subject_text(row: Row) -> str:
    """Whom a row is about: a network, or a layer of it."""
    return f"{row.subject} {row.details['path']}" if row.details.get("path") else row.subject


def short_names(runs: Sequence[Run]) -> list[str]:
    """The last letters of the runs' names, which tell them apart."""
    return [short_name(run.id) for run in runs]


def time_text(moment: datetime | None) -> str:
    """A moment to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else NONE


def flat(facts: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Nested facts by their dotted paths."""
    for name, value in facts.items():
        inner = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from flat(value, inner)
        else:
            yield inner, value


def _shown(run: Run) -> dict[str, Any]:
    """The settings but the recipe's forty knobs, which JSON has."""
    return {name: value for name, value in run.settings.items() if name != "recipe_in_full"}


def _flat_settings(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Settings by their dotted paths, those in lists of tables too."""
    for name, value in flat(settings):
        if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value):
                yield from flat(item, name if len(value) == 1 else f"{name}.{number}")
        else:
            yield name, value


def _run_cells(run: Run, resumed: bool) -> dict[str, Cell]:
    before = run.settings.get("resumed_from")
    return {
        "id": words(run.id),
        "kind": words(run.kind),
        "name": words(run.name),
        "status": Cell(run.status, f"{run.status}, resumed" if resumed else run.status),
        "rows": Cell(run.rows, f"{run.rows:,}"),
        "started": Cell(run.started.isoformat(), time_text(run.started)),
        "took": Cell(None if run.finished is None else (run.finished - run.started).total_seconds(), _took(run)),
        "resumed_from": Cell(before, short_name(before) if before else ""),
        "deleted": Cell(None if run.deleted is None else run.deleted.isoformat(), time_text(run.deleted)),
    }


def _took(run: Run) -> str:
    if run.finished is None:
        return NONE
    minutes, seconds = divmod((run.finished - run.started).total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02.0f} s" if minutes else f"{seconds:.1f} s"


def _row_cells(position: int, row: Row) -> tuple[Cell, ...]:
    failure = row.details.get("failure") if row.median is None else None
    ends = (
        " to ".join(figure_text(end, row.unit) for end in (row.low, row.high))
        if (row.low, row.high) != (None, None)
        else NONE
    )
    return (
        Cell(position, str(position)),
        words(row.kind),
        Cell(row.subject, subject_text(row)),
        Cell(row.median, figure_text(row.median, row.unit)),
        Cell([row.low, row.high], ends),
        Cell(row.n, NONE if row.n is None else str(row.n)),
        words(f"{conditions_text(row)}; {failure}" if failure else conditions_text(row)),
    )


def _apart(rows: Sequence[Row]) -> tuple[str, ...]:
    """The conditions that tell rows apart: those that are not the same in all of them."""
    facts = [conditions_of(row) for row in rows]
    return tuple(name for name in facts[0] if len({each[name] for each in facts}) > 1) if facts else ()


def _told(row: Row, names: Sequence[str]) -> str:
    """These conditions of a row, in words."""
    columns = {name: "" if name in ("task", "device", "dtype", "layout", "mode") else None for name in CONDITIONS}
    hidden: dict[str, Any] = {name: nothing for name, nothing in columns.items() if name not in names}
    if "image_height" in names or "image_width" in names:
        hidden = {name: value for name, value in hidden.items() if not name.startswith("image_")}
    details = {name: row.details.get(name) for name in (*FURTHER_CONDITIONS, *TRAINING_CONDITIONS) if name in names}
    return conditions_text(replace(row, details=details, **hidden))


def _line_cells(line: Line, apart: Sequence[str]) -> tuple[Cell, ...]:
    unit = line.first.unit
    figures = [Cell(row and row.median, figure_text(row and row.median, unit)) for row in line.rows]
    ratios = [Cell(ratio and ratio._asdict(), ratio_text(ratio)) for ratio in line.ratios[1:]]
    names = {item.name for item in line.differences}
    # Another network has another name as a rule; its key says something where the name is the same.
    telling = [item for item in line.differences if item.name != "design" or "subject" not in names]
    told = [f"{item.name.replace('_', ' ')} {' / '.join(map(value_text, item.values))}" for item in telling]
    alone = sum(row is None for row in line.rows)
    told += [f"{alone} of {len(line.rows)} runs without it"] * bool(alone)
    if not line.differences and not alone and all(ratio is None for ratio in line.ratios[1:]):
        told += ["no figure to compare"]
    differs = {item.name: list(item.values) for item in line.differences}
    return (
        words(line.kind),
        Cell(line.first.subject, ", ".join(filter(None, (subject_text(line.first), _told(line.first, apart))))),
        *figures,
        *ratios,
        Cell(differs, "; ".join(told)),
    )
