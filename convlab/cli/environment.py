"""The commands about this installation: config and doctor."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from convlab.cli.output import Output, command

PANEL = "This installation"


@command(PANEL, "convlab config")
def config(output: Output) -> None:
    """Show every setting, with its value and where it comes from."""
    from convlab.settings import project_file, read_settings, unknown_variables, user_file
    from convlab.views.notes import Note
    from convlab.views.tables import Column, Table, value_text, words

    found = read_settings({"color": output.color_option})
    files = {"project": project_file(), "user": user_file()}
    strange = [
        Note(name, f"there is no setting for {name}", "convlab config lists the settings")
        for name in unknown_variables()
    ]
    if output.as_json:
        rows = [
            {
                "name": item.knob.name,
                "value": _without_password(item.value),
                "origin": item.origin,
                "help": item.knob.help,
            }
            for item in found
        ]
        output.json({"settings": rows, "files": {kind: path and str(path) for kind, path in files.items()}})
    else:
        columns = (Column("name", "setting"), Column("value", "value"), Column("origin", "from", least=30))
        cells = tuple(
            (words(item.knob.name), words(value_text(_without_password(item.value))), words(item.origin))
            for item in found
        )
        output.table(Table(columns, cells))
        output.text()
        output.facts(_files(files))
    output.notes(strange)


@command(PANEL, "convlab doctor")
def doctor(output: Output) -> None:
    """Check the installation, and name the fix where something is wrong."""
    import typer

    from convlab.cli.checkup import examine
    from convlab.errors import ConvlabError

    try:
        output = dataclasses.replace(output, color_option=output.color)
    except ConvlabError:  # told among the findings
        output = dataclasses.replace(output, color_option="auto")
    findings = examine()
    fine = all(item.state != "broken" for item in findings)
    if output.as_json:
        output.json({"fine": fine, "findings": [item._asdict() for item in findings]})
    else:
        marks = {"fine": "ok", "note": "--", "broken": "!!"}
        for item in findings:
            output.facts([(f"{marks[item.state]} {item.what:<14}", item.found)])
            output.facts([(" " * 17, f"fix: {item.fix}")] if item.fix else [])
        output.text()
        output.text(
            "All that convlab needs is here." if fine else "Something that convlab needs is broken: see !! above."
        )
    if not fine:
        raise typer.Exit(1)


def _without_password(value: Any) -> Any:
    """A setting's value; the URL of a store may hold a password."""
    from convlab.runs.plain import without_passwords

    return without_passwords(value) if isinstance(value, str) else value


def _files(files: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(f"{kind} file", str(path) if path else "none") for kind, path in files.items()]
