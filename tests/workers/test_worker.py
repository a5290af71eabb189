"""Workers as processes: what is heard of them, how they are stopped, and that none outlives whoever started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from convlab.errors import ConvlabError
from convlab.workers import Begun, Ended, Noted, Told, Worker

ROOT = Path(__file__).parents[2]

LONG = ("space", "sample", "spaces/regnet_x", "--count", "1000000")
"""A command that takes minutes and needs no torch."""

PARENT = """
import sys, time
from convlab.workers import Worker

worker = Worker.start(sys.argv[1:], on=lambda event: None)
print(worker.pid, flush=True)
time.sleep(300)
"""

PROBE = """
import json, sys
import convlab.workers, convlab.workers.orphans
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

NET = 'depths = [1]\nwidths = [8]\nimage.size = 8\n[stem]\nkind = "patchify"\npatch_size = 2\n'
TRAIN = ("train", "net.toml", "--data", "digits", "--samples", "16000", "--batch", "32", "--device", "cpu")


class Heard(list):
    """The events of a worker, and when it is there that one of a kind has come."""

    def __init__(self):
        super().__init__()
        self.changed = threading.Condition()

    def __call__(self, event):
        with self.changed:
            self.append(event)
            self.changed.notify_all()

    def until(self, is_there, timeout_s=120):
        with self.changed:
            assert self.changed.wait_for(lambda: any(map(is_there, self)), timeout_s), list(self)


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start workers in an empty folder, away from anybody's settings; all are ended afterwards."""
    monkeypatch.chdir(tmp_path)
    place = {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_DATA_HOME": str(tmp_path / "d"), "OMP_NUM_THREADS": "1"}
    started = []

    def begin(*argv):
        heard = Heard()
        started.append(Worker.start(argv, on=heard, environment=place))
        return started[-1], heard

    yield begin
    for worker in started:
        worker.terminate()
        assert worker.wait(30)


def has_ended(pid, timeout_s=60):
    """Whether a process is gone, or nothing but a zombie that nobody counted, in time."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def at_work(pid):
    """Wait until a process has used some of its processor: then its thread that watches the parent has long begun."""
    process = psutil.Process(pid)
    while process.cpu_times().user < 0.4:
        assert process.status() != psutil.STATUS_ZOMBIE
        time.sleep(0.05)


def test_the_result_of_a_command_is_its_json(start):
    worker, heard = start("convlab", "profile", "convnext_t")
    assert worker.wait(60)
    assert not worker.running
    (ended,) = heard
    assert (ended.code, ended.error, ended.tail, ended.result["design"]) == (0, (), "", "convnext_t")


def test_an_error_is_problems(start):
    worker, heard = start("profile", "convnxt_t", "--json")
    assert worker.wait(60)
    (ended,) = heard
    assert (ended.code, ended.result, [problem.code for problem in ended.error]) == (2, None, ["unknown-preset"])


def test_progress_and_notes_come_before_the_end(start, monkeypatch):
    worker, heard = start("export", "convnext_atto", "--to", "toml")
    assert worker.wait(60)
    assert [type(event) for event in heard] == [Told, Ended]
    assert heard[0].progress.what == "writing"
    assert Path(heard[1].result["path"]).is_file()
    monkeypatch.setenv("CONVLAB_DEVISE", "cpu")
    worker, heard = start("config")
    assert worker.wait(60)
    assert heard[:-1] == [
        Noted("there is no setting for CONVLAB_DEVISE", "convlab config lists the settings", "CONVLAB_DEVISE")
    ]
    origins = {row["name"]: row["origin"] for row in heard[-1].result["settings"]}
    assert origins["progress"] == "environment (CONVLAB_PROGRESS)"


def test_an_interrupted_worker_says_so_and_is_no_error(start):
    worker, heard = start(*LONG)
    at_work(worker.pid)
    assert worker.running
    worker.interrupt()
    worker.interrupt()
    assert worker.wait(60)
    assert heard == [Ended(130, None, (), "interrupted")]


def test_a_killed_worker_is_told_with_its_signal(start):
    worker, heard = start(*LONG)
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait(60)
    (ended,) = heard
    assert (ended.code, ended.signal, ended.result) == (-9, "SIGKILL", None)
    assert ended.error[0].code == "worker-ended"
    assert "SIGKILL" in ended.error[0].message


def test_a_listener_that_fails_ends_the_worker(start, monkeypatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def fail(event):
        raise RuntimeError(event)

    worker = Worker.start(("export", "convnext_atto", "--to", "toml", "--output", "a.toml"), on=fail)
    assert worker.wait(60)
    assert not worker.running
    assert {each.exc_type for each in told} == {RuntimeError}


def test_a_process_that_cannot_be_started_is_told(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ConvlabError, match="no process could be started"):
        Worker.start(("profile", "convnext_t"), on=print)


def test_no_orphan_is_left_when_the_parent_is_killed():
    command = [sys.executable, "-c", PARENT, *LONG]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        pid = int(parent.stdout.readline())
        at_work(pid)
        parent.kill()
        parent.wait()
    assert has_ended(pid)


def test_workers_need_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True, cwd=ROOT)
    heavy = {"torch", "timm", "textual", "rich", "typer", "numpy", "plotly", "sqlalchemy", "ipywidgets"}
    assert set(json.loads(done.stdout)) & heavy == set()


@pytest.mark.slow
def test_a_training_that_is_killed_is_told_and_resumed(start, tmp_path):
    (tmp_path / "net.toml").write_text(NET)
    worker, heard = start(*TRAIN, "--recipe-set", "evaluations=50")
    heard.until(lambda event: isinstance(event, Told) and "accuracy" in event.progress.figures)
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait(60)
    begun, ended = heard[0], heard[-1]
    assert isinstance(begun, Begun)
    assert begun.run
    assert (tmp_path / "d" / "convlab" / "trainings" / begun.run) == Path(begun.folder)
    assert (ended.signal, ended.result) == ("SIGKILL", None)
    assert {event.progress.subject for event in heard if isinstance(event, Told)} == {"net#0"}
    worker, heard = start("train", "--resume", begun.run)
    assert worker.wait(300)
    (trained,) = heard[-1].result["trained"]
    assert (trained["steps"], trained["stopped"], len(trained["curve"])) == (500, False, 50)


@pytest.mark.slow
def test_a_training_whose_parent_is_killed_puts_itself_away(tmp_path):
    (tmp_path / "net.toml").write_text(NET)
    data = tmp_path / "d"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(data), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PARENT, *TRAIN, "--recipe-set", "evaluations=50"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=tmp_path) as parent:
        pid = int(parent.stdout.readline())
        until = time.monotonic() + 120
        while not list(data.glob("convlab/trainings/*/*/*")) and time.monotonic() < until:
            time.sleep(0.1)
        parent.kill()
        parent.wait()
    assert has_ended(pid)
    from convlab.runs import open_store

    with open_store(next(data.glob("convlab/*.sqlite"))) as store:
        assert store.run("latest").status == "stopped"


@pytest.mark.slow
def test_a_bench_tells_what_it_is_about_and_keeps_what_it_has(start):
    worker, heard = start(
        "bench", "convnext_atto", "--image", "32", "--threads", "1", "--batch", "2", "--rounds", "100000"
    )
    heard.until(lambda event: isinstance(event, Told) and event.progress.done > 3 and not event.progress.subject)
    worker.interrupt()
    assert worker.wait(60)
    ended = heard[-1]
    assert (ended.code, ended.error, ended.result["stopped"]) == (130, (), True)
    assert {event.progress.subject for event in heard if isinstance(event, Told)} == {"convnext_atto", ""}
    assert ended.result["run"]["id"] == heard[0].run
