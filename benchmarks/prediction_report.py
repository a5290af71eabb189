"""What the benchmark of predictions found: errors beside the noise of repeats, and how predictions rank; printed, and written as JSON."""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from interleaved import surroundings, write
from prediction_designs import KINDS, Item, LeftOut

import convlab
from convlab.prediction import Calibration, Prediction, predictions
from convlab.prediction.calls import calls_of

GOAL_ERROR, GOAL_TAU = 0.10, 0.85


def report(
    calibration: Calibration, items: Sequence[Item], left_out: Sequence[LeftOut], options: argparse.Namespace
) -> None:
    """Print every network, the summaries and what was left out; write all of it."""
    rows, summaries = [], {}
    for kind in KINDS:
        of_kind = [item for item in items if item.kind == kind and item.visits]
        found = [(item, statistics.median(item.visits), _predicted(item, calibration)) for item in of_kind]
        rows += [_row(item, measured, predicted) for item, measured, predicted in found]
        if len(found) > 1:
            summaries[kind] = _summary(found)
    for row in sorted(rows, key=lambda row: (row["kind"], row["error"])):
        measured, predicted = (f"{1e3 * row[key]:9.1f}" for key in ("measured_s", "predicted_s"))
        print(
            f"{row['kind']:10s} {row['name'][:70]:70s} b{row['batch']:<3d} {measured} ms {predicted} ms {100 * row['error']:+6.1f} %"
        )
    for (kind, reason), count in Counter((each.kind, each.reason.partition(":")[0]) for each in left_out).items():
        names = ", ".join(each.name for each in left_out if each.kind == kind and each.reason.startswith(reason))
        print(f"left out of {kind}, {reason} ({count}): {names}")
    print()
    for kind, summary in summaries.items():
        print(_told(kind, summary))
    speed = _speed(items, calibration)
    print(
        f"a prediction takes {speed['median_us']:.0f} us (at most {speed['most_us']:.0f}), calls found anew each time"
    )
    if options.write:
        result = {
            "command": " ".join(sys.argv),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            **surroundings(("torch",)),
            "conditions": calibration.conditions,
            "clock": options.clock,
            "calibration_s": calibration.seconds,
            "goal": {"median_error": GOAL_ERROR, "tau": GOAL_TAU},
            "summaries": summaries,
            "prediction_time": speed,
            "held_out_error_of_calibration": {task: table.error for task, table in calibration.tables.items()},
            "factors": {task: dict(table.factors) for task, table in calibration.tables.items()},
            "rows": rows,
            "left_out": [asdict(each) for each in left_out],
            "networks_of_calibration": {
                task: [asdict(each) for each in table.networks] for task, table in calibration.tables.items()
            },
        }
        print(write(options.write, result))


def _told(kind: str, summary: dict[str, float | bool | None]) -> str:
    """The summary of a kind in a line or two."""
    noise = summary["repeat_noise"]
    repeats = f"{100 * noise:.1f} % at {summary['n_repeated']} networks" if summary["n_repeated"] else "not known"
    return (
        f"{kind:10s} n {summary['n']:3d}  median error {100 * summary['median_error']:5.1f} %  repeat noise {repeats}  "
        f"goal {100 * summary['goal']:.1f} %, {'reached' if summary['reached'] else 'NOT REACHED'}\n"
        f"{'':10s} 90 % within {100 * summary['error_90']:5.1f} %  bias {100 * summary['bias']:+5.1f} %  "
        f"tau {summary['tau']:.3f} (of MACs {summary['tau_of_macs']:.3f}; goal {GOAL_TAU})  "
        f"within its ± {100 * summary['covered']:.0f} %"
    )


def _predicted(item: Item, calibration: Calibration) -> Prediction:
    made = predictions(convlab.profile(item.design), calibration, batch=item.batch)
    found = made.training if item.kind == "training" else made.inference
    assert found is not None
    return found


def _row(item: Item, measured: float, predicted: Prediction) -> dict[str, object]:
    return {
        "name": item.name,
        "kind": item.kind,
        "batch": item.batch,
        "macs": item.macs,
        "measured_s": measured,
        "visits_s": item.visits,
        "predicted_s": predicted.seconds,
        "uncertainty": predicted.uncertainty,
        "beyond": predicted.beyond,
        "error": predicted.seconds / measured - 1,
    }


def _summary(found: list[tuple[Item, float, Prediction]]) -> dict[str, float | bool | None]:
    errors = sorted(abs(predicted.seconds / measured - 1) for _, measured, predicted in found)
    noise = [abs(item.visits[0] / item.visits[-1] - 1) for item, *_ in found if len(item.visits) > 1]
    goal = max(GOAL_ERROR, statistics.median(noise)) if noise else GOAL_ERROR
    tau = kendall([measured for _, measured, _ in found], [predicted.seconds for *_, predicted in found])
    error = statistics.median(errors)
    return {
        "n": len(found),
        "median_error": error,
        "error_90": errors[math.ceil(0.9 * len(errors)) - 1],
        "bias": statistics.median(predicted.seconds / measured - 1 for _, measured, predicted in found),
        "repeat_noise": statistics.median(noise) if noise else None,
        "n_repeated": len(noise),
        "goal": goal,
        "tau": tau,
        "tau_of_macs": kendall(
            [measured for _, measured, _ in found], [float(item.macs * item.batch) for item, *_ in found]
        ),
        "covered": statistics.fmean(predicted.low <= measured <= predicted.high for _, measured, predicted in found),
        "reached": error <= goal and tau >= GOAL_TAU,
    }


def kendall(ones: list[float], others: list[float]) -> float:
    """Kendall's tau-b of two lists: 1 where they rank alike."""
    agree = apart = ties_one = ties_other = 0
    for i in range(len(ones)):
        for j in range(i):
            a, b = (ones[i] > ones[j]) - (ones[i] < ones[j]), (others[i] > others[j]) - (others[i] < others[j])
            agree += a * b > 0
            apart += a * b < 0
            ties_one += a == 0 and b != 0
            ties_other += b == 0 and a != 0
    return (agree - apart) / math.sqrt((agree + apart + ties_one) * (agree + apart + ties_other))


def _speed(items: Sequence[Item], calibration: Calibration) -> dict[str, float]:
    """Microseconds of all three predictions of a design that was costed but never predicted before."""
    times = []
    for item in {item.name: item for item in items}.values():
        found = convlab.profile(item.design)
        predictions(found, calibration)
        calls_of.cache_clear()
        began = time.perf_counter()
        predictions(found, calibration)
        times.append(1e6 * (time.perf_counter() - began))
    return {"median_us": statistics.median(times), "most_us": max(times), "n": len(times)}
