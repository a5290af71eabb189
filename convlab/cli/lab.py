"""The command that opens the notebooks: copies them into a folder of the user's and starts JupyterLab there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from convlab.cli.output import Output, command

if TYPE_CHECKING:
    from subprocess import Popen

PANEL = "Analyse"

Folder = Annotated[
    str | None,
    typer.Argument(
        metavar="[FOLDER]", help="Where the notebooks go; convlab-notebooks by default.", show_default=False
    ),
]
NoBrowser = Annotated[
    bool, typer.Option("--no-browser", help="Print the address, open nothing.", rich_help_panel="Serve")
]
Port = Annotated[
    str | None,
    typer.Option("--port", metavar="N", help="The first free one from 8888 on by default.", rich_help_panel="Serve"),
]
CopyOnly = Annotated[bool, typer.Option("--copy-only", help="Copy the notebooks and start nothing.")]


@command(PANEL, "convlab lab my-notebooks --no-browser")
def lab(
    output: Output,
    folder: Folder = None,
    no_browser: NoBrowser = False,
    port: Port = None,
    copy_only: CopyOnly = False,
) -> None:
    """Open the notebooks: copies of them, in JupyterLab; a file of yours is never overwritten."""
    from convlab.cli.arguments import PORT, number_of
    from convlab.errors import ConvlabError, Problem
    from convlab.notebook.folder import PLACE, copy_notebooks, server_command

    number = 0 if port is None else number_of(PORT, port)
    if output.as_json and not copy_only:
        problem = Problem("usage", "a notebook server is no JSON", help="--copy-only --json tells what was copied")
        raise ConvlabError(problem, exit_code=2)
    if copy_only and (no_browser or port is not None):
        problem = Problem("usage", "--copy-only starts nothing", help="leave out --no-browser and --port")
        raise ConvlabError(problem, exit_code=2)
    copied = copy_notebooks(PLACE if folder is None else folder)
    if output.as_json:
        plain = {"folder": str(copied.folder), "written": list(copied.written), "kept": list(copied.kept)}
        output.json(plain)
        return
    output.text(f"{copied.folder}: {_count(len(copied.written))} copied")
    if copied.kept:
        output.text(f"kept as {'it is' if len(copied.kept) == 1 else 'they are'}: {', '.join(copied.kept)}")
    if not copy_only:
        code = _serve([sys.executable, *server_command(copied.folder, port=number, browser=not no_browser)])
        if code:
            raise typer.Exit(code)


def _serve(command: list[str]) -> int:
    """Run the server until it ends; what ends this process ends it, too. Ctrl-C reaches both, and it asks whether it should."""
    import os
    import signal
    import subprocess

    from convlab.notebook.serving import PARENT

    pipe = os.pipe() if os.name == "posix" else ()
    told = {PARENT: str(pipe[0])} if pipe else {}
    with subprocess.Popen(command, env={**os.environ, **told}, pass_fds=pipe[:1]) as server:
        before = signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        try:
            code = _waited(server)
        finally:
            signal.signal(signal.SIGTERM, before)
            for end in pipe:  # first the one that the server reads from
                os.close(end)
    return code if code >= 0 else 128 - code


def _waited(server: Popen[bytes]) -> int:
    while True:
        try:
            return server.wait()
        except KeyboardInterrupt:
            continue


def _count(number: int) -> str:
    return f"{number} notebook{'s' * (number != 1)}"
