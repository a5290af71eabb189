"""Runs as the content of a file: csv and parquet with one line a row, JSON with everything, designs and environments included."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, final

from convlab.errors import ConvlabError, Problem
from convlab.runs.database import Database
from convlab.runs.reading import environment_of, rows_of
from convlab.runs.records import ResolvedDesign, Row, Run

FORM = 1
"""The version of the form of exported JSON."""


@final
@dataclass(frozen=True, slots=True)
class Extract:
    """Runs with their rows, and the environments that they ran in."""

    runs: tuple[tuple[Run, Mapping[int, Row]], ...]
    environments: Mapping[str, Mapping[str, Any]]


def extract(database: Database, runs: Sequence[Run]) -> Extract:
    """What there is of runs."""
    shas = dict.fromkeys(run.environment for run in runs)
    return Extract(
        tuple((run, rows_of(database, run.id)) for run in runs), {sha: environment_of(database, sha) for sha in shas}
    )


def as_csv(found: Extract) -> bytes:
    """One line a row, with the names of the columns first."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    for line in _lines(found):
        writer.writerow(
            {name: value.isoformat() if isinstance(value, datetime) else value for name, value in line.items()}
        )
    return text.getvalue().encode()


def as_parquet(found: Extract) -> bytes:
    """One line a row, each column of its own type also where it is empty. Raises ConvlabError where pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        problem = Problem(
            "missing-package", "parquet files need pyarrow", help="pip install 'convlab[parquet]', or take csv or json"
        )
        raise ConvlabError(problem, exit_code=2) from None
    types = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
    }
    types["moment"] = pyarrow.timestamp("us", "UTC")
    form = pyarrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(list(_lines(found)), schema=form), sink)
    return bytes(sink.getvalue())


def as_json(found: Extract) -> bytes:
    """Everything: runs with their rows, and by their digests the designs' TOML and the environments."""
    designs = {row.design.sha: row.design for _, rows in found.runs for row in rows.values() if row.design is not None}
    shown = {
        "form": FORM,
        "runs": [
            plain_run(run) | {"rows": [plain_row(position, row) for position, row in rows.items()]}
            for run, rows in found.runs
        ],
        "designs": {sha: dataclasses.asdict(design) for sha, design in designs.items()},
        "environments": found.environments,
    }
    return (json.dumps(shown, indent=1, ensure_ascii=False) + "\n").encode()


FORMATS: dict[str, Callable[[Extract], bytes]] = {"csv": as_csv, "parquet": as_parquet, "json": as_json}


def plain_run(run: Run) -> dict[str, Any]:
    """A run as JSON holds it; ``rows`` is how many it has."""
    values = {item.name: getattr(run, item.name) for item in dataclasses.fields(run)}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def plain_row(position: int, row: Row) -> dict[str, Any]:
    """A row as JSON holds it; its design by key, and by the digest of its text."""
    values = {item.name: getattr(row, item.name) for item in dataclasses.fields(row)}
    design: ResolvedDesign | None = values.pop("design")
    names = {"design_key": design and design.key, "design": design and design.sha}
    return {"position": position, **values, **names, "details": dict(row.details)}


COLUMNS = {
    **dict.fromkeys(("run", "run_kind", "run_name", "status"), "text"),
    **dict.fromkeys(("started", "finished"), "moment"),
    **dict.fromkeys(("version", "commit"), "text"),
    "dirty": "boolean",
    "environment": "text",
    "position": "whole",
    **dict.fromkeys(("kind", "subject", "design_key", "design"), "text"),
    **dict.fromkeys(("task", "device", "dtype", "layout", "mode"), "text"),
    **dict.fromkeys(("batch", "image_height", "image_width", "threads", "n"), "whole"),
    **dict.fromkeys(("median", "low", "high"), "number"),
    **dict.fromkeys(("unit", "details"), "text"),
}
"""The columns of csv and parquet, and what they hold."""


def _lines(found: Extract) -> Iterator[dict[str, Any]]:
    """A line a row; details are JSON text."""
    shared = ("status", "started", "finished", "version", "commit", "dirty", "environment")
    for run, rows in found.runs:
        about = {"run": run.id, "run_kind": run.kind, "run_name": run.name} | {
            name: getattr(run, name) for name in shared
        }
        for position, row in rows.items():
            values = plain_row(position, row)
            yield about | values | {"details": json.dumps(values["details"], ensure_ascii=False)}
