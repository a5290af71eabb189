"""The rounds: candidates take turns, after a warm-up that lasts until times are stable, until the budget or the precision is met."""

import gc
from dataclasses import dataclass, field

import pytest

from convlab.measurement.rounds import Protocol, interleaved, rounds, warmed_up


@dataclass
class Scripted:
    """Something with the interface of a workload, whose steps take the times that are written down."""

    name: str
    diary: list
    times: list = field(default_factory=lambda: [0.01])
    parts: tuple = ("forward",)
    done: int = 0

    def run(self, steps=1):
        self.diary.append((self.name, steps))
        time = self.times[min(self.done, len(self.times) - 1)]
        self.done += 1
        return (time,)


def test_candidates_alternate_and_every_other_round_goes_backwards():
    diary = []
    candidates = [Scripted(name, diary) for name in "ABC"]
    *_, samples = interleaved(candidates, Protocol(seconds=0, least_rounds=3, most_rounds=3, sample_s=0))
    assert [name for name, _ in diary[-9:]] == list("ABCCBAABC")
    assert [len(found.values) for found in samples] == [3, 3, 3]


@dataclass
class Failing(Scripted):
    """One that fails at a step."""

    last: int = 8

    def run(self, steps=1):
        if self.done >= self.last:
            raise RuntimeError("not enough memory")
        return super().run(steps)


def test_one_that_fails_is_left_out_and_the_others_go_on():
    diary, told = [], []
    candidates = [Scripted("A", diary), Failing("B", diary), Scripted("C", diary)]
    protocol = Protocol(seconds=0, least_rounds=4, most_rounds=4, sample_s=0)
    samples = [warmed_up(candidate, protocol) for candidate in candidates]
    diary.clear()
    candidates[1].last = candidates[1].done + 2
    *_, found = rounds(candidates, samples, protocol, failed=lambda number, why: told.append((number, why)))
    assert told == [(1, "out of memory")]
    assert [name for name, _ in diary] == list("ABCCBAACCA")
    assert [len(each.values) for each in found] == [4, 2, 4]


def test_without_a_listener_what_fails_is_raised():
    protocol = Protocol(seconds=0, least_rounds=9, most_rounds=9, sample_s=0)
    with pytest.raises(RuntimeError, match="not enough memory"):
        list(interleaved([Failing("A", [])], protocol))


def test_nothing_is_collected_by_itself_meanwhile(monkeypatch):
    monkeypatch.undo()  # of the fixture that puts thawing off
    seen = []

    class Watching(Scripted):
        def run(self, steps=1):
            seen.append(gc.isenabled())
            return super().run(steps)

    protocol = Protocol(seconds=0, least_rounds=3, most_rounds=3, sample_s=0)
    watched = Watching("A", [])
    samples = [warmed_up(watched, protocol)]
    seen.clear()
    frozen = gc.get_freeze_count()
    turns = rounds([watched], samples, protocol)
    next(turns)
    assert gc.get_freeze_count() > frozen
    turns.close()
    assert seen == [False]
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_the_budget_bounds_the_warm_up():
    restless = Scripted("A", [], [1.0, 1.0, 1.0, 3.0, 3.0, 3.0] * 1000)
    assert warmed_up(restless, Protocol(seconds=0.0)).warm_up_steps == 3


def test_warm_up_lasts_until_times_are_stable():
    """A network that gets faster for ten steps is not measured before."""
    diary = []
    found = warmed_up(Scripted("A", diary, [1 / (1 + step) for step in range(10)] + [0.1]), Protocol())
    assert found.warm_up_steps >= 12
    assert warmed_up(Scripted("B", diary), Protocol()).warm_up_steps == 6


def test_warm_up_of_a_restless_network_ends():
    restless = Scripted("A", [], [1.0, 1.0, 1.0, 3.0, 3.0, 3.0] * 1000)
    assert warmed_up(restless, Protocol(warm_up_s=0.0)).warm_up_steps == 3


@pytest.mark.parametrize(("seconds", "steps"), [(0.5, 1), (0.02, 1), (0.01, 2), (0.001, 20)])
def test_a_sample_of_a_quick_network_is_the_mean_of_many_steps(seconds, steps):
    diary = []
    *_, samples = interleaved([Scripted("A", diary, [seconds])], Protocol(least_rounds=2, most_rounds=2, sample_s=0.02))
    assert samples[0].steps == steps
    assert diary[-1] == ("A", steps)


def test_it_stops_when_the_median_is_known():
    steady = Scripted("A", [])
    *_, samples = interleaved([steady], Protocol(seconds=60, least_rounds=5, most_rounds=100))
    assert len(samples[0].values) == 5


def test_the_least_rounds_are_done_whatever_the_budget():
    restless = Scripted("A", [], [1.0, 2.0] * 100)
    *_, samples = interleaved([restless], Protocol(seconds=0, least_rounds=7, most_rounds=100, warm_up_s=0))
    assert len(samples[0].values) == 7


def test_the_most_rounds_end_it():
    restless = Scripted("A", [], [1.0, 2.0] * 100)
    *_, samples = interleaved([restless], Protocol(seconds=1000, least_rounds=2, most_rounds=9, warm_up_s=0))
    assert len(samples[0].values) == 9
