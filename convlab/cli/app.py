"""The application: the commands in their panels, and how a command line is run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from convlab.cli import (
    analysis,
    building,
    calibrating,
    charting,
    data_sets,
    environment,
    exporting,
    inheritance,
    knowledge,
    lab,
    measuring,
    reporting,
    runs,
    spaces,
    training,
    tui,
    weights,
)
from convlab.cli.output import Command
from convlab.cli.terminal import wants_color

COMMANDS: tuple[Command, ...] = (
    building.build,
    building.verify,
    exporting.export,
    analysis.profile,
    analysis.compare,
    analysis.roadmap,
    reporting.report,
    charting.chart,
    tui.tui,
    lab.lab,
    measuring.bench,
    calibrating.calibrate,
    training.train,
    data_sets.recipes,
    knowledge.explain,
    knowledge.presets,
    knowledge.resolve,
    knowledge.schema,
    environment.config,
    environment.doctor,
)

COMPLETION_VARIABLE = "_CONVLAB_COMPLETE"


class Group(TyperGroup):
    """Commands that are listed by panel in plain text too, and a suggestion where a name is misspelled."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            from convlab.cli.problems import unknown_command

            raise unknown_command(args[0], ctx.command_path, self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None) or "Commands"
            panels.setdefault(panel, []).append((name, command.get_short_help_str(limit=200)))
        widest = max(len(name) for name in self.commands)
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl([(name.ljust(widest), help) for name, help in rows])


class ListingGroup(Group):
    """A group that lists what there is where nothing more is said."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["list"])


def application(*, panels: bool) -> typer.Typer:
    """The application; ``panels`` draws help in boxes and colours, otherwise it is plain text."""
    app = typer.Typer(
        name="convlab",
        cls=Group,
        help="A laboratory for designing ConvNets.",
        epilog="Example: convlab profile convnext_t --set stages.2.depth=27",
        rich_markup_mode="rich" if panels else None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_version_option)
    _add(app, COMMANDS)
    space = typer.Typer(cls=Group, rich_markup_mode=app.rich_markup_mode, help="Count, sample and cost design spaces.")
    _add(space, spaces.COMMANDS)
    app.add_typer(space, name="space", rich_help_panel="Spaces", epilog=f"Example: {spaces.COMMANDS[0].example}")
    checkpoint = typer.Typer(
        cls=Group, rich_markup_mode=app.rich_markup_mode, help="Check and convert trained weights."
    )
    _add(checkpoint, (*weights.COMMANDS, inheritance.inherit))
    app.add_typer(checkpoint, name="weights", rich_help_panel="Build", epilog=f"Example: {weights.COMMANDS[0].example}")
    data = typer.Typer(
        cls=ListingGroup, rich_markup_mode=app.rich_markup_mode, help="List, look into and fetch data sets."
    )
    _add(data, data_sets.COMMANDS)
    app.add_typer(data, name="data", rich_help_panel="Train", epilog=f"Example: {data_sets.COMMANDS[0].example}")
    stored = typer.Typer(
        cls=Group, rich_markup_mode=app.rich_markup_mode, help="Look into what was measured and trained."
    )
    _add(stored, runs.COMMANDS)
    app.add_typer(stored, name="runs", rich_help_panel="Runs", epilog=f"Example: {runs.COMMANDS[0].example}")
    return app


def _add(app: typer.Typer, commands: Sequence[Command]) -> None:
    for command in commands:
        app.command(command.name, rich_help_panel=command.panel, epilog=f"Example: {command.example}")(command.function)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; the exit code. Raises ConvlabError, and what typer raises for wrong usage."""
    program = typer.main.get_command(application(panels=wants_color(sys.stdout)))
    _flags_take_no_value(program)
    if COMPLETION_VARIABLE in os.environ:
        program.main(args=list(arguments), prog_name="convlab")
        return 0
    try:
        with program.make_context("convlab", list(arguments)) as context:
            program.invoke(context)
    except typer.Exit as exit:
        return exit.exit_code
    return 0


def _flags_take_no_value(command: Any) -> None:
    """Let help show a flag without the type of a value."""
    options = [*command.params, command.get_help_option(typer.Context(command))]
    for option in options:
        if getattr(option, "is_flag", False):
            option.metavar = ""
    for inner in getattr(command, "commands", {}).values():
        _flags_take_no_value(inner)


def _version_option(
    version: bool = typer.Option(False, "--version", help="Show the version."),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an internal error."),
) -> None:
    """A laboratory for designing ConvNets."""
