"""The lab in a browser: textual-serve on 127.0.0.1, with a page of our own that asks no other host for anything."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

HOST = "127.0.0.1"
"""It has no login: whoever reaches it may write files as you."""

PAGES = Path(__file__).parent / "page"


def serve(arguments: Sequence[str], *, port: int) -> None:
    """Serve ``convlab tui`` with these arguments until Ctrl+C. Raises ConvlabError where the port is taken."""
    from textual_serve.server import Server

    _free(port)
    command = shlex.join([sys.executable, "-m", "convlab", "tui", *arguments])
    Server(command, host=HOST, port=port, title="convlab", templates_path=PAGES).serve()


def _free(port: int) -> None:
    import socket

    from convlab.errors import ConvlabError, Problem

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            problem = Problem("usage", f"port {port} cannot be used: {error.strerror}", help="name another with --port")
            raise ConvlabError(problem, exit_code=2) from None
