"""What the commands that use the store share: how runs and stores are named and selected on the command line."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convlab.cli.completion import complete_run, complete_status

if TYPE_CHECKING:
    from convlab.errors import ConvlabError
    from convlab.runs.store import Store

PANEL = "Runs"
LIMIT = 20

At = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="PATH|URL", help="Another store than the one that is set.", rich_help_panel="Store"
    ),
]
One = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="Its id, how that or its last letters begin, or latest.", autocompletion=complete_run
    ),
]
Some = Annotated[list[str], typer.Argument(metavar="RUN...", help="As for show.", autocompletion=complete_run)]
MaybeSome = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN...]", help="As for show; otherwise those that the options select.", autocompletion=complete_run
    ),
]
Kind = Annotated[
    str | None,
    typer.Option("--kind", metavar="KIND", help="Only these, such as benchmark.", rich_help_panel="Which runs"),
]
OfDesign = Annotated[
    str | None,
    typer.Option(
        "--design",
        metavar="DESIGN",
        help="Only runs about it: a subject's name, a TOML file, or a design's key.",
        rich_help_panel="Which runs",
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME|SPAN",
        help="Only since then: 2026-11-22, 2026-11-22T17:03 (UTC), 7d, 12h.",
        rich_help_panel="Which runs",
    ),
]
Status = Annotated[
    str | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="Only running, complete, stopped, failed, interrupted.",
        rich_help_panel="Which runs",
        autocompletion=complete_status,
    ),
]
Limit = Annotated[
    str | None,
    typer.Option(
        "--limit", metavar="N", help=f"At most so many, the newest; {LIMIT} by default.", rich_help_panel="Which runs"
    ),
]
Deleted = Annotated[
    bool, typer.Option("--deleted", help="Those that are marked for removal.", rich_help_panel="Which runs")
]


def opened(where: str | None) -> Store:
    """The store that is named or set; one that is named has to be there. Raises ConvlabError."""
    from convlab.runs import existing_store

    return existing_store(where)


def selection(kind: str | None, design: str | None, since: str | None, status: str | None) -> dict[str, Any]:
    """What ``Store.runs`` selects by, read. Raises ConvlabError."""
    from convlab.cli.arguments import choice_of
    from convlab.runs.records import STATUSES

    if status is not None:
        choice_of("status", status, STATUSES)
    if design is not None and design.endswith(".toml"):
        from convlab.language.files import load

        design = load(design).key
    return {"kind": kind, "design": design, "since": since and _moment("since", since), "status": status}


def _moment(option: str, text: str) -> datetime:
    from datetime import UTC

    from convlab.runs.times import moment

    found = moment(text, datetime.now(UTC))
    if found is None:
        raise refused(option, text, "a date, a time or a span before now: 2026-11-22, 2026-11-22T17:03, 7d, 12h")
    return found


def span(option: str, text: str) -> timedelta:
    """The span of time of an option. Raises ConvlabError."""
    from convlab.runs.times import span

    found = span(text)
    if found is None:
        raise refused(option, text, "a span of time: 90s, 30m, 12h, 7d, 4w")
    return found


def count(number: int, noun: str) -> str:
    """How many there are of something, in words."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def refused(option: str, text: str, label: str) -> ConvlabError:
    """An option that does not take its value; ``label`` says what it takes."""
    from convlab.errors import ConvlabError, Place, Problem, quote

    place = Place(f"--{option}", 1, 1, text, len(text))
    return ConvlabError(Problem("wrong-type", f"{quote(text)} is not what --{option} takes", place, label), exit_code=2)


def usage(message: str, help: str) -> ConvlabError:
    """A command that was called in a way that it does not understand."""
    from convlab.errors import ConvlabError, Problem

    return ConvlabError(Problem("usage", message, help=help), exit_code=2)
