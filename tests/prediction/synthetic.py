"""A device that does not exist: every call costs what a law with round numbers says, so that predictions can be known exactly."""

from functools import cache
from itertools import islice

from convlab.measurement.calibration.kinds import KINDS
from convlab.measurement.calibration.probes import Limits, groups
from convlab.prediction.calibration import Calibration, Table
from convlab.prediction.fitting import law_of
from convlab.prediction.laws import TERMS, amounts
from convlab.prediction.machine import here

RATES = {
    "call": 5e-6,
    "macs": 1e-11,
    "padded": 2e-12,
    "input": 1e-10,
    "output": 2e-10,
    "weights": 3e-10,
    "beyond 4 MiB": 5e-11,
}
LIMITS = Limits(600_000_000, 8_000_000, (1, 8, 2, 16, 4))
OPTIMIZER = (1e-5, 1e-6, 1e-9)


def true_seconds(call, batch):
    return sum(RATES.get(term, 0.0) * amount for term, amount in zip(TERMS, amounts(call, batch, 4), strict=True))


def measured(rounds=30):
    """Calls with what they cost, kind by kind."""
    found = {}
    for group in islice(groups(LIMITS), rounds * len(KINDS) // 13):
        for probe in group:
            seconds = true_seconds(probe.call, probe.batch)
            found.setdefault(probe.call.kind, []).append((probe.call, probe.batch, seconds))
    return found


@cache
def table(rounds=30):
    laws = {kind: law_of(points, 4) for kind, points in measured(rounds).items()}
    return Table(laws, {}, {}, 1.0, (), 1.5)


def calibration(**changed):
    given = {
        "machine": here("cpu"),
        "dtype": "float32",
        "channels_last": True,
        "threads": 2,
        "default_threads": True,
        "batch": 8,
        "made": "2026-11-22",
        "seconds": 90.0,
        "ceilings": {"macs_per_s": 4e10, "bytes_per_s": 1e10},
        "tables": dict.fromkeys(("inference", "training"), table()),
        "optimizer": OPTIMIZER,
    }
    return Calibration(**(given | changed))
