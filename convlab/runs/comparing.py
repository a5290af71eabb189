"""Rows of several runs side by side: which belong together, what differs in their conditions, and their ratios with an interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from convlab.runs.records import Row, conditions_of


class Ratio(NamedTuple):
    """How many times the baseline's figure another is. The ends are those that the two intervals allow, None where one has none."""

    median: float
    low: float | None
    high: float | None


class Difference(NamedTuple):
    """What rows side by side do not have in common: a field, and its value in each run (None where a run has no such row)."""

    name: str
    values: tuple[Any, ...]


@final
@dataclass(frozen=True, slots=True)
class Line:
    """Rows that belong together, one a run, None where a run has none."""

    kind: str
    rows: tuple[Row | None, ...]
    differences: tuple[Difference, ...]
    """What makes the rows unlike: their ratio is one of the conditions too."""

    @property
    def first(self) -> Row:
        """The first row that is there."""
        return next(row for row in self.rows if row is not None)

    @property
    def ratios(self) -> tuple[Ratio | None, ...]:
        """Each row over the first run's."""
        return tuple(ratio(row, self.rows[0]) for row in self.rows)


def compare(runs: Sequence[Mapping[int, Row]]) -> tuple[Line, ...]:
    """The rows of runs side by side; the first run is the baseline, and rows that it does not have come last."""
    base, *others = (list(rows.values()) for rows in runs)
    matches = [dict(_matched(base, other)) for other in others]
    lines = [
        (
            row,
            *(other[match[number]] if number in match else None for other, match in zip(others, matches, strict=True)),
        )
        for number, row in enumerate(base)
    ]
    for place, (other, match) in enumerate(zip(others, matches, strict=True), start=1):
        taken = set(match.values())
        alone = [row for number, row in enumerate(other) if number not in taken]
        lines += [tuple(row if run == place else None for run in range(len(runs))) for row in alone]
    return tuple(Line(next(filter(None, rows)).kind, rows, tuple(_differences(rows))) for rows in lines)


def ratio(row: Row | None, base: Row | None) -> Ratio | None:
    """How many times the baseline's figure a row's is; None where there is none of both, or the baseline's is not above 0."""
    if row is None or base is None or row.median is None or not base.median or base.median < 0:
        return None
    low = row.low / base.high if row.low is not None and base.high else None
    high = row.high / base.low if row.high is not None and base.low and base.low > 0 else None
    return Ratio(row.median / base.median, low, high)


def differing(facts: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    """The facts of environments that are not the same in all of them, nested ones by their dotted paths."""
    flat = [dict(_flat(each, "")) for each in facts]
    names = dict.fromkeys(name for each in flat for name in each)
    found = (Difference(name, tuple(each.get(name) for each in flat)) for name in names)
    return tuple(item for item in found if any(value != item.values[0] for value in item.values))


def _conditions(row: Row) -> tuple[Any, ...]:
    return tuple(conditions_of(row).values())


def _key(row: Row) -> str | None:
    return None if row.design is None else row.design.key


_ALIKE: tuple[Callable[[Row], tuple[Any, ...]], ...] = (
    lambda row: (row.subject, _key(row), *_conditions(row)),
    lambda row: (row.subject, *_conditions(row)),
    lambda row: (row.subject, row.details.get("seed")),
    lambda row: (row.subject,),
    _conditions,
    lambda row: (),
)
"""What makes rows of one kind, unit and layer belong together, the surest first; what is less than sure, only where it leaves no choice."""


def _matched(base: Sequence[Row], other: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """The numbers of rows that belong together."""
    left, right = dict(enumerate(base)), dict(enumerate(other))
    for alike in _ALIKE:
        mine, theirs = _grouped(left, alike), _grouped(right, alike)
        for key, numbers in mine.items():
            found = theirs.get(key, [])
            if alike is not _ALIKE[0] and (len(numbers), len(found)) != (1, 1):
                continue
            for pair in zip(numbers, found, strict=False):
                yield pair
                del left[pair[0]], right[pair[1]]


def _grouped(rows: Mapping[int, Row], alike: Callable[[Row], tuple[Any, ...]]) -> dict[tuple[Any, ...], list[int]]:
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for number, row in rows.items():
        found[row.kind, row.unit, row.details.get("path"), *alike(row)].append(number)
    return found


def _differences(rows: tuple[Row | None, ...]) -> Iterator[Difference]:
    facts = [row and {"subject": row.subject, "design": _key(row), **conditions_of(row)} for row in rows]
    first = next(filter(None, facts))
    for name in first:
        values = tuple(each and each[name] for each in facts)
        if any(each and each[name] != first[name] for each in facts):
            yield Difference(name, values)


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}" if path else str(name))
    else:
        yield path, value
