"""Limits: bounds of a metric that the members of a space must keep."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from convlab.errors import did_you_mean, quote
from convlab.language.knobs import Refused
from convlab.metrics import METRICS
from convlab.spaces.domains import Objection

LIMITED = (*METRICS, "training_macs", "peak_bytes")
"""What a limit can be put on."""

HELP = "write { low = 4.0e9, high = 4.5e9 }, or one of the two"


@final
@dataclass(frozen=True)
class Limit:
    """Bounds of a metric, which themselves are allowed; None is no bound."""

    metric: str
    low: float | None
    high: float | None

    def broken(self, costs: Any) -> Iterator[tuple[str, Any]]:
        """Each way to break the limit, with which of the costs (whole numbers, or an array of them) do."""
        if self.low is not None and self.low != -math.inf:
            low = self.low if self.low == math.inf else math.ceil(self.low)  # whole, so that comparing is exact
            yield f"{self.metric} below {self.low:g}", costs < low
        if self.high is not None and self.high != math.inf:
            high = self.high if self.high == -math.inf else math.floor(self.high)
            yield f"{self.metric} above {self.high:g}", costs > high


def limit(metric: str, written: Any) -> Limit | Objection:
    """The limit that a space says, or why it is none."""
    if metric not in LIMITED:
        label = did_you_mean(metric, LIMITED)
        message = f"there is no metric {quote(metric)}"
        return Objection(Refused("unknown-key", message, label, f"metrics: {', '.join(LIMITED)}"), (), "key")
    if not isinstance(written, Mapping) or not written:
        return Objection(Refused("wrong-type", f"the limit of {metric} is a table", help=HELP))
    for key, bound in written.items():
        if key not in ("low", "high"):
            label = did_you_mean(key, ("low", "high"))
            return Objection(Refused("unknown-key", f"a limit has no {quote(key)}", label, HELP), (key,), "key")
        if type(bound) not in (int, float) or bound != bound:
            return Objection(Refused("wrong-type", f"{key} is a number, not {quote(bound)}", help=HELP), (key,))
    found = Limit(metric, written.get("low"), written.get("high"))
    if found.low is not None and found.high is not None and found.low > found.high:
        message = f"the limit of {metric} ends below its start"
        return Objection(Refused("empty-space", message, help="let low be at most high"), ("high",))
    return found
