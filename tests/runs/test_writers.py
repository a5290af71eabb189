"""Processes that write at once and are killed at any moment lose no row that they have reported as stored."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from convlab.runs import open_store

COUNT = text("SELECT count(*) FROM rows")

WRITER = """
import os, sys
from convlab.runs import Row, open_store
where, count = sys.argv[1], int(sys.argv[2])
with open_store(where).begin("benchmark") as run:
    for position in range(count):
        run.put(position, Row(kind="step", subject="convnext_t", median=position + 0.5, details={"samples": [position] * 20}))
        # One write of a line is whole or not there: what is reported was committed before.
        os.write(1, f"{run.id} {position}\\n".encode())
"""


def reported(text):
    """The rows that a writer says are stored; a last line that was cut off says nothing."""
    whole = text[: text.rfind("\n") + 1]
    return [(run, int(position)) for run, position in map(str.split, whole.splitlines())]


def assert_nothing_is_lost(place, rows):
    """Each reported row is there as it was written, and the store is sound."""
    with open_store(place) as store:
        stored = {run.id: store.rows(run) for run in store.runs()}
        for run, position in rows:
            assert stored[run][position].median == position + 0.5
            assert stored[run][position].details == {"samples": [position] * 20}
    if "://" not in place:
        with closing(sqlite3.connect(place)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def written_and_killed(place, python, folder, *, writers, rows, kills):
    """Let processes write, kill some of them at random and start others in their place: what all of them reported, and who ended."""
    chance = random.Random(0)
    outputs, running = [], []

    def start():
        outputs.append(folder / f"{len(outputs)}.txt")
        with outputs[-1].open("wb") as file:
            running.append(python(WRITER, place, rows, stdout=file))

    for _ in range(writers):
        start()
    for _ in range(kills):
        before = sum(len(path.read_bytes()) for path in outputs)
        while sum(len(path.read_bytes()) for path in outputs) == before and any(
            each.poll() is None for each in running
        ):
            time.sleep(0.01)  # somebody is writing now
        time.sleep(chance.uniform(0, 0.1))
        alive = [each for each in running if each.poll() is None]
        if not alive:
            break
        killed = chance.choice(alive)
        killed.send_signal(signal.SIGKILL)
        start()
    errors = [each.communicate()[1] for each in running]
    codes = [each.returncode for each in running]
    assert set(codes) <= {0, -signal.SIGKILL}, errors
    return [row for path in outputs for row in reported(path.read_text())], codes


def test_writers_that_are_killed_lose_nothing_quickly(place, python, tmp_path):
    rows, codes = written_and_killed(place, python, tmp_path, writers=2, rows=40, kills=1)
    assert codes.count(-signal.SIGKILL) == 1
    assert len(rows) >= 80
    assert_nothing_is_lost(place, rows)


@pytest.mark.slow
def test_eight_writers_of_a_thousand_rows_that_are_killed_lose_nothing(place, python, tmp_path):
    rows, codes = written_and_killed(place, python, tmp_path, writers=8, rows=1000, kills=12)
    assert codes.count(-signal.SIGKILL) == 12
    assert codes.count(0) == 8
    assert len(rows) >= 8000
    assert_nothing_is_lost(place, rows)
    with open_store(place) as store:
        assert len(store.runs(status="complete")) == 8
        assert len(store.runs(status="running")) == 0


def test_writers_that_start_at_once_make_one_store(place, python):
    processes = [python(WRITER, place, 3) for _ in range(3)]
    ended = [each.communicate() for each in processes]
    rows = [row for out, _ in ended for row in reported(out)]
    assert len(rows) == 9, [error for _, error in ended]
    assert_nothing_is_lost(place, rows)
    if "://" not in place:
        assert [path.name for path in Path(place).parent.iterdir()] == ["runs.sqlite"]


def test_a_reader_sees_one_state_while_others_write(store, row):
    with store.database.reading() as connection:
        before = connection.execute(COUNT).scalar_one()
        with store.begin("benchmark") as run:
            run.put(0, row())
        assert connection.execute(COUNT).scalar_one() == before
    with store.database.reading() as connection:
        assert connection.execute(COUNT).scalar_one() == before + 1
