"""The clocks: what lies between two marks is what the device did there."""

import time

from convlab.measurement.running.clocks import HostClock, clock_of


def test_laps_lie_between_marks_and_are_read_once():
    times = iter([1.0, 3.0, 3.5, 10.0, 11.0])
    clock = HostClock(now=lambda: next(times))
    for _ in range(3):
        clock.mark()
    assert clock.read() == (2.0, 0.5)
    assert clock.read() == ()
    clock.mark()
    clock.mark()
    assert clock.read() == (1.0,)


def test_the_device_is_waited_for_before_each_mark():
    happened = []

    def now():
        happened.append("look")
        return float(len(happened))

    clock = HostClock(synchronize=lambda: happened.append("wait"), now=now)
    clock.mark()
    clock.mark()
    assert happened == ["wait", "look", "wait", "look"]


def test_the_clock_of_the_cpu_measures_what_a_stopwatch_does():
    clock = clock_of("cpu")
    began = time.perf_counter()
    clock.mark()
    time.sleep(0.05)
    clock.mark()
    outside = time.perf_counter() - began
    (lap,) = clock.read()
    assert 0.05 <= lap <= outside
