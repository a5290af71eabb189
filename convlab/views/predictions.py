"""Predicted speed: cards that say that they are predictions, calibrations as a table, and what to say where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from convlab import units
from convlab.costs import Profile
from convlab.errors import ConvlabError
from convlab.prediction import (
    Calibration,
    Choice,
    Prediction,
    Predictions,
    calibration_folder,
    choice,
    predictions,
    read,
)
from convlab.prediction.calibration import LEAST_NETWORKS
from convlab.settings import Settings
from convlab.views.cards import PREDICTED, Card, delta
from convlab.views.notes import Note
from convlab.views.tables import Cell, Column, Table, words

TOO_UNCERTAIN = "too uncertain"
CALIBRATE_LONGER = "calibrate longer (--seconds 90)"
NOT_CALIBRATED = "Speed is not predicted: `convlab calibrate` measures this device once."

COLUMNS = (
    Column("device", "device", least=16),
    Column("threads", "threads", right=True, rank=1),
    Column("torch", "torch"),
    Column("dtype", "dtype"),
    Column("layout", "layout", rank=2),
    Column("made", "made"),
    Column("inference", "inference error", right=True),
    Column("training", "training error", right=True),
    Column("state", "state", least=12),
)


@final
@dataclass(frozen=True)
class Speeds:
    """The predictions of some designs: their cards, and what a reader should know of where they come from."""

    cards: tuple[tuple[Card, ...], ...]
    note: str
    plain: tuple[dict[str, Any], ...]
    """Each design's predictions as JSON holds them; empty where nothing is predicted."""


def speeds(profiles: Sequence[Profile], settings: Settings, *, batch: int | None = None, threads: int = 0) -> Speeds:
    """Predicted speed of profiles; the first is the baseline of the others. Without a calibration no cards, and a note that says why."""
    found = choice(settings.device, dtype=settings.dtype, channels_last=settings.channels_last, threads=threads)
    if found.calibration is None:
        return Speeds(((),) * len(profiles), _why_not(found), ())
    made = [predictions(profile, found.calibration, batch=batch) for profile in profiles]
    shown = _compared(made)
    note = (
        f"Speed is predicted, eager, from the calibration of {found.calibration.made}: {found.calibration.conditions}."
    )
    if any(card.text == TOO_UNCERTAIN for cards in shown for card in cards):
        note += f" {TOO_UNCERTAIN.capitalize()}: {CALIBRATE_LONGER}."
    return Speeds(shown, note, tuple(map(plain_predictions, made)))


def calibration_here(settings: Settings) -> Calibration | None:
    """The calibration that speaks for the device of the settings as it is now."""
    return choice(settings.device, dtype=settings.dtype, channels_last=settings.channels_last).calibration


def speed_cards(profiles: Sequence[Profile], calibration: Calibration) -> tuple[tuple[Card, ...], ...]:
    """The cards of predicted speed of profiles; the first is the baseline of the others."""
    return _compared([predictions(profile, calibration) for profile in profiles])


def plain_predictions(made: Predictions) -> dict[str, Any]:
    """Predictions as JSON holds them."""
    figures = {"latency": made.latency, "throughput": made.inference, "train_step": made.training}
    return {
        "calibration": {
            "made": made.calibration.made,
            "conditions": made.calibration.conditions,
            "mode": "eager",
            "threads": made.calibration.threads,
        },
        **{name: None if found is None else _plain(name, found, made) for name, found in figures.items()},
    }


def calibration_table(files: Sequence[Path]) -> Table:
    """A row a calibration; "in use" are those that speak for this machine as it is now."""
    return Table(COLUMNS, tuple(_row(path) for path in files))


def calibration_facts(found: Calibration) -> tuple[tuple[str, str], ...]:
    """What a calibration found, in a few lines."""
    layers = sum(law.points for table in found.tables.values() for law in table.laws.values())
    ceilings = (
        f"{units.count(found.ceilings['macs_per_s'])} multiply-adds/s in matrix products, "
        f"{units.size(found.ceilings['bytes_per_s'])}/s in copies"
        if found.ceilings
        else "not measured"
    )
    errors = [
        (f"error, {task}", f"{_error(found, task)} median at {_networks(len(table.networks))}, each held out in turn")
        for task, table in found.tables.items()
        if table.networks
    ]
    return (
        ("calibrated", found.conditions),
        ("ceilings", ceilings),
        ("measured", f"{layers} layers in {found.seconds:.0f} s"),
        *errors,
    )


def calibration_notes(found: Calibration) -> list[Note]:
    """What makes a calibration a poor one."""
    few = [
        f"{_networks(len(table.networks))} in {task}"
        for task, table in found.tables.items()
        if len(table.networks) < LEAST_NETWORKS
    ]
    if not few:
        return []
    message = f"how exact predictions are is a guess: only {' and '.join(few)} could be held out, not {LEAST_NETWORKS}"
    return [Note("", message, CALIBRATE_LONGER)]


def _networks(number: int) -> str:
    return f"{number} network{'s' * (number != 1)}"


def _compared(made: Sequence[Predictions]) -> tuple[tuple[Card, ...], ...]:
    first, *others = map(_cards, made)
    return (first, *(tuple(_against(first, card) for card in cards) for cards in others))


def _cards(made: Predictions) -> tuple[Card, ...]:
    found = []
    if made.latency is not None:
        found.append(_card("latency", made.latency.seconds, seconds_text(made.latency.seconds), made.latency, made))
    if made.inference is not None:
        rate = made.inference.images_per_second
        found.append(_card("throughput", rate, f"{rate:.3g} images/s", made.inference, made))
    if made.training is not None:
        found.append(
            _card("train_step", made.training.seconds, seconds_text(made.training.seconds), made.training, made)
        )
    return tuple(found)


def _card(name: str, value: float, text: str, found: Prediction, made: Predictions) -> Card:
    if found.too_uncertain:
        return Card(name, None, TOO_UNCERTAIN, f"batch {found.batch}: {CALIBRATE_LONGER}")
    return Card(name, value, text, f"batch {found.batch}, {made.origin(found)}")


def _against(baseline: Sequence[Card], card: Card) -> Card:
    other = next((other for other in baseline if other.name == card.name), None)
    if other is None or not isinstance(other.value, float) or not isinstance(card.value, float):
        return card
    return replace(card, delta=delta(card.value, other.value))


def _plain(name: str, found: Prediction, made: Predictions) -> dict[str, Any]:
    if found.too_uncertain:
        return {
            "value": None,
            "unit": PREDICTED[name].unit,
            "low": None,
            "high": None,
            "uncertainty": found.uncertainty,
            "batch": found.batch,
            "beyond_calibration": found.beyond,
            "what": f"{TOO_UNCERTAIN}: {CALIBRATE_LONGER}",
        }
    value = found.images_per_second if name == "throughput" else found.seconds
    edges = (found.batch / found.high, found.batch / found.low) if name == "throughput" else (found.low, found.high)
    return {
        "value": value,
        "unit": PREDICTED[name].unit,
        "low": edges[0],
        "high": edges[1],
        "uncertainty": found.uncertainty,
        "batch": found.batch,
        "beyond_calibration": found.beyond,
        "what": made.origin(found),
    }


def _why_not(found: Choice) -> str:
    if not found.passed_over:
        return NOT_CALIBRATED
    return f"Speed is not predicted: {'; '.join(found.passed_over)}. `convlab calibrate` measures this device as it is now."


def _row(path: Path) -> tuple[Cell, ...]:
    try:
        found = read(path)
    except ConvlabError as error:
        blank = [words("")] * (len(COLUMNS) - 2)
        return (words(path.name), *blank, words(error.problems[0].message))
    machine = found.machine
    layout = "channels-last" if found.channels_last else "contiguous"
    return (
        words(machine.name),
        words(found.threads),
        words(machine.torch),
        words(found.dtype),
        words(layout),
        words(found.made),
        *(Cell(_plain_error(found, task), _error(found, task)) for task in ("inference", "training")),
        words(_state(found)),
    )


def _state(found: Calibration) -> str:
    for threads, state in ((0, "in use"), (found.threads, f"in use with --threads {found.threads}")):
        chosen = choice(
            found.machine.device,
            dtype=found.dtype,
            channels_last=found.channels_last,
            threads=threads,
            folder=calibration_folder(),
        )
        if chosen.calibration is found:
            return state
    return "not for this machine as it is now"


def _plain_error(found: Calibration, task: str) -> float | None:
    return found.tables[task].error if task in found.tables and found.tables[task].networks else None


def _error(found: Calibration, task: str) -> str:
    error = _plain_error(found, task)
    return "-" if error is None else f"{100 * error:.1f} %"


def seconds_text(seconds: float) -> str:
    """Seconds with a fitting unit: 78.3 ms."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
