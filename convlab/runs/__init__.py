"""The store of everything that is measured or trained: SQLite in one file, or PostgreSQL by its URL. Knows nothing of torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from convlab.runs.records import ResolvedDesign, Row, Run

if TYPE_CHECKING:
    from convlab.runs.store import Store

__all__ = ["ResolvedDesign", "Row", "Run", "existing_store", "open_store"]

PATIENCE_S = 30.0
"""How long to wait for another process that writes."""


def open_store(where: str | Path | None = None, *, patience_s: float = PATIENCE_S) -> Store:
    """The store at a path or URL (None: the setting ``store``), made where there is none, brought up to date where it is older.

    Raises ConvlabError for a file that is no store, one of a newer convlab, one that cannot be written or reached.
    """
    from convlab.runs.address import address_of
    from convlab.runs.opening import opened
    from convlab.runs.store import Store

    return Store(opened(address_of(where), patience_s=patience_s))


def existing_store(where: str | Path | None = None, *, patience_s: float = PATIENCE_S) -> Store:
    """The store as ``open_store`` gives it, for one who reads: a file that is named and not there is an error."""
    from convlab.runs.address import address_of
    from convlab.runs.opening import opened, refuse_missing
    from convlab.runs.store import Store

    address = address_of(where)
    if where is not None:
        refuse_missing(address)
    return Store(opened(address, patience_s=patience_s))
