"""The store: what can be done with it, each thing in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, final

from convlab.language.files import write_whole
from convlab.runs.collecting import Garbage, garbage, mark, remove
from convlab.runs.database import Database
from convlab.runs.exporting import FORMATS, extract
from convlab.runs.querying import Answer, answer
from convlab.runs.reading import environment_of, find_run, find_runs, kinds_of, rows_of
from convlab.runs.records import Row, Run, Selection
from convlab.runs.writing import Recording, mark_interrupted, recorded


@final
@dataclass(frozen=True, slots=True)
class Store:
    """An open store; every method is a transaction of its own and raises ConvlabError where the database does not do it."""

    database: Database

    @property
    def place(self) -> str:
        """Its path, or its URL without the password."""
        return self.database.place

    def begin(
        self,
        kind: str,
        *,
        name: str = "",
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, Any] | None = None,
        note: str = "",
        command: str | None = None,
    ) -> AbstractContextManager[Recording]:
        """A run that lasts as long as the block: ``with store.begin("benchmark") as run: run.put(0, row)``.

        It ends as "complete", by Ctrl-C or a generator that is closed as "stopped", by another error as "failed" with its message.
        ``environment`` is what lasts of it, so that equal ones are kept once. ``command`` is this process's own by default.
        """
        given = {"settings": settings or {}, "environment": environment or {}}
        return recorded(self.database, kind, name=name, note=note, command=command, **given)

    def runs(
        self,
        *,
        kind: str | None = None,
        design: str | None = None,
        since: datetime | None = None,
        status: str | None = None,
        limit: int | None = None,
        deleted: bool | None = False,
    ) -> tuple[Run, ...]:
        """The runs, the newest first; ``design`` is a subject's name or how a design's key begins, ``deleted`` None: those marked too."""
        selection = Selection(kind=kind, design=design, since=since, status=status, limit=limit, deleted=deleted)
        return find_runs(self.database, selection)

    def run(self, given: str, *, deleted: bool = False) -> Run:
        """The run of a name, of how its name or its last letters begin, or "latest". Raises ConvlabError for none and for several.

        With ``deleted`` the latest is that of the runs that are marked for removal.
        """
        return find_run(self.database, given, deleted=deleted)

    def kinds(self) -> tuple[str, ...]:
        """The kinds of its runs."""
        return kinds_of(self.database)

    def rows(self, run: Run | str) -> dict[int, Row]:
        """The rows of a run, or of one that is named as ``run`` names it, by their positions and in their order."""
        return rows_of(self.database, (self.run(run) if isinstance(run, str) else run).id)

    def environment(self, run: Run) -> dict[str, Any]:
        """The facts of the environment of a run."""
        return environment_of(self.database, run.environment)

    def delete(self, *runs: Run) -> None:
        """Mark runs for removal: they are not shown any more, and ``restore`` brings them back."""
        mark(self.database, runs, deleted=True)

    def restore(self, *runs: Run) -> None:
        """Take the mark away."""
        mark(self.database, runs, deleted=False)

    def garbage(self, *, older_than: timedelta = timedelta()) -> Garbage:
        """What ``remove`` would remove: runs that were marked so long ago, and designs and environments of no run."""
        return garbage(self.database, older_than=older_than)

    def remove(self, found: Garbage) -> None:
        """Remove what ``garbage`` found, for good, and give the room back to the disk."""
        remove(self.database, found)

    def gc(self, *, older_than: timedelta = timedelta()) -> Garbage:
        """Remove what was marked so long ago, and what belongs to no run; what was removed."""
        found = self.garbage(older_than=older_than)
        self.remove(found)
        return found

    def query(self, sql: str) -> Answer:
        """What one SELECT gives; the database refuses what would do more than read."""
        mark_interrupted(self.database)
        return answer(self.database, sql)

    def export(self, path: str | Path, runs: Sequence[Run], *, to: str) -> None:
        """Write runs with their rows as "csv", "parquet" or "json", whole or not at all."""
        write_whole(Path(path), FORMATS[to](extract(self.database, runs)))

    def close(self) -> None:
        """Close the connections; the store itself stays as it is."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
