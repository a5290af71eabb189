"""A calibration: how long each kind of call takes on one device under one set of conditions, and how exact that is. Plain data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

from convlab.errors import ConvlabError, Place, Problem, quote
from convlab.prediction.laws import TERMS, Law
from convlab.prediction.machine import Machine

FORMAT = 1
KIND = "convlab calibration"
LEAST_NETWORKS = 4
"""Fewer networks that were held out do not say how far off predictions are."""
BYTES = {"float32": 4, "tf32": 4, "bfloat16": 2, "float16": 2}


@final
@dataclass(frozen=True, slots=True)
class Checked:
    """A network of the calibration that was measured whole, and what was predicted for it without it (seconds)."""

    name: str
    batch: int
    macs: int
    measured: float
    predicted: float
    doubt: float
    """How uncertain the prediction took itself to be, before that was compared with how far off such ones were."""


@final
@dataclass(frozen=True, slots=True)
class Table:
    """What was found of one task: a law a kind of call, corrections from whole networks, and how far off predictions were.

    ``issue`` are the seconds that the host takes to ask a GPU for a call, by kind; empty where the host does the work itself.
    """

    laws: Mapping[str, Law]
    factors: Mapping[str, float]
    issue: Mapping[str, float]
    issue_factor: float
    networks: tuple[Checked, ...]
    stretch: float
    """Four of five networks were predicted within so many times the doubt of their prediction."""

    @property
    def error(self) -> float:
        """The median absolute relative error at networks held out."""
        errors = sorted(abs(each.predicted / each.measured - 1) for each in self.networks)
        return errors[len(errors) // 2] if errors else math.nan


@final
@dataclass(frozen=True, slots=True)
class Calibration:
    """All that was measured at once, with the machine and the conditions that it belongs to."""

    machine: Machine
    dtype: str
    channels_last: bool
    threads: int
    default_threads: bool
    """Whether torch chose the number of threads, not the user."""
    batch: int
    """The batch that throughput and the training step are told for."""
    made: str
    """The day, in UTC: 2026-11-22."""
    seconds: float
    """How long it took."""
    ceilings: Mapping[str, float]
    """Multiply-adds a second of the best matrix product, bytes a second of a large copy."""
    tables: Mapping[str, Table]
    """By task: inference, training."""
    optimizer: tuple[float, ...]
    """Seconds of AdamW's step: once, for each tensor, for each parameter."""

    @property
    def conditions(self) -> str:
        """What it was measured under, in words."""
        layout = "channels-last" if self.channels_last else "contiguous"
        threads = f", {self.threads} thread{'s' * (self.threads != 1)}" if self.machine.device == "cpu" else ""
        return f"{self.machine.name}{threads}, torch {self.machine.torch}, {self.dtype}, {layout}"


def text_of(calibration: Calibration) -> str:
    """The calibration as JSON."""
    plain = {"kind": KIND, "format": FORMAT, "terms": TERMS, **asdict(calibration)}
    return json.dumps(plain, indent=1) + "\n"


def calibration_of(text: str, name: str) -> Calibration:
    """The calibration of a JSON text; ``name`` is its file's. Raises ConvlabError where it is none, damaged or of a newer convlab."""
    try:
        plain = json.loads(text)
    except ValueError:
        raise _broken(name, "it is not JSON") from None
    if not isinstance(plain, dict) or plain.get("kind") != KIND:
        raise _broken(name, "it is no calibration")
    version = plain.get("format")
    if isinstance(version, int) and version > FORMAT:
        message = f"the calibration is of format {quote(version)}, this convlab reads {FORMAT}"
        help = "upgrade convlab, or measure again: convlab calibrate"
        raise ConvlabError(Problem("newer-format", message, Place(name, 0, 0, "", 0), help=help), exit_code=2)
    try:
        return _read(plain)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _broken(name, "something is missing in it, or of another type than it should be") from None


def _read(plain: dict[str, Any]) -> Calibration:
    if tuple(plain["terms"]) != TERMS:
        raise ValueError
    return Calibration(
        machine=Machine(**plain["machine"]),
        dtype=_one_of(plain["dtype"], BYTES),
        channels_last=bool(plain["channels_last"]),
        threads=int(plain["threads"]),
        default_threads=bool(plain["default_threads"]),
        batch=int(plain["batch"]),
        made=str(plain["made"]),
        seconds=float(plain["seconds"]),
        ceilings={str(key): float(value) for key, value in plain["ceilings"].items()},
        tables={task: _table(table) for task, table in plain["tables"].items()},
        optimizer=tuple(map(_rate, plain["optimizer"])),
    )


def _table(plain: dict[str, Any]) -> Table:
    return Table(
        laws={kind: _law(**law) for kind, law in plain["laws"].items()},
        factors={group: _rate(value) for group, value in plain["factors"].items()},
        issue={kind: _rate(value) for kind, value in plain["issue"].items()},
        issue_factor=_rate(plain["issue_factor"]),
        networks=tuple(Checked(**each) for each in plain["networks"]),
        stretch=_rate(plain["stretch"]),
    )


def _law(rates: list[float], deviation: float, points: int, least: list[float], most: list[float]) -> Law:
    if len(rates) != len(TERMS):
        raise ValueError
    return Law(tuple(map(_rate, rates)), _rate(deviation), int(points), _three(least), _three(most))


def _three(values: list[float]) -> tuple[float, float, float]:
    one, two, three = map(_rate, values)
    return one, two, three


def _rate(value: Any) -> float:
    number = float(value)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError
    return number


def _one_of(value: Any, choices: Mapping[str, int]) -> str:
    if value not in choices:
        raise ValueError
    return str(value)


def _broken(name: str, why: str) -> ConvlabError:
    help = "delete it, or measure again: convlab calibrate"
    problem = Problem("bad-calibration", f"the calibration cannot be read: {why}", Place(name, 0, 0, "", 0), help=help)
    return ConvlabError(problem, exit_code=2)
