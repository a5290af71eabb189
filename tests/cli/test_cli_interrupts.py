"""Ctrl-C while modules are imported: it ends the command whatever an import makes of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

import convlab.costs
from convlab.cli.interrupts import Interrupts


@contextmanager
def handled(handler: object) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_one_that_was_swallowed_is_raised_when_all_is_imported() -> None:
    interrupts = Interrupts()
    with handled(signal.default_int_handler):
        interrupts.listen()
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.settle()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        interrupts.settle()


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_other_handlers_are_left_alone(handler: object) -> None:
    interrupts = Interrupts()
    with handled(handler):
        interrupts.listen()
        signal.raise_signal(signal.SIGINT)
        interrupts.settle()
        interrupts.leave()
        assert signal.getsignal(signal.SIGINT) is handler


def test_one_that_became_another_error_is_no_internal_error(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def profile(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("cannot load module more than once per process") from None

    monkeypatch.setattr(convlab.costs, "profile", profile)
    with handled(signal.default_int_handler):
        ran = shell("profile", "convnext_t")
        assert (ran.code, ran.out, ran.err) == (130, "", "interrupted\n")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
