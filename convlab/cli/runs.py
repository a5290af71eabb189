"""The commands about stored runs: list, show, compare, query and export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from convlab.cli import collecting
from convlab.cli.completion import complete_export
from convlab.cli.options import Force, out_option
from convlab.cli.output import Output, command
from convlab.cli.stores import (
    LIMIT,
    PANEL,
    At,
    Deleted,
    Kind,
    Limit,
    MaybeSome,
    OfDesign,
    One,
    Since,
    Some,
    Status,
    count,
    opened,
    refused,
    selection,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convlab.runs.records import Row, Run


@command(PANEL, "convlab runs list --kind benchmark --since 7d", name="list")
def list_runs(
    output: Output,
    kind: Kind = None,
    design: OfDesign = None,
    since: Since = None,
    status: Status = None,
    limit: Limit = None,
    deleted: Deleted = False,
    store: At = None,
) -> None:
    """List runs, the newest first."""
    from convlab.cli.arguments import number_of
    from convlab.language.knobs import Knob
    from convlab.runs.exporting import plain_run
    from convlab.views.notes import Note
    from convlab.views.runs import run_table

    most = number_of(Knob("limit", "option", "integer", LIMIT, "how many runs to show", low=1, high=1_000_000), limit)
    with opened(store) as kept:
        found = kept.runs(**selection(kind, design, since, status), limit=most + 1, deleted=deleted)
        shown = found[:most]
        if output.as_json:
            output.json({"store": kept.place, "runs": [plain_run(run) for run in shown], "more": len(found) > most})
        elif shown:
            output.table(run_table(shown))
        else:
            there = ", ".join(kept.kinds())
            kinds = f" Kinds of runs there: {there}." if kind is not None and there else ""
            output.text(f"No such run is in {kept.place}.{kinds}")
    if len(found) > most:
        output.notes([Note("limit", f"only the newest {most} are shown", "--limit N shows more")])


@command(PANEL, "convlab runs show latest")
def show(
    output: Output,
    run: One = "latest",
    toml: Annotated[
        str | None, typer.Option("--toml", metavar="POSITION", help="The design of a row, as TOML.")
    ] = None,
    environment: Annotated[bool, typer.Option("--environment", help="Every fact about where it ran.")] = False,
    store: At = None,
) -> None:
    """Show a run and its rows."""
    from convlab.runs.exporting import plain_row, plain_run
    from convlab.views.resuming import resume_facts
    from convlab.views.runs import flat, heir_facts, row_table, run_facts
    from convlab.views.tables import value_text

    with opened(store) as kept:
        found = kept.run(run)
        rows, facts = kept.rows(found), kept.environment(found)
        others = kept.runs(kind=found.kind)
        heirs = [*heir_facts(found, others), *resume_facts(found, others)]
    if toml is not None:
        text = _design_text(found, rows, toml)
        output.json({"run": found.id, "position": int(toml), "toml": text}) if output.as_json else print(text, end="")
    elif output.as_json:
        output.json(
            {"run": plain_run(found), "environment": facts, "rows": [plain_row(*item) for item in rows.items()]}
        )
    else:
        output.heading(found.id)
        output.facts([*run_facts(found, facts), *heirs, *_checkpoints(found)])
        if environment:
            output.text()
            output.facts([(name, value_text(value)) for name, value in flat(facts)])
        if rows:
            output.text()
            trained = all(row.kind == TRAINING for row in rows.values())
            _show_trainings(output, rows) if trained else output.table(row_table(rows))


@command(PANEL, "convlab runs compare k3f9xw latest")
def compare(output: Output, runs: Some, store: At = None) -> None:
    """Put the rows of runs side by side, with ratios over the first.

    The interval of a ratio is what the two intervals allow at most. What differs in the conditions is told beside it.
    """
    from convlab.runs.comparing import compare as compared
    from convlab.runs.comparing import differing
    from convlab.runs.exporting import plain_run
    from convlab.runs.records import conditions_of
    from convlab.views.runs import code_text, comparison_table, difference_table, run_table
    from convlab.views.stored_comparisons import figures

    with opened(store) as kept:
        found = [kept.run(name) for name in runs]
        lines = compared([figures(kept.rows(run)) for run in found])
        facts = [{**kept.environment(run), "code": code_text(run)} for run in found]
    if len({run.id for run in found}) < 2:
        raise usage("two runs or more are compared", "convlab runs list shows them")
    environment = differing(facts)
    if output.as_json:
        differences = {item.name: list(item.values) for item in environment}
        told = zip(comparison_table(lines, found).records(), lines, strict=True)
        rows = [{**record, "conditions": conditions_of(line.first)} for record, line in told]
        output.json({"runs": [plain_run(run) for run in found], "rows": rows, "environment": differences})
        return
    output.table(run_table(found))
    output.text()
    output.table(comparison_table(lines, found), by_pairs=True)
    output.text()
    if environment:
        output.table(difference_table(environment, found))
    else:
        output.text("Code and environment are the same.")


@command(
    PANEL, "convlab runs query \"SELECT subject, max(median) FROM rows WHERE kind = 'throughput' GROUP BY subject\""
)
def query(
    output: Output,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT.")],
    store: At = None,
) -> None:
    """Answer one SELECT; the database refuses what would do more than read.

    Views: runs (id, kind, name, status, started, finished, command, settings, version, git_commit, dirty, environment, note, host,
    process, heartbeat, row_count); rows (run, position, kind, subject, design_key, design, task, device, dtype, layout, mode, batch,
    image_height, image_width, threads, n, median, low, high, unit, details, written); designs (sha, key, text); environments (sha, facts).
    """
    from convlab.views.runs import answer_table

    with opened(store) as kept:
        found = kept.query(sql)
    if output.as_json:
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        output.json({"columns": list(found.columns), "rows": rows})
    else:
        output.table(answer_table(found))


@command(PANEL, "convlab runs export --kind benchmark -o benchmarks.csv")
def export(
    output: Output,
    out: Annotated[str, out_option("FILE", "Where to.")],
    runs: MaybeSome = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="csv|parquet|json", help="The format; by the file's ending.", autocompletion=complete_export
        ),
    ] = None,
    force: Force = False,
    kind: Kind = None,
    design: OfDesign = None,
    since: Since = None,
    status: Status = None,
    store: At = None,
) -> None:
    """Write runs to a file: csv and parquet have a line a row, JSON has everything."""
    from pathlib import Path

    from convlab.cli.arguments import choice_of
    from convlab.exports.targets import Target
    from convlab.runs.exporting import FORMATS

    ending = Path(out).suffix.removeprefix(".")
    if to is None and ending not in FORMATS:
        raise refused("output", out, "a file that ends in .csv, .parquet or .json; or say which with --to")
    form = choice_of("to", to or ending, tuple(FORMATS))
    Target(Path(out), force).refuse_occupied_file()
    if runs and (kind or design or since or status):
        raise usage(
            "runs are named, or selected by options, not both",
            "leave out the names, or --kind, --design, --since and --status",
        )
    with opened(store) as kept:
        found = [kept.run(name) for name in runs or ()] or list(kept.runs(**selection(kind, design, since, status)))
        kept.export(out, found, to=form)
    rows = sum(run.rows for run in found)
    if output.as_json:
        output.json({"path": out, "format": form, "runs": [run.id for run in found], "rows": rows})
    else:
        output.text(f"{count(len(found), 'run')} with {count(rows, 'row')} written to {out} ({form})")


TRAINING = "training"


def _checkpoints(run: Run) -> list[tuple[str, str]]:
    """Where a run of trainings has its checkpoints."""
    if run.kind != TRAINING or run.settings.get("folder"):
        return []
    from convlab.training.keeping.folders import folder_of

    folder = folder_of(run.settings, run.id)
    return [("checkpoints", f"{folder}{'' if folder.is_dir() else ', which is gone'}")]


def _show_trainings(output: Output, rows: Mapping[int, Row]) -> None:
    """Print the trainings of a run, and the comparison that they come to."""
    from convlab.views.stored_comparisons import stored_comparison
    from convlab.views.stored_trainings import stored_training_table

    output.table(stored_training_table(rows))
    found = stored_comparison(rows)
    for table in filter(None, (found.ranking, found.changed)):
        output.text()
        output.table(table)
    if found.sentences:
        output.text()
    for sentence in found.sentences:
        output.text(sentence)
    if found.doubts:
        output.text()
        output.text("What this comparison cannot tell:")
        output.facts(found.doubts)


COMMANDS = (list_runs, show, compare, query, export, *collecting.COMMANDS)


def _design_text(run: Run, rows: Any, given: str) -> str:
    """The TOML of a row's design. Raises ConvlabError where there is none."""
    row = rows.get(int(given)) if given.isdecimal() and len(given) < 10 else None
    if row is None:
        raise refused(
            "toml", given, f"the position of a row; {run.id} has {', '.join(map(str, list(rows)[:8])) or 'no rows'}"
        )
    if row.design is None:
        raise refused("toml", given, f"a row with a design; {row.subject} is none of convlab's")
    return str(row.design.text)
