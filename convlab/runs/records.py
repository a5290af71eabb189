"""What the store keeps, as frozen data: a run, its rows, and the designs that they are about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, final

from convlab import display

if TYPE_CHECKING:
    from convlab.language.design import Design

STATUSES = ("running", "complete", "stopped", "failed", "interrupted")
"""What became of a run: stopped by a person, failed with an error, or interrupted because its process died."""


@final
@dataclass(frozen=True, slots=True)
class ResolvedDesign:
    """A design as it was: its key, and its TOML with every knob, which later defaults cannot change."""

    key: str
    text: str

    @classmethod
    def of(cls, design: Design) -> ResolvedDesign:
        """The record of a design."""
        from convlab.language.writing import text_in_full

        return cls(design.key, text_in_full(design))

    @property
    def sha(self) -> str:
        """The SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def load(self, name: str = "stored design") -> Design:
        """The design itself. Raises ConvlabError where this convlab does not read the text any more."""
        from convlab.language.files import load_text

        return load_text(self.text, name=name)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of a run: what it is (``kind``), of whom (``subject``), under which conditions, with its interval.

    ``median``, ``low`` and ``high`` are in ``unit``; not finite or not known, they are None. ``details`` is whatever else belongs to the
    row, as JSON holds it: samples, parts, a failure.
    """

    kind: str
    subject: str
    design: ResolvedDesign | None = None
    task: str = ""
    device: str = ""
    dtype: str = ""
    layout: str = ""
    mode: str = ""
    batch: int | None = None
    image_height: int | None = None
    image_width: int | None = None
    threads: int | None = None
    n: int | None = None
    """How many samples the figure is made of."""
    median: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


CONDITIONS = (
    "task",
    "device",
    "dtype",
    "layout",
    "mode",
    "batch",
    "image_height",
    "image_width",
    "threads",
)
"""The fields of a row that say under which conditions it was measured."""

FURTHER_CONDITIONS = ("folded", "cuda_graphs")
"""Conditions that are true of some rows, told among their details."""

TRAINING_CONDITIONS = ("recipe", "data", "budget", "seed")
"""Conditions of trainings, told among their details; None in other rows. The budget is in images."""


def conditions_of(row: Row) -> dict[str, Any]:
    """Every condition of a row, by name."""
    columns = {name: getattr(row, name) for name in CONDITIONS}
    further = {name: bool(row.details.get(name)) for name in FURTHER_CONDITIONS}
    return columns | further | {name: row.details.get(name) for name in TRAINING_CONDITIONS}


@final
@dataclass(frozen=True, slots=True)
class Run:
    """A run, without its rows. Times are in UTC."""

    id: str
    kind: str
    name: str
    status: str
    """One of ``STATUSES``."""
    started: datetime
    finished: datetime | None
    command: str
    settings: Mapping[str, Any]
    version: str
    """The version of convlab."""
    commit: str
    """The git commit of the checkout that convlab ran from, empty where it was none."""
    dirty: bool
    """Whether that checkout held changes that were not committed."""
    environment: str
    """The digest of the environment."""
    note: str
    """What the caller noted, or the error of a run that failed."""
    host: str
    process: int | None
    deleted: datetime | None
    """When it was marked for removal."""
    rows: int
    """How many rows it has."""

    _repr_html_ = display.html
    _repr_pretty_ = display.pretty


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which runs are meant; what is not given does not matter."""

    kind: str | None = None
    design: str | None = None
    """The name of a subject, or how the key of a design begins."""
    since: datetime | None = None
    status: str | None = None
    limit: int | None = None
    deleted: bool | None = False
    """None: those that are marked for removal too."""
