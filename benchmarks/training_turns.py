"""Candidates of the training benchmark, each in a process of its own, as a user would start it, taking turns: what one sets for its
process, such as how memory is kept, is not a gift to the others."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, final

import torch

CONTEXT = multiprocessing.get_context("spawn")

Turn = Callable[[], float]
"""One turn of a candidate: seconds an image."""


@final
class InProcess(AbstractContextManager["InProcess"]):
    """A candidate that is made in a process of its own by ``make(*arguments)``, which gives its turn."""

    def __init__(self, name: str, make: Callable[..., Turn], *arguments: Any) -> None:
        self._name = name
        self._connection, other = CONTEXT.Pipe()
        threads = torch.get_num_threads()
        # No daemon: a candidate may have workers of its own.
        self._process = CONTEXT.Process(target=_serve, args=(other, threads, make, arguments))
        self._process.start()
        other.close()

    def __call__(self) -> float:
        """Have it take a turn. Raises SystemExit where it broke."""
        try:
            self._connection.send(True)
            seconds: float = self._connection.recv()
        except (EOFError, OSError) as error:
            raise SystemExit(f"{self._name}: its process broke; the reason stands above") from error
        return seconds

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.join(10)
        self._process.kill()


def _serve(connection: Connection, threads: int, make: Callable[..., Turn], arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(threads)
    turn = make(*arguments)
    try:
        while connection.recv():
            connection.send(turn())
    except EOFError:
        return
