"""What a calibration of the device foretold of measured rows, to stand beside what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convlab.measurement.benchmarking import Benchmark
    from convlab.prediction.predicting import Prediction


def foretold(found: Benchmark) -> tuple[Prediction | None, ...]:
    """A prediction for each row; None for networks without a design, and where these conditions were not calibrated or badly."""
    from convlab.costs import profile
    from convlab.prediction.predicting import predictions
    from convlab.prediction.shelf import choice

    asked = found.conditions
    chosen = None
    if asked.mode == "eager" and not asked.cuda_graphs:
        chosen = choice(
            asked.device, dtype=asked.dtype, channels_last=asked.channels_last, threads=asked.threads
        ).calibration
    if chosen is None:
        return (None,) * len(found.rows)
    made: list[Prediction | None] = []
    for row in found.rows:
        if row.subject.design is None:
            made.append(None)
            continue
        costs = profile(row.subject.design, folded=row.subject.folded)
        predicted: Prediction | None = getattr(predictions(costs, chosen, batch=asked.batch), asked.task)
        made.append(None if predicted is None or predicted.too_uncertain else predicted)
    return tuple(made)
