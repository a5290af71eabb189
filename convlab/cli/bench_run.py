"""A run of ``bench``: progress on stderr, rows into the store meanwhile, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, final

from convlab.cli.bench_request import Request
from convlab.measurement.benchmarking import Benchmark, Keep
from convlab.measurement.machine.environment import environment
from convlab.measurement.recording import Recorder, recording
from convlab.views.notes import Note

STOPPED = 130
FAILED = 3


@final
@dataclass(frozen=True)
class Measured:
    """What is left to do when the run is closed: printing may fail, and what was measured is whole then."""

    code: int
    show: Callable[[], None]


@final
@dataclass(frozen=True)
class Keeping:
    """Where the results go while they are measured: the recorder of a run, and the store's place; nowhere with ``--no-store``."""

    recorder: Recorder | None = None
    place: str = ""
    earlier: str = ""
    """Without a recorder: the run that has all rows already."""

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What a reader needs to find the run again."""
        if self.earlier:
            return [("stored in", self.place), ("see", f"convlab runs show {self.earlier}")]
        if self.recorder is None:
            return [("stored", "nothing (--no-store)")]
        see = ("see", f"convlab runs show {self.recorder.id}")
        if not self.recorder.stored:
            return [("stored", f"no row; a run without rows is in {self.place}"), see]
        return [("stored in", self.place), see]

    @property
    def notes(self) -> list[Note]:
        """What was not stored."""
        if self.recorder is None or self.recorder.trouble is None:
            return []
        problem = self.recorder.trouble.problems[0]
        rows = f"{self.recorder.missing} row{'s' * (self.recorder.missing != 1)} not stored"
        return [Note("", f"{rows}: {problem.message}", problem.help)]

    def plain(self) -> dict[str, Any] | None:
        """The run as JSON holds it."""
        id = self.earlier if self.recorder is None else self.recorder.id
        return {"id": id, "store": self.place} if id else None

    @property
    def benchmarks(self) -> Keep | None:
        """What puts benchmarks into the run; one that was stopped before its first round has nothing to be kept."""
        recorder = self.recorder
        if recorder is None:
            return None

        def keep(found: Benchmark) -> None:
            if not is_empty(found):
                recorder(found)

        return keep

    def measured(self, show: Callable[[], None], *, stopped: bool, figures: bool) -> Measured:
        """How a measurement ended, and what prints it. Raises KeyboardInterrupt where it was stopped before there was anything to print."""
        if stopped and not figures:
            raise KeyboardInterrupt
        return Measured(self.code(stopped=stopped, figures=figures), show)

    def code(self, *, stopped: bool, figures: bool, why: str = "") -> int:
        """The exit code, and the run's status with it: stopped by Ctrl-C, failed without any figures (``why`` is noted), or fine."""
        if self.recorder is not None:
            self.recorder.retry()
            if stopped:
                self.recorder.stop()
            elif not figures:
                self.recorder.fail(why)
        return STOPPED if stopped else 0 if figures else FAILED


def is_empty(found: Benchmark) -> bool:
    """Whether a benchmark was stopped before it had a figure of any network."""
    return found.stopped and all(row.step is None for row in found.rows)


@contextmanager
def keeping(store: str | None, asked: Request, *, kind: str, stored: bool) -> Iterator[Keeping]:
    """A run of the store for what the request measures. Raises ConvlabError where the store takes none."""
    if not stored:
        yield Keeping()
        return
    from convlab.runs import open_store

    with open_store(store) as opened:
        names = ", ".join(each.name for each in (*asked.subjects, *asked.against))
        conditions = [asdict(each) for each in asked.conditions]
        settings = {
            "what": kind,
            "protocol": asdict(asked.protocol),
            "conditions": conditions,
            "sets": list(asked.sets),
        }
        place = environment(asked.conditions[0].device)
        with recording(opened, "benchmark", name=names, settings=settings, environment=place) as recorder:
            yield Keeping(recorder, opened.place)
