"""convlab train as a process: what its help imports, and what Ctrl-C and a kill leave to be resumed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli_process import HEAVY, environment, loaded_in_turn

from convlab.runs import open_store

NET = 'depths = [1]\nwidths = [8]\nimage.size = 8\n[stem]\nkind = "patchify"\npatch_size = 2\n'
LONG = ("net.toml", "--data", "digits", "--samples", "64000", "--batch", "32", "--recipe-set", "evaluations=200")


def test_what_does_not_train_imports_nothing_heavy() -> None:
    told = loaded_in_turn("train --help", "roadmap --help", "roadmap", "recipes --help")
    for line, (code, names) in told.items():
        assert (code, names & {*HEAVY, "sqlalchemy", "sklearn", "PIL"}) == (0, set()), line


def test_what_is_refused_or_listed_without_data_needs_no_torch() -> None:
    told = loaded_in_turn("train nope", "train convnext_t --recipe nope", "roadmap --train --seeds 0", "data list")
    for line, (code, names) in told.items():
        listed = line == "data list"
        assert names & {*HEAVY, "sqlalchemy"} <= ({"numpy"} if listed else set()), line
        assert (code == 0) == listed, line


def train(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "convlab", "train", *arguments, "--device", "cpu", "--store", "runs.sqlite"]
    place = environment(OMP_NUM_THREADS="1", XDG_DATA_HOME=str(folder / "data"))
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=place)


def begun(folder: Path) -> subprocess.Popen[bytes]:
    """A training that would take minutes, some evaluations after its beginning."""
    (folder / "net.toml").write_text(NET)
    process = train(folder, *LONG)
    waited = time.monotonic()
    while time.monotonic() - waited < 120 and curve(folder) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    return process


def curve(folder: Path) -> int:
    """How many points of the learning curve are stored so far."""
    if not (folder / "runs.sqlite").exists():
        return 0
    with open_store(folder / "runs.sqlite") as store:
        return max(
            (len(row.details["curve"]) for run in store.runs(limit=1) for row in store.rows(run).values()), default=0
        )


@pytest.mark.slow
def test_ctrl_c_keeps_a_checkpoint_and_says_how_to_go_on(tmp_path: Path) -> None:
    with begun(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.decode().startswith("stopped: what was trained until then\n")
    assert "validation accuracy" in out.decode()
    with open_store(tmp_path / "runs.sqlite") as store:
        run = store.run("latest")
    assert run.status == "stopped"
    assert f"convlab train --resume {run.id}" in err.decode()
    with train(tmp_path, "--resume", run.id, "--json") as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    (found,) = json.loads(out)["trained"]
    assert (found["steps"], found["stopped"]) == (2000, False)


@pytest.mark.slow
def test_a_killed_training_leaves_its_curve_and_is_resumed(tmp_path: Path) -> None:
    with begun(tmp_path) as process:
        process.kill()
        process.communicate(timeout=60)
    stored = curve(tmp_path)
    assert stored >= 2
    with train(tmp_path, "--resume", "latest", "--json") as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    (found,) = json.loads(out)["trained"]
    assert len(found["curve"]) == 200
    with open_store(tmp_path / "runs.sqlite") as store:
        assert [run.status for run in store.runs()] == ["complete", "interrupted"]
