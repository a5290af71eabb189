"""Candidates: a subject on its way to a row, from its preparation to its last figure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import final

from convlab.measurement.energy import energy
from convlab.measurement.memory.caution import cautious_attempt
from convlab.measurement.memory.peaks import peak_memory
from convlab.measurement.rounds import Protocol, Samples, warmed_up
from convlab.measurement.rows import Measurement, failed, measured
from convlab.measurement.running.compiling import Compilation
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.failures import OUT_OF_MEMORY, failure_of
from convlab.measurement.running.subjects import Subject
from convlab.measurement.running.workloads import Workload
from convlab.measurement.unmeasured import Unmeasured


@final
@dataclass
class Candidate:
    """A subject on its way to a row."""

    subject: Subject
    counts: tuple[int | None, int | None]
    workload: Workload | None = None
    compile_s: float = 0.0
    compilation: Compilation = field(default_factory=Compilation)
    samples: Samples | None = None
    peak_bytes: int | None = None
    joules_per_image: float | None = None
    failure: str = "stopped before it was measured"
    broke_off: str = ""
    """Why it was not measured to the end."""
    largest_batch: int | None = None
    group: int = 0
    started: bool = False
    """Whether it ever took room on the device."""

    @property
    def lacked_memory(self) -> bool:
        """Whether it has no figures for want of memory."""
        return self.failure.startswith(OUT_OF_MEMORY) and (self.samples is None or not self.samples.values)

    def prepare(self, conditions: Conditions) -> None:
        """Make it ready to run, or know why it does not run."""
        found = cautious_attempt(self.subject, conditions)
        if isinstance(found, str):
            self.failure = found
        else:
            self.workload, self.compile_s, self.compilation = found, found.compile_s, found.compilation
            self.started = True

    def warm_up(self, protocol: Protocol) -> None:
        """Run until times are stable; a later step may need more memory than the first, and fail."""
        assert self.workload is not None
        why = ""
        try:
            self.samples = warmed_up(self.workload, protocol)
        except Exception as error:
            why = failure_of(error)
        if why:  # only now is what the failed step held free
            self.give_up(why)

    def weigh(self, seconds: float) -> None:
        """Count memory, and energy for so many seconds."""
        assert self.workload is not None
        why = ""
        try:
            memory = peak_memory(self.workload)
            self.peak_bytes = None if isinstance(memory, Unmeasured) else memory.peak
            found = energy(self.workload, seconds=seconds)
            self.joules_per_image = None if isinstance(found, Unmeasured) else found.joules_per_image
        except Exception as error:
            why = failure_of(error)
        if why:
            self.give_up(why)

    def give_up(self, why: str) -> None:
        """Give up, and let go of what it holds; the figures that there are stay."""
        self.failure = self.broke_off = why
        self.close()

    def close(self) -> None:
        """Let go of what it holds."""
        if self.workload is not None:
            self.workload.close()
            self.workload = None

    def row(self, conditions: Conditions) -> Measurement:
        """The row of what is known so far."""
        if self.samples is None or not self.samples.values:
            return failed(self.subject, conditions, self.failure, counts=self.counts, largest_batch=self.largest_batch)
        row = measured(self.subject, conditions, self.samples, counts=self.counts, compile_s=self.compile_s)
        return replace(
            row,
            peak_bytes=self.peak_bytes,
            joules_per_image=self.joules_per_image,
            failure=self.broke_off,
            compile_cache="" if conditions.mode == "eager" else self.compilation.cache,
            graph_breaks=self.compilation.breaks,
            group=self.group,
        )
