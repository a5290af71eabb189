"""Predictions: the latency, throughput and training step of a design on a calibrated device, each with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import final

from convlab.costs import Profile, profile
from convlab.errors import ConvlabError, Problem
from convlab.language.design import Design
from convlab.layers import LayerScale
from convlab.prediction.calibration import BYTES, Calibration
from convlab.prediction.calls import calls_of, in_training
from convlab.prediction.estimating import (
    Estimate,
    Estimator,
    calls_of_profile,
    parameter_tensors,
)
from convlab.prediction.shelf import choice

NOTICEABLE = 0.05
"""From this share of the time on it is told that calls lie beyond what was calibrated."""

MOST_UNCERTAIN = 9.99
TOO_UNCERTAIN = 1.0
"""Above this a prediction says too little to be shown as a number."""


@final
@dataclass(frozen=True, slots=True)
class Prediction:
    """A figure that was not measured. Four of five lie within ``uncertainty``, relative, up or down by that factor.

    ``beyond`` is the share of the time in calls unlike all that were calibrated.
    """

    seconds: float
    """Of one pass or step on the batch."""
    batch: int
    uncertainty: float
    beyond: float

    @property
    def images_per_second(self) -> float:
        """The batch over the seconds."""
        return self.batch / self.seconds

    @property
    def too_uncertain(self) -> bool:
        """Whether it says too little to be shown as a number."""
        return self.uncertainty > TOO_UNCERTAIN

    @property
    def low(self) -> float:
        """Seconds at the quick end."""
        return self.seconds / (1 + self.uncertainty)

    @property
    def high(self) -> float:
        """Seconds at the slow end."""
        return self.seconds * (1 + self.uncertainty)


@final
@dataclass(frozen=True, slots=True)
class Predictions:
    """What a calibration says of a design: inference at batch 1 and at ``batch``, a training step at ``batch`` (None: folded).

    What was not calibrated is None.
    """

    calibration: Calibration
    latency: Prediction | None
    inference: Prediction | None
    training: Prediction | None

    def origin(self, prediction: Prediction) -> str:
        """What a figure is: predicted, how exactly, from what."""
        found = self.calibration
        beyond = f", {100 * prediction.beyond:.0f} % of it beyond what was calibrated"
        told = beyond * (prediction.beyond >= NOTICEABLE)
        return f"predicted ±{100 * prediction.uncertainty:.0f} %{told}, calibrated {found.made} on {found.conditions}"


def predict(
    design: Design,
    *,
    image: int | tuple[int, int] | None = None,
    batch: int | None = None,
    folded: bool = False,
    device: str = "auto",
    dtype: str = "float32",
    channels_last: bool = True,
    threads: int = 0,
    calibration: Calibration | None = None,
) -> Predictions:
    """Latency, throughput and training step of a design, predicted in well under a millisecond and without torch.

    ``batch`` is that of throughput and training step; the calibration's where none is given. Raises ConvlabError where this device,
    torch, number of threads and number format were not calibrated (``convlab calibrate`` does it).
    """
    if batch is not None and batch < 1:
        raise ConvlabError(Problem("out-of-range", f"a batch has at least one image, not {batch}", path="batch"))
    if calibration is None:
        found = choice(device, dtype=dtype, channels_last=channels_last, threads=threads)
        if found.calibration is None:
            because = f": {'; '.join(found.passed_over)}" * bool(found.passed_over)
            message = f"there is no calibration to predict from{because}"
            raise ConvlabError(Problem("not-calibrated", message, help="convlab calibrate measures this device once"))
        calibration = found.calibration
    return predictions(profile(design, image=image, folded=folded), calibration, batch=batch)


def predictions(found: Profile, calibration: Calibration, *, batch: int | None = None) -> Predictions:
    """What a calibration says of a profile."""
    images = batch or calibration.batch
    calls = calls_of_profile(found)
    latency = inference = training = None
    if "inference" in calibration.tables:
        one, many = _estimator(_Key(calibration), "inference").estimates(calls, (1, images))
        latency = _prediction(one, calibration, "inference", 1)
        inference = _prediction(many, calibration, "inference", images)
    if "training" in calibration.tables and not found.folded:
        trained = in_training(calls)
        (step,) = _estimator(_Key(calibration), "training").estimates(trained, (images,))
        update = optimizer_seconds(found, calibration)
        training = _prediction(step._replace(seconds=step.seconds + update), calibration, "training", images)
    return Predictions(calibration, latency, inference, training)


def layer_seconds(found: Profile, calibration: Calibration, *, batch: int | None = None) -> dict[str, float] | None:
    """Seconds of inference on a batch by the path of each row, all its repetitions together; None where inference was not calibrated.

    Under "" stands what lies between layers: sums of branches with their layer scales, copies.
    """
    if "inference" not in calibration.tables:
        return None
    images = (batch or calibration.batch,)
    estimator = _estimator(_Key(calibration), "inference")
    seconds = {
        row.path: row.count * estimator.estimates(calls, images)[0].seconds
        for row in found.rows
        if not isinstance(row.layer, LayerScale) and (calls := calls_of(row.layer, row.input))
    }
    total = estimator.estimates(calls_of_profile(found), images)[0].seconds
    return seconds | {"": max(0.0, total - sum(seconds.values()))}


def optimizer_seconds(found: Profile, calibration: Calibration) -> float:
    """Seconds of a step of AdamW over all parameters."""
    once, tensor, parameter = calibration.optimizer
    return once + tensor * parameter_tensors(found) + parameter * found.params


def _prediction(found: Estimate, calibration: Calibration, task: str, batch: int) -> Prediction:
    spread = found.doubt * calibration.tables[task].stretch
    return Prediction(found.seconds, batch, min(MOST_UNCERTAIN, math.expm1(spread)), found.beyond)


@final
class _Key:
    """A calibration as a key: the very object, whose tables are mappings and have no hash."""

    __slots__ = ("calibration",)

    def __init__(self, calibration: Calibration) -> None:
        self.calibration = calibration

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.calibration is self.calibration

    def __hash__(self) -> int:
        return id(self.calibration)


@lru_cache(maxsize=16)
def _estimator(key: _Key, task: str) -> Estimator:
    found = key.calibration
    table = found.tables[task]
    issue = {kind: seconds * table.issue_factor for kind, seconds in table.issue.items()}
    return Estimator(table.laws, table.factors, BYTES[found.dtype], issue)
