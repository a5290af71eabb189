"""What a store has of a design: its newest measurements and trainings, with those of a version made smaller for a short training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from convlab import units
from convlab.errors import ConvlabError
from convlab.language.addresses import PLURALS, get
from convlab.language.design import Design
from convlab.language.knobs import changed
from convlab.runs.records import Row, Run
from convlab.views.knob_paths import differences_of, values
from convlab.views.runs import conditions_text, figure_text, time_text
from convlab.views.tables import Cell, Column, Table, plain, words

if TYPE_CHECKING:
    from convlab.runs.store import Store

NEWEST = 20
"""Runs about a design that are looked at."""

MEASURED = {"throughput": "throughput", "latency": "latency", "layers": "step, all layers"}
"""The rows of measurements that are about a whole network, by their kinds."""

COLUMNS = (
    Column("subject", "design", least=12),
    Column("kind", "what"),
    Column("median", "median", right=True),
    Column("interval", "95 % interval", right=True, rank=1),
    Column("n", "n", right=True, rank=3),
    Column("peak_bytes", "peak memory", right=True, rank=2),
    Column("conditions", "conditions", least=24),
    Column("device", "device", least=12),
    Column("started", "when, UTC", rank=4),
    Column("run", "run"),
)


@final
@dataclass(frozen=True, slots=True)
class Stored:
    """A row of a run that is about a design, and the facts of the run's environment."""

    position: int
    row: Row
    run: Run
    environment: Mapping[str, Any]


@final
@dataclass(frozen=True, slots=True)
class Evidence:
    """The rows about one design, the newest run first; ``more`` says that there are older ones."""

    name: str
    measured: tuple[Stored, ...]
    trained: tuple[Stored, ...]
    more: bool


def evidence(store: Store, design: Design) -> Evidence:
    """What the store has of a design: measurements of its network, and trainings of it or of what the proxy rules made of it.

    Raises ConvlabError where the store cannot be read.
    """
    # A training of a smaller version has another key, and goes by the design's name, which another design may have too.
    runs = {
        run.id: run
        for about in (design.key, design.name)
        if about
        for run in store.runs(design=about, limit=NEWEST + 1)
    }
    newest = sorted(runs.values(), key=lambda run: (run.started, run.id), reverse=True)
    found = [stored for run in newest[:NEWEST] for stored in _of_run(store, run, design)]
    measured = tuple(each for each in found if each.row.kind in MEASURED)
    trained = tuple(each for each in found if each.row.kind == "training")
    return Evidence(design.name, measured, trained, len(newest) > NEWEST)


def measurement_table(found: Sequence[Stored]) -> Table:
    """A row a measurement; the device has a column where there is more than one."""
    several = len(devices(found)) > 1
    kept = [place for place, column in enumerate(COLUMNS) if several or column.name != "device"]
    rows = (_cells(each) for each in found)
    return Table(tuple(COLUMNS[place] for place in kept), tuple(tuple(row[place] for place in kept) for row in rows))


def devices(found: Sequence[Stored]) -> tuple[str, ...]:
    """The devices that rows were measured on."""
    return tuple(dict.fromkeys(device_of(each.environment) or each.row.device for each in found))


def device_of(environment: Mapping[str, Any]) -> str:
    """The name of the device that an environment is about."""
    device = environment.get("device")
    return str(device.get("name", "")) if isinstance(device, Mapping) else ""


def is_of(row: Row, design: Design) -> bool:
    """Whether a row is about this design: its key is the design's, or differs from it in what the row says was overridden only."""
    if row.design is None:
        return False
    if row.design.key == design.key:
        return True
    before = {each["path"]: each["before"] for each in row.details.get("overrides") or ()}
    if row.kind != "training" or row.subject != design.name or not before:
        return False
    try:
        shrunk = row.design.load()
    except ConvlabError:  # a text that this convlab does not read, of which nothing is known
        return False
    return _only_overridden(design, shrunk, before)


def _only_overridden(design: Design, shrunk: Design, before: Mapping[str, Any]) -> bool:
    """Whether a smaller design differs in overridden knobs only, and these were as the design has them."""
    kept = changed(design, {"stages": design.stages[: len(shrunk.stages)]})
    apart = {item.path for item in differences_of([values(kept), values(shrunk)])}
    of_design = {path: value for path, value in before.items() if not path.startswith("recipe.")}
    return apart <= set(of_design) and all(plain(_value(design, path)) == value for path, value in of_design.items())


def _value(design: Design, path: str) -> Any:
    """A knob as the proxy rule tells it: depths, widths and strides as one value a stage."""
    if path in PLURALS:
        return tuple(getattr(stage, PLURALS[path]) for stage in design.stages)
    return get(design, path)


def _of_run(store: Store, run: Run, design: Design) -> Iterator[Stored]:
    rows = [(position, row) for position, row in store.rows(run).items() if is_of(row, design)]
    if rows:
        facts = store.environment(run)
        yield from (Stored(position, row, run, facts) for position, row in rows)


def _cells(found: Stored) -> tuple[Cell, ...]:
    row = found.row
    ends = (row.low, row.high)
    peak = row.details.get("peak_bytes")
    failure = row.details.get("failure") if row.median is None else ""
    told = "; ".join(filter(None, (conditions_text(row), failure)))
    return (
        words(row.subject),
        words(MEASURED[row.kind]),
        Cell(row.median, figure_text(row.median, row.unit)),
        Cell(list(ends), _interval(row)),
        Cell(row.n, "-" if row.n is None else str(row.n)),
        Cell(peak, "-" if peak is None else units.size(peak)),
        words(told),
        words(device_of(found.environment) or row.device),
        Cell(found.run.started.isoformat(), time_text(found.run.started)),
        words(found.run.id),
    )


def _interval(row: Row) -> str:
    """From where to where, with the unit once where both ends have the same."""
    if (row.low, row.high) == (None, None):
        return "-"
    low, high = (figure_text(end, row.unit) for end in (row.low, row.high))
    unit = high.rpartition(" ")[2]
    return f"{low.removesuffix(f' {unit}')} to {high}"
