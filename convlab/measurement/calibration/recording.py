"""A calibration as rows of a run: each network that was held out, what was measured of it and what was predicted without it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from convlab.prediction import Calibration
from convlab.runs import Row


def calibration_rows(found: Calibration) -> Iterator[Row]:
    """A row for each network held out, in seconds of a pass at inference, of forward and backward in training."""
    for task, table in found.tables.items():
        for each in table.networks:
            yield Row(
                kind="held out",
                subject=each.name,
                task=task,
                device=found.machine.device,
                dtype=found.dtype,
                layout="channels_last" if found.channels_last else "contiguous",
                mode="eager",
                batch=each.batch,
                threads=found.threads,
                median=each.measured,
                unit="s",
                details={
                    "macs": each.macs,
                    "measured_s": each.measured,
                    "predicted_s": each.predicted,
                    "uncertainty": math.expm1(each.doubt * table.stretch),
                    "error": each.predicted / each.measured - 1,
                },
            )
