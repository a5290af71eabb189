"""The matrix: the same networks under every setting of layout, mode, dtype and CUDA graphs, and where their order changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any, final

from convlab.errors import ConvlabError
from convlab.measurement.benchmarking import Benchmark, Keep, benchmark
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import DTYPES, MODES, Conditions, checked
from convlab.measurement.running.subjects import Subject
from convlab.progress import Work

AXES: Mapping[str, tuple[Any, ...]] = {
    "dtype": DTYPES,
    "mode": MODES,
    "channels_last": (False, True),
    "cuda_graphs": (False, True),
}
"""What is varied, and the values in their order; the last axis changes first."""


@final
@dataclass(frozen=True)
class LeftOut:
    """Settings that this device cannot have, and why."""

    why: str
    settings: int


@final
@dataclass(frozen=True)
class Flip:
    """Two networks (by row) that change their order: surely faster under some settings, surely slower under others."""

    one: int
    other: int
    faster: tuple[int, ...]
    """The settings under which ``one`` is faster, by their number."""
    slower: tuple[int, ...]
    example: tuple[int, int]
    """One of each that differ in as little as possible."""


@final
@dataclass(frozen=True)
class Matrix:
    """A benchmark for each setting, the same networks in each."""

    settings: tuple[Benchmark, ...]
    left_out: tuple[LeftOut, ...]
    planned: int
    """How many settings were to be measured."""
    stopped: bool = False

    @property
    def flips(self) -> tuple[Flip, ...]:
        """The pairs of networks whose order depends on the setting; only settings that decide between them count."""
        if not self.settings:
            return ()
        pairs = combinations(range(len(self.settings[0].rows)), 2)
        return tuple(flip for one, other in pairs if (flip := _flip(self.settings, one, other)) is not None)

    @property
    def undecided(self) -> int:
        """How many other pairs change the order of their medians, though some settings do not decide between them."""
        sure = {(flip.one, flip.other) for flip in self.flips}
        rows = range(len(self.settings[0].rows)) if self.settings else range(0)
        return sum(_medians_flip(self.settings, *pair) for pair in combinations(rows, 2) if pair not in sure)


def matrix(
    subjects: Sequence[Subject],
    *,
    against: Sequence[Subject] = (),
    conditions: Conditions,
    protocol: Protocol | None = None,
    fixed: Sequence[str] = (),
    keep: Keep | None = None,
) -> Work[Matrix]:
    """Measure networks under every setting of ``AXES`` that the device can have; axes named in ``fixed`` stay as in ``conditions``.

    Stopped by Ctrl-C it returns what it has. Raises ConvlabError as ``benchmark`` does.
    """
    planned, left_out = settings_of(conditions, fixed)
    found: list[Benchmark] = []
    stopped = False
    try:
        for number, setting in enumerate(planned, 1):
            words = f"setting {number} of {len(planned)}: "
            work = benchmark(subjects, against=against, conditions=setting, protocol=protocol, keep=keep)
            found.append((yield from _titled(work, words, len(planned) - number)))
            if found[-1].stopped:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        stopped = True
    return Matrix(tuple(found), left_out, len(planned), stopped)


def settings_of(conditions: Conditions, fixed: Sequence[str] = ()) -> tuple[list[Conditions], tuple[LeftOut, ...]]:
    """The settings that the device can have, and those that it cannot, by the reason. Raises ConvlabError where it can have none."""
    choices = {name: (getattr(conditions, name),) if name in fixed else values for name, values in AXES.items()}
    found: list[Conditions] = []
    reasons: dict[str, int] = {}
    refused: ConvlabError | None = None
    for values in product(*choices.values()):
        try:
            found.append(checked(replace(conditions, **dict(zip(choices, values, strict=True)))))
        except ConvlabError as error:
            refused = error
            why = error.problems[0].message
            reasons[why] = reasons.get(why, 0) + 1
    if not found:
        assert refused is not None
        raise refused
    return found, tuple(LeftOut(why, count) for why, count in reasons.items())


def difference(one: Conditions, other: Conditions) -> tuple[str, ...]:
    """The axes on which two settings differ."""
    return tuple(name for name in AXES if getattr(one, name) != getattr(other, name))


def _titled(work: Work[Benchmark], title: str, waiting: int) -> Work[Benchmark]:
    """The work, its progress under a title; what is waiting after it is taken to last as long as it does."""
    try:
        while True:
            step = next(work)
            whole = None
            if step.remaining_s is not None:
                whole = step.remaining_s + waiting * (step.elapsed_s + step.remaining_s)
            told = replace(step, what=title + step.what, remaining_s=whole)
            try:
                yield told
            except KeyboardInterrupt:
                work.throw(KeyboardInterrupt)
    except StopIteration as end:
        found: Benchmark = end.value
        return found


def _flip(settings: Sequence[Benchmark], one: int, other: int) -> Flip | None:
    faster = tuple(number for number, found in enumerate(settings) if _surely_faster(found, one, other))
    slower = tuple(number for number, found in enumerate(settings) if _surely_faster(found, other, one))
    if not faster or not slower:
        return None
    return Flip(one, other, faster, slower, min(product(faster, slower), key=lambda pair: _distance(settings, pair)))


def _surely_faster(found: Benchmark, one: int, other: int) -> bool:
    """Whether the whole interval of the ratio of the same rounds says so."""
    speed = found.speed(one, other)
    return speed is not None and speed.low > 1


def _distance(settings: Sequence[Benchmark], pair: tuple[int, int]) -> int:
    first, second = pair
    return len(difference(settings[first].conditions, settings[second].conditions))


def _medians_flip(settings: Sequence[Benchmark], one: int, other: int) -> bool:
    speeds = [found.speed(one, other) for found in settings]
    return len({speed.median > 1 for speed in speeds if speed is not None}) == 2
