"""Progress of long work: what a long verb yields while it runs, and how a caller drains it down to its result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, final

Result = TypeVar("Result")


@final
@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work has come; ``total`` and ``remaining_s`` are None while nobody can know them.

    ``figures`` are what the work is about at this moment, by name: a loss, a rate.
    """

    done: int
    total: int | None
    what: str
    elapsed_s: float
    remaining_s: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


Work = Generator[Progress, None, Result]
"""A long verb at work. KeyboardInterrupt, raised inside or thrown into it, makes it keep and return what it has."""


def finished(work: Work[Result], show: Callable[[Progress], None] | None = None) -> Result:
    """The result of a long verb; ``show`` sees every step.

    Ctrl-C stops the work, which returns what it has; a second one, while it puts things away, is raised.
    """
    try:
        while True:
            try:
                progress = next(work)
                if show is not None:
                    show(progress)
            except KeyboardInterrupt:
                work.throw(KeyboardInterrupt)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
