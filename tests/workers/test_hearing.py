"""What a worker makes of a process that behaves badly: noise, half a line, something left behind that goes on writing."""

from __future__ import annotations

import json
import shutil
import sys
import time

import pytest

from convlab.workers import Ended, Noted, Worker, worker
from convlab.workers.lines import line_of

NOTE = line_of(Noted("a"))


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a worker whose process is a shell script, and hear it to its end."""
    monkeypatch.setattr(worker, "LAST_WORDS_S", 0.2)

    def begin(script, on=None):
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        heard = []
        started = Worker.start(("profile",), on=lambda event: (on(event) if on else None, heard.append(event)))
        assert started.wait(30)
        return heard

    return begin


def test_the_end_comes_last_however_slow_the_listener_is(start):
    heard = start(f"for i in 1 2 3 4 5 6; do echo '{NOTE}' >&2; done", on=lambda event: time.sleep(0.1))
    assert heard == [Noted("a")] * 6 + [Ended(0)]


@pytest.mark.skipif(shutil.which("setsid") is None, reason="needs setsid, of Linux")
def test_what_is_left_behind_and_goes_on_writing_is_not_heard(start):
    left = f"for i in 1 2 3 4 5 6 7 8; do echo '{NOTE}'; echo noise; sleep 0.1; done"
    heard = start(f'setsid sh -c "{left.replace(chr(34), chr(92) + chr(34))}" >&2 &\nsleep 0.1')
    before = list(heard)
    time.sleep(0.5)
    assert heard == before
    assert [isinstance(event, Ended) for event in heard] == [False] * (len(heard) - 1) + [True]
    assert {"noise"} == set(heard[-1].tail.split())


def test_noise_is_kept_short(start):
    noise = "head -c 3000000 /dev/zero | tr '\\0' x; printf '\\n\\n\\377\\n{\\n\\n'"
    (ended,) = start(f"({noise}) >&2")
    assert ended.tail.splitlines()[-2:] == ["\N{REPLACEMENT CHARACTER}", "{"]
    assert len(ended.tail) < 3000


def test_a_result_whose_error_is_no_error_is_a_result(start):
    result = {"error": None, "rows": []}
    assert start(f"echo '{json.dumps(result)}'") == [Ended(0, result)]
