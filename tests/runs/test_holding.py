"""Ctrl-C while something is stored waits for the end of the transaction, which is then whole, and is raised after it."""

import signal

import pytest
from sqlalchemy import insert

from convlab.runs import schema
from convlab.runs.holding import uninterrupted


def keep(connection, sha):
    connection.execute(insert(schema.designs).values(sha=sha, key=sha, text=""))


def interrupted(store, *, times):
    """A transaction that Ctrl-C meets between its two rows."""
    with store.database.writing() as connection:
        keep(connection, "a")
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        keep(connection, "b")


def test_a_transaction_that_ctrl_c_meets_is_committed(store):
    with pytest.raises(KeyboardInterrupt):
        interrupted(store, times=1)
    assert store.query("SELECT sha FROM designs ORDER BY sha").rows == (("a",), ("b",))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_does_not_wait(store):
    with pytest.raises(KeyboardInterrupt):
        interrupted(store, times=2)
    assert store.query("SELECT sha FROM designs").rows == ()


def test_who_ignores_ctrl_c_goes_on_ignoring_it():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
