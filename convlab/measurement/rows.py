"""One measured row: a network under conditions, what a step takes, and everything needed to read the figure."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, final

from convlab.measurement.rounds import Samples
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.subjects import Subject
from convlab.measurement.statistics import Estimate, between_processes, estimate, inverted


@final
@dataclass(frozen=True)
class Measurement:
    """A network under conditions. ``failure`` says why there are no figures (``step`` is None), or why no more of them."""

    subject: Subject
    params: int | None
    macs: int | None
    """Multiply-adds for one image at inference; None, as the parameters, where a network of another package cannot be counted."""
    conditions: Conditions
    step: Estimate | None
    """Seconds of a step: of a batch, with everything that the task does."""
    parts: dict[str, Estimate]
    """Seconds of each part of a step."""
    compile_s: float
    samples: tuple[float, ...] = ()
    """Seconds of a step, each the mean of ``steps`` in a row, in the order in which they were taken."""
    steps: int = 1
    warm_up_steps: int = 0
    peak_bytes: int | None = None
    joules_per_image: float | None = None
    failure: str = ""
    largest_batch: int | None = None
    """The largest batch that fits in eager mode, where this one does not and it was looked for."""
    compile_cache: str = ""
    """Whether ``compile_s`` is of a "cold" compile, or a cache served it ("warm", "partly warm"); empty in eager mode."""
    graph_breaks: int = 0
    """Places at which the compiler gave up and Python runs between two graphs."""
    group: int = 0
    """Rows of one group were measured in the same rounds."""

    @property
    def images_per_second(self) -> Estimate | None:
        """The throughput: the batch over the time of a step."""
        return None if self.step is None else inverted(self.step, self.conditions.batch)

    def plain(self) -> dict[str, Any]:
        """The row as JSON holds it."""
        throughput = self.images_per_second
        return {
            "subject": self.subject.name,
            "package": self.subject.package,
            "design": None if self.subject.design is None else self.subject.design.key,
            "folded": self.subject.folded,
            "image": list(self.subject.image),
            "params": self.params,
            "macs": self.macs,
            **asdict(self.conditions),
            "step_s": None if self.step is None else asdict(self.step),
            "images_per_second": None if throughput is None else _finite(asdict(throughput)),
            "parts_s": {name: asdict(found) for name, found in self.parts.items()},
            "compile_s": self.compile_s,
            "compile_cache": self.compile_cache,
            "graph_breaks": self.graph_breaks,
            "group": self.group,
            "steps_per_sample": self.steps,
            "warm_up_steps": self.warm_up_steps,
            "peak_bytes": self.peak_bytes,
            "joules_per_image": self.joules_per_image,
            "failure": self.failure,
            "largest_batch": self.largest_batch,
            "samples_s": list(self.samples),
        }


def measured(
    subject: Subject,
    conditions: Conditions,
    samples: Samples,
    *,
    counts: tuple[int | None, int | None],
    compile_s: float,
) -> Measurement:
    """The row of what was measured. ``counts`` are parameters and multiply-adds."""
    by_part = zip(*samples.values, strict=True) if samples.values else ()
    between = between_processes(conditions.device)
    return Measurement(
        subject,
        *counts,
        conditions,
        estimate(samples.totals, between_processes=between) if samples.values else None,
        {
            name: estimate(values, between_processes=between)
            for name, values in zip(samples.parts, by_part, strict=False)
        },
        compile_s,
        tuple(samples.totals),
        samples.steps,
        samples.warm_up_steps,
        failure="" if samples.values else "stopped before its first round",
    )


def failed(
    subject: Subject,
    conditions: Conditions,
    failure: str,
    *,
    counts: tuple[int | None, int | None],
    largest_batch: int | None = None,
) -> Measurement:
    """The row of a network that could not be run."""
    return Measurement(subject, *counts, conditions, None, {}, 0.0, failure=failure, largest_batch=largest_batch)


def _finite(figures: dict[str, float]) -> dict[str, float | None]:
    """Figures as JSON holds them: an interval of times that reaches down to 0 leaves a throughput without an upper end."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
