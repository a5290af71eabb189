"""Surroundings: what a stored row says about where and when it was measured, and what speaks against its figure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self, final

from convlab.measurement.machine.disturbances import disturbances
from convlab.measurement.machine.environment import Environment, environment
from convlab.measurement.machine.moments import Moment
from convlab.measurement.running.conditions import Conditions


@final
@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment before a measurement, the moment after it where that is known, and what disturbed it meanwhile."""

    environment: Environment
    after: Moment | None = None
    disturbances: tuple[str, ...] = ()

    @classmethod
    def since(cls, before: Environment, conditions: Conditions) -> Self:
        """Those of what was measured since then. Looks at the machine, which takes some tens of milliseconds."""
        now = environment(conditions.device)
        return cls(before, now.moment, disturbances(before, now, threads=conditions.threads))

    def plain(self) -> dict[str, Any]:
        """What a row keeps of them; the rest of the environment is its run's. The moments hold the clocks."""
        return {
            "environment": self.environment.digest,
            "device_name": self.environment.device.name,
            "moment": asdict(self.environment.moment),
            "moment_after": None if self.after is None else asdict(self.after),
            "disturbances": list(self.disturbances),
        }
