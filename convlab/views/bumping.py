"""The values that a knob is likely to take next: kernels grow by two, widths by eights, ratios and rates along a ladder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convlab.language.knobs import Knob

LADDERS: dict[str, tuple[Any, ...]] = {
    "expansion_ratio": (0.125, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0),
    "squeeze_ratio": (0.0, 0.0625, 0.125, 0.25, 0.5, 1.0),
    "layer_scale": (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0),
    "norm_eps": (0.0, 1e-6, 1e-5, 1e-3),
    "groups": (1, 2, 4, 8, 16, 32, 64, 128, "depthwise"),
    "group_width": (0, 4, 8, 16, 24, 32, 48, 64, 96, 112, 128),
    "head_width": (8, 16, 32, 64, 128),
    "output_stride": (0, 4, 8, 16, 32),
    "patch_size": (1, 2, 4, 8, 14, 16, 32),
    "stride": (1, 2, 4, 8),
    "classes": (0, 10, 100, 1000, 21841),
    "convolution": (0, 320, 640, 960, 1280, 1792, 2560),
    "hidden": (0, 256, 512, 1024, 2048, 4096),
}
"""The steps of knobs that no even step suits."""

STEPS = {"kernel_size": 2, "size": 32}
"""By how much whole numbers move where it is not by one."""

RATE_STEP = 0.05


def bumped(knob: Knob, value: Any, direction: int) -> Iterator[Any]:
    """The values after this one (``direction`` 1) or before it (-1), the nearest first; a choice comes round to its beginning."""
    if knob.kind == "boolean":
        yield not value
    elif knob.kind == "choice":
        start = knob.choices.index(value)
        yield from (
            knob.choices[(start + direction * step) % len(knob.choices)] for step in range(1, len(knob.choices))
        )
    elif knob.name in LADDERS:
        yield from _along(LADDERS[knob.name], value, direction)
    elif knob.kind == "number":
        yield from _within(knob, (round(value + direction * RATE_STEP * step, 4) for step in range(1, 5)))
    elif knob.kind == "integer" or (knob.kind == "size" and isinstance(value, int)):
        yield from _within(knob, _whole(knob, value, direction))


def _whole(knob: Knob, value: int, direction: int) -> Iterator[int]:
    step = STEPS.get(knob.name, 1)
    if knob.name == "width":
        step = 8 if value < 256 else 32
    if step > 2:  # to the next multiple
        value = value // step * step if direction > 0 else -(-value // step) * step
    yield from (value + direction * step * count for count in range(1, 9))


def _along(ladder: tuple[Any, ...], value: Any, direction: int) -> Iterator[Any]:
    """The rungs beyond a value, which need not stand on one; words are beyond every number."""
    if isinstance(value, str):
        at = ladder.index(value)
        yield from ladder[at + 1 :] if direction > 0 else ladder[:at][::-1]
        return
    if direction > 0:
        yield from (rung for rung in ladder if isinstance(rung, str) or rung > value)
    else:
        yield from (rung for rung in reversed(ladder) if not isinstance(rung, str) and rung < value)


def _within(knob: Knob, values: Iterator[Any]) -> Iterator[Any]:
    low = -float("inf") if knob.low is None else knob.low
    high = float("inf") if knob.high is None else knob.high
    yield from (value for value in values if low <= value <= high)
