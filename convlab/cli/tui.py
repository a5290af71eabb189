"""The command that opens the lab in this terminal, or serves it to a browser on this machine."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from convlab.cli.completion import complete_design, complete_theme
from convlab.cli.options import Against, ImageSize
from convlab.cli.output import Output, command

PANEL = "Analyse"

MaybeDesign = Annotated[
    str | None,
    typer.Argument(
        metavar="[DESIGN]",
        help="A preset's name or a TOML file; without one you are asked.",
        show_default=False,
        autocompletion=complete_design,
    ),
]
ThemeName = Annotated[
    str | None,
    typer.Option(
        "--theme",
        metavar="NAME",
        help="dark, light, ansi or okabe-ito, for this time; T in the lab keeps one.",
        rich_help_panel="Looks",
        autocompletion=complete_theme,
    ),
]
Serve = Annotated[bool, typer.Option("--serve", help="Show it in a browser, on 127.0.0.1.", rich_help_panel="Serve")]
Port = Annotated[
    str | None, typer.Option("--port", metavar="N", help="With --serve; 8000 by default.", rich_help_panel="Serve")
]


@command(PANEL, "convlab tui convnext_t --against resnet50")
def tui(
    output: Output,
    design: MaybeDesign = None,
    image: ImageSize = None,
    against: Against = None,
    theme: ThemeName = None,
    serve: Serve = False,
    port: Port = None,
) -> None:
    """Open the lab: edit a design and watch what it costs."""
    from convlab.cli.arguments import PORT, choice_of, design_of, number_of
    from convlab.cli.interrupts import interrupts
    from convlab.errors import ConvlabError, Problem
    from convlab.tui.start import begun, run
    from convlab.tui.themes import THEMES

    if theme is not None:
        choice_of("theme", theme, tuple(THEMES))
    if output.as_json:
        problem = Problem("usage", "the lab is no JSON", help="convlab profile --json shows what a design costs")
        raise ConvlabError(problem, exit_code=2)
    if port is not None and not serve:
        raise ConvlabError(
            Problem("usage", "--port is about --serve", help="add --serve, or leave it out"), exit_code=2
        )
    baseline = None if against is None else design_of(against, None, image)
    session = begun(design, image=None if image is None else _size(image), baseline=baseline)
    if serve:
        from convlab.tui.serving import serve as serve_it

        given = (("--image", image), ("--against", against), ("--theme", theme))
        words = [word for option, value in given if value is not None for word in (option, value)]
        serve_it([*([] if design is None else [design]), *words], port=number_of(PORT, port))
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()) and "TEXTUAL_DRIVER" not in os.environ:
        help = "convlab profile prints what a design costs; --serve shows the lab in a browser"
        raise ConvlabError(Problem("usage", "the lab needs a terminal", help=help), exit_code=2)
    if output.color == "never":
        os.environ["NO_COLOR"] = "1"
    interrupts.settle()
    code = run(session, theme=theme or "")
    if code:
        raise typer.Exit(code)


def _size(text: str) -> int | tuple[int, int]:
    from convlab.cli.arguments import size_of

    return size_of(text)
