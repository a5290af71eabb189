"""Recording: what is measured goes into a run of the store while it is measured, so that a killed process loses seconds of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, final

from convlab.errors import ConvlabError
from convlab.measurement.benchmarking import Benchmark
from convlab.measurement.conditions import Conditions
from convlab.measurement.environment import Environment
from convlab.measurement.latency import Latency
from convlab.measurement.layer_times import LayerTimes
from convlab.measurement.rows import Measurement
from convlab.measurement.subjects import Subject
from convlab.runs import ResolvedDesign, Row
from convlab.runs.store import Store
from convlab.runs.writing import Recording


@final
class Recorder:
    """Puts benchmarks into a run, each row at a place of its own: one that is handed over again takes its former place.

    Where the store does not take a row, measuring goes on; ``trouble`` is what the store said last, None where all was stored.
    """

    def __init__(self, run: Recording):
        self._run = run
        self._places: dict[Hashable, int] = {}
        self.trouble: ConvlabError | None = None

    @property
    def id(self) -> str:
        """The run's."""
        return self._run.id

    def __call__(self, found: Benchmark) -> None:
        """Store the rows of a benchmark as it stands."""
        for number, row in enumerate(found.rows):
            self.put((found.conditions, number), throughput_row(row, found))

    def put(self, key: Hashable, row: Row) -> None:
        """Store a row: in the place of the one that had this key, or after those that are there."""
        place = self._places.setdefault(key, len(self._places))
        try:
            self._run.put(place, row)
        except ConvlabError as error:
            self.trouble = error
        else:
            self.trouble = None

    def stop(self) -> None:
        """Let the run end as stopped."""
        self._run.stop()


@contextmanager
def recording(
    store: Store, kind: str, *, name: str, settings: Mapping[str, Any], environment: Environment
) -> Iterator[Recorder]:
    """A run of the store that lasts as long as the block, and its recorder. Raises ConvlabError where the store takes no run."""
    with store.begin(kind, name=name, settings=settings, environment=environment.lasting()) as run:
        yield Recorder(run)


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


def throughput_row(row: Measurement, found: Benchmark | None = None) -> Row:
    """The row of a throughput; ``found`` is the benchmark that it is of, where it is of one."""
    throughput = row.images_per_second
    told = conditions_row(row.subject, row.conditions, kind="throughput")
    details = row.plain() if found is None else row.plain() | _around(found)
    if throughput is None:
        return replace(told, n=0, unit="images/s", details=details)
    median, low, high = throughput.median, throughput.low, throughput.high
    return replace(told, n=throughput.n, unit="images/s", median=median, low=low, high=high, details=details)


def _around(found: Benchmark) -> dict[str, Any]:
    return {
        "environment": found.environment.digest,
        "device_name": found.environment.device.name,
        "moment": asdict(found.environment.moment),
        "disturbances": list(found.disturbances),
        "stopped": found.stopped,
    }


def latency_row(subject: Subject, found: Latency) -> Row:
    """The row of a latency: its figure is the median with its interval, the other percentiles are details."""
    told = conditions_row(subject, found.conditions, kind="latency")
    half = next(each for each in found.percentiles if each.percent == 50)
    details = {
        "percentiles_s": [asdict(each) for each in found.percentiles],
        "folded": subject.folded,
        "cuda_graphs": found.conditions.cuda_graphs,
        "stopped": found.stopped,
        "samples_s": list(found.samples),
    }
    return replace(told, n=half.n, median=half.value, low=half.low, high=half.high, unit="s", details=details)


def layer_rows(found: LayerTimes) -> Iterator[Row]:
    """A row for the step, then one for each layer, with its path among the details."""
    told = replace(conditions_row(found.subject, found.conditions, kind="layer"), unit="s")
    about = {"parts_s": {name: asdict(part) for name, part in found.parts.items()}, "outside_s": found.outside}
    yield replace(
        told, kind="layers", median=found.step_s, details=about | {"mark_s": found.mark_s, "stopped": found.stopped}
    )
    for layer in found.layers:
        details = asdict(layer) | {"share": found.share(layer)}
        yield replace(told, n=layer.forward.n, median=layer.seconds, details=details)
