"""The commands, from the application itself: what each is for, its example, and the help that it prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from building.text import code, prose
from convlab.cli.app import application

WIDTH = 96


def commands() -> str:
    """Every command and every command of a group."""
    program = typer.main.get_command(application(panels=False))
    return "\n\n".join(_walked(program, ("convlab",)))


def _walked(group: Any, words: tuple[str, ...]) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        named = (*words, name)
        yield _entry(command, named)
        if getattr(command, "commands", None):
            yield from _walked(command, named)


def _entry(command: Any, words: tuple[str, ...]) -> str:
    title = " ".join(words[1:])
    example = (command.epilog or "").removeprefix("Example: ")
    context = typer.Context(command, info_name=" ".join(words), terminal_width=WIDTH, max_content_width=WIDTH)
    help = command.get_help(context).replace("```", "'''")
    level = "#" * (len(words) + 1)
    shown = f"```text\n{help}\n```"
    return f"{level} {title} {{ #{'-'.join(words[1:])} }}\n\n{prose(command.get_short_help_str(limit=300))}\n\n{code(example)}\n\n{shown}"
