"""What all tests share: one torch thread a worker, Ctrl-C for the processes they start, and reproducible random designs."""

import gc
import signal

import pytest
import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a shell's background job ignores Ctrl-C, and so would every process it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "laws",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
settings.load_profile("laws")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Collect the tests without collecting garbage: there is none, and looking for it doubles the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture
def frozen():
    """Keep the ten thousand tests, and what they import, out of the collections of garbage that measuring asks for.

    Each takes a second over all of them. What measures thaws everything at its end, so that there is something to be frozen again.
    """
    gc.freeze()
    yield
    gc.freeze()
