"""Where what was given stands: the place of a fault in a file or an argument, and of the values that break a design as a whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from convlab.documents.assignments import Assignment
from convlab.documents.document import Document
from convlab.errors import Place, Problem
from convlab.language.addresses import PLURALS, SECTIONS, STAGE_SECTIONS
from convlab.language.faults import Fault
from convlab.language.knobs import knobs_of

Keys = Sequence[str | int]

_RELATED: dict[str, tuple[str, ...]] = {
    "image.size": ("stem.patch_size", "stem.stride", "stem.kernel_size", "stem.kind", "strides"),
    "output_stride": ("strides", "stem.patch_size", "stem.stride", "stem.kind"),
    "names": ("depths", "widths"),
    "block": ("width", "block.expansion_ratio", "block.kind"),
    "block.kind": ("stem.class_token",),
    "block.window": ("block.kind", "stem.class_token"),
    "downsample": ("depth", "stem.class_token"),
    "downsample.kind": ("block.kind",),
    "head.pool": ("stem.class_token",),
}
"""What else may be at fault where a knob does not fit: knobs that were written later than it."""


@dataclass(frozen=True)
class Source:
    """One thing that sets knobs: a document, or an argument of ``--set``; ``data`` is its table, as ``assign`` takes it."""

    document: Document
    data: dict[str, Any]
    assignment: Assignment | None = None

    def place(self, path: Keys, of: Any = "value") -> Place | None:
        """Where a path was written; None where it was not."""
        return self.document.place(tuple(path), of)

    def placed(self, fault: Fault) -> Problem:
        """The problem of a fault with the place of its path, or of the nearest part of the path that was written."""
        path = list(fault.path)
        place = self.place(path, fault.of)
        while place is None and path:
            path.pop()
            place = self.place(path)
        return dataclasses.replace(fault.problem, place=place or self.whole)

    @property
    def whole(self) -> Place:
        """The source as such."""
        return Place(self.document.name, 0, 0, "", 0) if self.assignment is None else self.assignment.place_of_path()


def placed(chain: Sequence[Source], problems: Iterable[Problem], count: int) -> list[Problem]:
    """Problems of a design of ``count`` stages with their places; what is wrong with one value in several stages is told once."""
    groups: dict[tuple[Place, str, str], list[Problem]] = {}
    for problem in problems:
        place = _written(chain, problem.path, count)
        groups.setdefault((place, problem.code, problem.help), []).append(dataclasses.replace(problem, place=place))
    return [_together(group, count) for group in groups.values()]


def _together(group: list[Problem], count: int) -> Problem:
    stages = sorted({int(problem.path.split(".")[1]) for problem in group if problem.path.startswith("stages.")})
    if not stages or count == 1:
        return group[0]
    listed = f"stage {stages[0]}"
    if len(stages) > 2 and stages == list(range(stages[0], stages[-1] + 1)):
        listed = f"stages {stages[0]} to {stages[-1]}"
    elif len(stages) > 1:
        listed = f"stages {', '.join(map(str, stages[:-1]))} and {stages[-1]}"
    return dataclasses.replace(group[0], label=f"in {listed}")


def _written(chain: Sequence[Source], path: str, count: int) -> Place:
    """Where a knob was written last, or a related one after it; else the table that it belongs to, or the source as such."""
    found: tuple[int, Place] | None = None
    for knob in (path, *_related(path)):
        other = _last(chain, knob, count)
        if other is not None and (found is None or other[0] > found[0]):
            found = other
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        found = found or _last(chain, ".".join(parts[:length]), count)
    return found[1] if found else chain[-1].whole


def _related(path: str) -> tuple[str, ...]:
    parts = path.split(".")
    if parts[0] != "stages":
        return _RELATED.get(path, ())
    knobs = _RELATED.get(".".join(parts[2:])) or _RELATED.get(parts[2], ())
    return tuple(knob if knob.startswith("stem.") else f"stages.{parts[1]}.{knob}" for knob in knobs)


def _last(chain: Sequence[Source], path: str, count: int) -> tuple[int, Place] | None:
    """The last source that speaks of a knob, by its number, and the place there."""
    spellings = list(_spellings(path.split("."), count))
    for number in range(len(chain) - 1, -1, -1):
        for spelling in spellings:
            place = chain[number].place(spelling) if _contains(chain[number].data, spelling) else None
            if place is not None:
                return number, place
    return None


def _spellings(parts: list[str], count: int) -> Iterator[Keys]:
    """The paths under which a knob of a stage may have been written, the most specific first."""
    yield parts
    if parts[0] != "stages" or len(parts) < 3:
        return
    index, rest = int(parts[1]), parts[2:]
    yield ["stages", str(index - count), *rest]
    yield ["stages", "*", *rest]
    for plural, name in PLURALS.items():
        if rest == [name]:
            yield [plural, index]
            yield [plural]
    if rest[0] in STAGE_SECTIONS:
        if len(rest) == 2 and knobs_of(SECTIONS[rest[0]])[rest[1]].kind not in ("choices", "layers"):
            yield [*rest, index]
        yield rest


def _contains(data: Any, path: Keys) -> bool:
    for part in path:
        if isinstance(data, list) and str(part).isdigit() and int(part) < len(data):
            data = data[int(part)]
        elif isinstance(data, dict) and part in data:
            data = data[part]
        else:
            return False
    return True
