"""What was measured of candidates, over the restarts of their processes, as rows of the JSON file and as lines of the table."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, final

from interleaved import shown
from peer_networks import told
from peer_processes import LEAST_ROUNDS, Turn, Worker

from convlab.measurement.running.conditions import checked
from convlab.measurement.statistics import T_QUANTILE, Estimate, estimate, ratio

ON_PAR = 0.95
"""The lower end of the interval of our speed over the best peer's has to be above this."""

CLOSE = 1.12
"""A peer that is slower than the quickest by more than this factor is not started again."""

LEAST_RESTARTS = 3
"""Fewer say nothing of how processes differ."""

INTERVAL = (
    "95 %: of the mean of the restarts' median ratios (Student's t); of one process, of the ratios of the same rounds"
)


@final
@dataclass
class Series:
    """A candidate over the restarts: what it is, and the turns of each with our own of the same rounds."""

    worker: Worker
    sessions: list[tuple[list[Turn], list[Turn]]] = field(default_factory=list)

    @property
    def turns(self) -> list[Turn]:
        """The turns of all restarts."""
        return [turn for turns, _ in self.sessions for turn in turns]


@final
@dataclass
class Gathered:
    """The candidates of a part by their labels; ``shared``: CPU time counts, since the machine does other work too."""

    shared: bool
    different: set[str]
    series: dict[str, Series] = field(default_factory=dict)

    def add(self, worker: Worker, base: Worker) -> None:
        """Keep what a worker has run, beside ours."""
        found = self.series.setdefault(worker.candidate.label, Series(worker))
        found.worker = worker
        if worker.turns and not worker.failure:
            found.sessions.append((worker.turns, [] if worker is base else base.turns))

    def is_close(self, label: str) -> bool:
        """Whether a candidate runs, and is near the quickest other one."""
        speeds = {
            name: self.speed(series).median for name, series in self.series.items() if self.is_other(name, series)
        }
        if label not in speeds:
            return False
        same = [
            speed for name, speed in speeds.items() if self.series[name].worker.candidate.source not in self.different
        ]
        return speeds[label] <= CLOSE * min(same, default=math.inf)

    def is_other(self, label: str, series: Series) -> bool:
        """Whether a candidate is another package's, or a runtime's, and runs."""
        return any(ours for _, ours in series.sessions) and not series.worker.failure

    def seconds(self, turns: list[Turn]) -> list[float]:
        """What a step took, turn by turn."""
        return [turn.cpu_s if self.shared else turn.wall_s for turn in turns]

    def speed(self, series: Series) -> Estimate:
        """How many times as fast ours is."""
        found = [ratio(self.seconds(theirs), self.seconds(ours)) for theirs, ours in series.sessions]
        if len(found) < LEAST_RESTARTS:
            return found[0]
        medians = [each.median for each in found]
        mean = statistics.fmean(medians)
        half = T_QUANTILE[len(medians) - 1] * statistics.stdev(medians) / math.sqrt(len(medians))
        first, median, third = statistics.quantiles(medians, n=4, method="inclusive")
        return Estimate(median, mean - half, mean + half, first, third, sum(each.n for each in found))

    def rows(self) -> dict[str, Any]:
        """A row a candidate."""
        return {label: self.row(label, series) for label, series in self.series.items()}

    def row(self, label: str, series: Series) -> dict[str, Any]:
        """What was measured of a candidate, and how many times as fast ours is."""
        worker = series.worker
        about = {
            "source": worker.candidate.source,
            "runtime": worker.candidate.runtime,
            **asdict(checked(worker.candidate.conditions)),
            "image": list(worker.candidate.image),
            "compile_s": worker.compile_s,
            "failure": worker.failure,
        }
        if worker.candidate.runtime != "torch":  # they choose layouts by themselves
            about["channels_last"] = about["mode"] = None
        turns = series.turns
        if worker.failure or not turns:
            return about
        about["restarts"] = len(series.sessions)
        about["step_s"] = asdict(estimate(self.seconds(turns)))
        if not self.shared:  # parts are in wall time
            about["parts_s"] = {
                name: asdict(estimate([turn.parts[index] for turn in turns])) for index, name in enumerate(worker.parts)
            }
        about["cpu_time_over_wall_time"] = sum(turn.cpu_s for turn in turns) / sum(turn.wall_s for turn in turns)
        about["samples_s"] = [self.seconds(theirs) for theirs, _ in series.sessions]
        if self.is_other(label, series):
            about["speed_of_convlab"] = asdict(self.speed(series))
            about["speeds_of_restarts"] = [
                ratio(self.seconds(theirs), self.seconds(ours)).median for theirs, ours in series.sessions
            ]
        return about


def proofs(found: dict[str, Any]) -> Iterator[str]:
    """The lines that say how networks are known to be the same."""
    return (f"    {name.partition('{')[0]:<36} {told(proof)}" for name, proof in found.items())


def lines(found: dict[str, Any], different: set[str], *, judged: bool) -> Iterator[str]:
    """The rows of the table, and whether ours is on par with the best other; ``different`` are other networks of the same name."""
    for label, about in found.items():
        if about["failure"]:
            yield f"    {label:<36} {about['failure']}"
            continue
        step = about["step_s"]
        spread = f"{shown(step['quartile_1'])} to {shown(step['quartile_3'])}, n {step['n']}"
        if about["restarts"] > 1:
            spread += f", {about['restarts']} processes"
        rate = about["batch"] / step["median"]
        threads = f"CPU/wall {about['cpu_time_over_wall_time']:.2f}"
        compiling = f", compiled in {about['compile_s']:.0f} s" if about["mode"] not in ("eager", None) else ""
        speed = about.get("speed_of_convlab")
        compared = f"   convlab {speed['median']:.3f} ({speed['low']:.3f} to {speed['high']:.3f})" if speed else ""
        unlike = "   (another network)" if about["source"] in different else ""
        times = f"{shown(step['median']):>8} ({spread}) {rate:8.1f} images/s"
        yield f"    {label:<36} {times}  {threads}{compiling}{compared}{unlike}"
    best = best_other({label: about for label, about in found.items() if about["source"] not in different})
    if best and judged and found[best]["speed_of_convlab"]["n"] >= LEAST_ROUNDS:
        speed = Estimate(**found[best]["speed_of_convlab"])
        verdict = "on par" if speed.low > ON_PAR else "NOT ON PAR"
        yield f"    {verdict}: {speed.median:.3f} (from {speed.low:.3f}) times as fast as the best peer, {best}"


def best_other(found: dict[str, Any]) -> str:
    """The label of the quickest candidate that is not ours, by its time relative to ours of the same rounds; "" where there is none."""
    speeds = {
        label: about["speed_of_convlab"]["median"]
        for label, about in found.items()
        if "speed_of_convlab" in about and not label.startswith("convlab")
    }
    restarts = max((found[label]["restarts"] for label in speeds), default=0)
    speeds = {label: speed for label, speed in speeds.items() if found[label]["restarts"] == restarts}
    return min(speeds, key=lambda label: speeds[label]) if speeds else ""
