"""Recording: what is measured goes into a run of the store while it is measured, so that a killed process loses seconds of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, final

from convlab.errors import ConvlabError
from convlab.measurement.benchmarking import Benchmark
from convlab.measurement.by_layer.times import LayerTimes
from convlab.measurement.latency import Latency
from convlab.measurement.machine.environment import Environment
from convlab.measurement.rows import Measurement
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.subjects import Subject
from convlab.measurement.statistics import Estimate
from convlab.measurement.surroundings import Surroundings
from convlab.runs import ResolvedDesign, Row
from convlab.runs.store import Store
from convlab.runs.writing import Recording


@final
class Recorder:
    """Puts benchmarks into a run, each row at a place of its own: one that is handed over again takes its former place.

    Where the store does not take a row, measuring goes on; the row waits, and ``retry`` hands it over again.
    """

    def __init__(self, run: Recording):
        self._run = run
        self._places: dict[Hashable, int] = {}
        self._waiting: dict[Hashable, tuple[Row, ConvlabError]] = {}

    @property
    def id(self) -> str:
        """The run's."""
        return self._run.id

    @property
    def stored(self) -> int:
        """How many rows the store has of those that were handed over."""
        return len(self._places) - self.missing

    @property
    def missing(self) -> int:
        """How many rows the store has not taken, or not as they are now."""
        return len(self._waiting)

    @property
    def trouble(self) -> ConvlabError | None:
        """What the store said to the last row that it did not take; None where it has them all."""
        return list(self._waiting.values())[-1][1] if self._waiting else None

    def __call__(self, found: Benchmark) -> None:
        """Store the rows of a benchmark as it stands."""
        around = Surroundings(found.environment, found.ended, found.disturbances)
        for number, row in enumerate(found.rows):
            self.put((found.conditions, number), throughput_row(row, around, stopped=found.stopped))

    def put(self, key: Hashable, row: Row) -> None:
        """Store a row: in the place of the one that had this key, or after those that are there."""
        place = self._places.setdefault(key, len(self._places))
        try:
            self._run.put(place, row)
        except ConvlabError as error:
            self._waiting[key] = row, error
        else:
            self._waiting.pop(key, None)

    def retry(self) -> None:
        """Hand over once more what the store did not take."""
        for key, (row, _) in list(self._waiting.items()):
            self.put(key, row)

    def stop(self) -> None:
        """Let the run end as stopped."""
        self._run.stop()

    def fail(self, why: str = "") -> None:
        """Let the run end as failed, for a reason that is noted."""
        self._run.fail(why)

    def note(self, sentences: str) -> None:
        """Note at the run's end what a reader of its rows should know."""
        self._run.add_note(sentences)


@contextmanager
def recording(
    store: Store, kind: str, *, name: str, settings: Mapping[str, Any], environment: Environment
) -> Iterator[Recorder]:
    """A run of the store that lasts as long as the block, and its recorder. Raises ConvlabError where the store takes no run."""
    with store.begin(kind, name=name, settings=settings, environment=environment.lasting()) as run:
        recorder = Recorder(run)
        try:
            yield recorder
        finally:
            recorder.retry()


def conditions_row(subject: Subject, conditions: Conditions, *, kind: str) -> Row:
    """A row without figures: what is measured, and under which conditions."""
    return Row(
        kind=kind,
        subject=subject.name,
        design=None if subject.design is None else ResolvedDesign.of(subject.design),
        task=conditions.task,
        device=conditions.device,
        dtype=conditions.dtype,
        layout=conditions.layout,
        mode=conditions.mode,
        batch=conditions.batch,
        image_height=subject.image.height,
        image_width=subject.image.width,
        threads=conditions.threads,
    )


def throughput_row(row: Measurement, around: Surroundings, *, stopped: bool = False) -> Row:
    """The row of a throughput, with everything else that was measured of the network among its details."""
    throughput = row.images_per_second
    told = conditions_row(row.subject, row.conditions, kind="throughput")
    details = row.plain() | around.plain() | {"stopped": stopped}
    if throughput is None:
        return replace(told, n=0, unit="images/s", details=details)
    median, low, high = throughput.median, throughput.low, throughput.high
    return replace(told, n=throughput.n, unit="images/s", median=median, low=low, high=high, details=details)


def latency_row(subject: Subject, found: Latency, around: Surroundings) -> Row:
    """The row of a latency: its figure is the median with its interval, the other percentiles are details."""
    told = conditions_row(subject, found.conditions, kind="latency")
    half = next(each for each in found.percentiles if each.percent == 50)
    details = {
        "percentiles_s": [asdict(each) for each in found.percentiles],
        **_how(subject, found.conditions),
        **around.plain(),
        "stopped": found.stopped,
        "samples_s": list(found.samples),
    }
    return replace(told, n=half.n, median=half.value, low=half.low, high=half.high, unit="s", details=details)


def layer_rows(found: LayerTimes, around: Surroundings) -> Iterator[Row]:
    """A row for the step, then one for each layer, with its path among the details.

    The ends of a sum of medians are the sums of their ends: so far it may reach, and hardly ever does.
    """
    told = replace(conditions_row(found.subject, found.conditions, kind="layer"), unit="s")
    where = around.plain() | _how(found.subject, found.conditions)
    parts = list(found.parts.values())
    about = {"parts_s": {name: asdict(part) for name, part in found.parts.items()}, "outside_s": found.outside}
    details = about | {"mark_s": found.mark_s, "stopped": found.stopped} | where
    yield _with_figures(replace(told, kind="layers"), parts, details)
    for layer in found.layers:
        estimates = [each for each in (layer.forward, layer.backward) if each is not None]
        yield _with_figures(told, estimates, asdict(layer) | {"share": found.share(layer)} | where)


def _with_figures(told: Row, estimates: Sequence[Estimate], details: Mapping[str, Any]) -> Row:
    """The row of a sum."""
    median, low, high = (sum(getattr(each, name) for each in estimates) for name in ("median", "low", "high"))
    return replace(told, n=min(each.n for each in estimates), median=median, low=low, high=high, details=dict(details))


def _how(subject: Subject, conditions: Conditions) -> dict[str, Any]:
    """The conditions that have no column."""
    return {"folded": subject.folded, "cuda_graphs": conditions.cuda_graphs}
