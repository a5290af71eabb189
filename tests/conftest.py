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
    """Collect the tests without collecting garbage: there is none, and looking for it doubles the time.

    Afterwards it is looked for less often than Python does: each time walks through all modules and models that tests share.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)


@pytest.fixture
def frozen(monkeypatch):
    """Keep the ten thousand tests, and what they import, out of the collections of garbage that measuring asks for.

    Each takes up to a second over all of them, and a sweep asks for hundreds. Measuring thaws everything when it ends; here that waits.
    """
    gc.freeze()
    monkeypatch.setattr(gc, "unfreeze", lambda: None)


@pytest.fixture(scope="module")
def thawed_at_the_end():
    """Collect once a module what ``frozen`` kept."""
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()
