"""convlab bench as a process: what its help imports, and what is left of a run that is stopped or killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli_process import HEAVY, environment, modules

from convlab.runs import Row, open_store

LONG = ("convnext_atto", "--image", "32", "--threads", "1", "--batch", "2", "--rounds", "100000")


def test_help_imports_nothing_heavy() -> None:
    assert modules("bench", "--help") & {*HEAVY, "sqlalchemy", "alembic", "psutil", "pynvml"} == set()


def started(folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """A bench that would go on for hours."""
    command = [sys.executable, "-m", "convlab", "bench", *LONG, "--store", "runs.sqlite", *more]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=environment(OMP_NUM_THREADS="1")
    )
    waited = time.monotonic()
    while time.monotonic() - waited < 120 and not measured(folder):
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    return process


def measured(folder: Path) -> list[Row]:
    """The rows with figures that are stored so far."""
    if not (folder / "runs.sqlite").exists():
        return []
    with open_store(folder / "runs.sqlite") as store:
        return [row for run in store.runs(limit=1) for row in store.rows(run).values() if row.n]


def status(folder: Path) -> str:
    with open_store(folder / "runs.sqlite") as store:
        return store.run("latest").status


@pytest.mark.slow
def test_ctrl_c_prints_what_there_is(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    text = out.decode()
    assert text.startswith("stopped: what was measured until then\n")
    assert "convnext_atto  " in text
    assert " ± " in text
    assert b"Traceback" not in err
    assert status(tmp_path) == "stopped"
    assert measured(tmp_path)[0].details["stopped"] is True


@pytest.mark.slow
def test_ctrl_c_in_json_is_still_one_object(tmp_path: Path) -> None:
    with started(tmp_path, "--json") as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert json.loads(out)["stopped"] is True


@pytest.mark.slow
def test_what_a_killed_process_measured_is_there(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        assert status(tmp_path) == "running"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    (row,) = measured(tmp_path)
    assert row.median is not None
    assert row.median > 0
    assert len(row.details["samples_s"]) == row.n
    assert status(tmp_path) == "interrupted"
