"""Output: what every command does with its result, and the options for it, which all commands have in common."""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convlab.cli.completion import complete_color
from convlab.cli.terminal import wants_color

if TYPE_CHECKING:
    from convlab.settings import Settings
    from convlab.views.cards import Card
    from convlab.views.notes import Note
    from convlab.views.tables import Table

COLORS = ("auto", "always", "never")

SCHEMA_VERSION = 1
"""The version of the form of all JSON output."""

PANEL = "Output"


@dataclass(frozen=True)
class Output:
    """Where a command's result goes: JSON or text to stdout, notes to stderr."""

    as_json: bool
    quiet: bool
    color_option: str | None

    def settings(self, **given: Any) -> Settings:
        """The settings, with what the command line says. Raises ConvlabError."""
        from convlab.settings import read_settings, settings_of

        return settings_of(read_settings({"color": self.color_option, **given}))

    @functools.cached_property
    def color(self) -> str:
        """When to colour; settings are looked at only where no option says."""
        return self.color_option or self.settings().color

    @functools.cached_property
    def progress(self) -> str:
        """How long work tells how far it is; not at all where the command line says quiet."""
        return "none" if self.quiet else self.settings().progress

    def json(self, result: dict[str, Any]) -> None:
        """Write a result as one object."""
        print(json.dumps({"schema_version": SCHEMA_VERSION, **result}, indent=2))

    def table(self, table: Table, *, by_pairs: bool = False) -> None:
        """Print a table; ``by_pairs`` two columns at a time where there is little room."""
        from convlab.cli.printing import print_table

        print_table(table, self.color, by_pairs=by_pairs)

    def cards(self, cards: Sequence[Card]) -> None:
        """Print cards."""
        from convlab.cli.printing import print_cards

        print_cards(cards, self.color)

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Print labels and texts."""
        from convlab.cli.printing import print_facts

        print_facts(facts, self.color)

    def heading(self, text: str) -> None:
        """Print a heading."""
        from convlab.cli.printing import print_text

        print_text(text, self.color, "bold")

    def turned(self, sets: Sequence[str] | None) -> None:
        """Print which knobs the command line turns, where it does."""
        if sets:
            self.text(f"turned: {', '.join(sets)}")

    def text(self, text: str = "") -> None:
        """Print a paragraph."""
        from convlab.cli.printing import print_text

        print_text(text, self.color)

    def notes(self, notes: Sequence[Note]) -> None:
        """Tell on stderr what a reader should know, unless quiet; results go out before."""
        from convlab.errors import visible

        if self.quiet or not notes:
            return
        sys.stdout.flush()
        if self.progress == "json":
            from convlab.cli.live import noted

            return noted(notes)
        word = "\x1b[33mnote:\x1b[0m" if wants_color(sys.stderr, self.color) else "note:"
        for note in notes:
            print(f"{word} {visible(note.message)}\n   = help: {visible(note.help)}", file=sys.stderr)


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.", rich_help_panel=PANEL)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes on stderr.", rich_help_panel=PANEL)]
Color = Annotated[
    str | None,
    typer.Option(
        "--color",
        metavar="auto|always|never",
        help="When to colour.",
        rich_help_panel=PANEL,
        autocompletion=complete_color,
    ),
]


def _common(*, as_json: AsJson = False, quiet: Quiet = False, color: Color = None) -> Output:
    if color not in (None, *COLORS):
        from convlab.cli.arguments import choice_of

        choice_of("color", str(color), COLORS)
    return Output(as_json, quiet, color)


@dataclass(frozen=True)
class Command:
    """A command: its name, the function that typer calls, its panel in the help, and an example."""

    name: str
    function: Callable[..., None]
    panel: str
    example: str


def command(panel: str, example: str, name: str = "") -> Callable[[Callable[..., None]], Command]:
    """Make a function whose first parameter is an ``Output`` a command that has the options all commands have."""

    def made(function: Callable[..., None]) -> Command:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        common = inspect.signature(_common, eval_str=True).parameters

        @functools.wraps(function)
        def called(**given: Any) -> None:
            output = _common(**{option: given.pop(option) for option in common})
            function(output, **given)

        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *common.values())]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del called.__wrapped__
        return Command(name or function.__name__, called, panel, example)

    return made
