"""Jobs: states and the events that turn them, and the holder with real workers."""

from __future__ import annotations

import math
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest

from convlab import load
from convlab.errors import ConvlabError, Problem
from convlab.progress import Progress
from convlab.tui.drawing.picture import Size, plain
from convlab.tui.forms.order import Order, subjects
from convlab.tui.jobs import MOST_POINTS, Jobs, JobState, after, cancelled, resumed
from convlab.tui.panels.pictures.curves import curves_lines
from convlab.views.job_notes import same_notes
from convlab.workers import Begun, Ended, Noted, Told

JOB = JobState("1", "train", "sprint of net", ("convlab", "train", "net.toml", "--seeds", "2", "--device", "cpu"))
KILLED = Ended(-9, error=(Problem("worker-ended", "killed"),), tail="Traceback")


def told(step, loss=None, accuracy=None, subject="net#0"):
    figures = {"step": step, "loss": loss, "accuracy": accuracy}
    known = {name: value for name, value in figures.items() if value is not None}
    return Told(Progress(int(step), 100, "", 0.0, figures=known, subject=subject))


def through(state, *events):
    for event in events:
        state = after(state, event)
    return state


def test_curves_grow_by_design_and_seed():
    state = through(
        JOB,
        told(0.0),
        told(1.0, 2.5),
        told(2.0, 2.0, 0.5),
        told(1.0, 2.25, subject="net#1"),
        told(4.0, 1.0, subject="a#b#0"),
    )
    assert list(state.curves) == [("net", 0), ("net", 1), ("a#b", 0)]
    first, second = state.curves["net", 0]
    assert first[:2] == (1.0, 2.5)
    assert math.isnan(first[2])
    assert second == (2.0, 2.0, 0.5)
    assert state.progress.subject == "a#b#0"
    assert JOB.curves == {}


def test_progress_without_a_subject_draws_nothing():
    state = through(JOB, told(1.0, 2.5, subject=""), told(1.0, 2.5, subject="net"), told(1.0, 2.5, subject="net#x"))
    assert state.curves == {}


def test_long_curves_are_thinned_and_keep_their_ends():
    state = through(JOB, *(told(float(step), 1.0) for step in range(1, 3 * MOST_POINTS)))
    steps = [step for step, _, _ in state.curves["net", 0]]
    assert len(steps) <= MOST_POINTS
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (1.0, 3.0 * MOST_POINTS - 1)


def test_a_job_that_is_done():
    note = {"message": "a", "help": "b", "path": ""}
    state = through(JOB, Begun("r1", "s", "/f"), Noted("a", "b"), Ended(0, {"notes": [note, note | {"message": "c"}]}))
    assert (state.status, state.running, state.run, state.folder) == ("done", False, "r1", "/f")
    assert state.notes == (Noted("a", "b"), Noted("c", "b"))
    assert not state.resumable


def test_what_a_training_cannot_tell_is_among_its_notes():
    doubt = {"names": ["a"], "topic": "rates", "sentence": "their drop path differs", "help": "train longer"}
    result = {
        "same": {"b": "a"},
        "notes": [{"message": "180 pictures", "help": "more", "path": ""}],
        "ranking": {"notes": ["With one seed there is no interval."]},
        "trained": [{"name": "a"}],
        "doubts": [doubt],
    }
    left_out = "b: not trained, the same network as a at this size"
    told = [Noted(note.message, note.help, note.path) for note in same_notes(result["same"])]  # as it begins
    state = through(JOB, *told, Ended(0, result))
    assert [note.message for note in state.notes if note.message != left_out] == [
        "180 pictures",
        "With one seed there is no interval.",
        "rates: their drop path differs",
    ]
    text = plain(curves_lines((state,), (), (), Size(80, 24)))
    assert text.count(left_out) == 1
    assert all(note.message in text for note in state.notes)


def test_a_job_that_is_killed_can_be_resumed_and_its_curve_goes_on():
    state = through(JOB, Begun("r1", "s", "/f"), *(told(float(step), 1.0) for step in range(1, 10)), KILLED)
    assert (state.status, state.tail, state.error[0].code) == ("failed", "Traceback", "worker-ended")
    assert state.resumable
    again = resumed(state)
    assert again.argv == ("convlab", "train", "--resume", "/f", "--device", "cpu")
    assert (again.status, again.error, again.tail, again.id) == ("running", (), "", "1")
    assert [point[:2] for point in through(again, told(6.0, 0.5)).curves["net", 0]][-2:] == [(5.0, 1.0), (6.0, 0.5)]


def test_a_job_that_was_asked_to_stop_has_not_failed():
    begun = after(JOB, Begun("r1", "s", "/f"))
    asked = cancelled(begun)
    assert asked.status == "stopping"
    assert after(asked, KILLED).status == "stopped"
    assert after(asked, KILLED).error == ()
    assert after(asked, Ended(130, {"stopped": True})).status == "stopped"
    assert after(begun, Ended(130)).status == "stopped"
    assert after(begun, Ended(130)).resumable
    assert not after(JOB, Ended(130)).resumable  # nothing was begun
    ended = after(begun, Ended(0))
    assert cancelled(ended) is ended


def test_what_refuses_the_order_is_told_though_it_was_asked_to_stop():
    problem = Problem("usage", "there is no design")
    assert after(cancelled(JOB), Ended(2, error=(problem,))).error == (problem,)


class Watch:
    """What a holder tells, and a wait for a state."""

    def __init__(self):
        self.told = []
        self.changed = threading.Condition()

    def __call__(self, id):
        with self.changed:
            self.told.append(id)
            self.changed.notify_all()

    def until(self, jobs, is_so):
        with self.changed:
            assert self.changed.wait_for(lambda: any(map(is_so, jobs.states)), 120), jobs.states


@pytest.fixture
def holder(tmp_path, monkeypatch):
    """A holder in an empty folder, with temporary files in a folder of its own; all is stopped afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    watch = Watch()
    jobs = Jobs(watch)
    yield jobs, watch
    jobs.close()
    assert list((tmp_path / "temporary").iterdir()) == []


def ordered(*words, kind="export"):
    turned = load("convnext_atto", sets=("stages.2.depth=3",))
    return Order(kind, "a title", ("convlab", *words[:1], *(each.word for each in subjects(turned)), *words[1:]), {})


LONG = Order("space", "long", ("convlab", "space", "sample", "spaces/regnet_x", "--count", "1000000"), {})


def test_a_design_that_is_in_no_file_is_exported(holder, tmp_path):
    jobs, watch = holder
    state = jobs.start(ordered("export", "--to", "toml"))
    assert state.status == "running"
    assert Path(state.argv[2]).name == "convnext_atto-turned.toml"
    watch.until(jobs, lambda state: state.status == "done")
    assert set(watch.told) == {state.id}
    assert load(tmp_path / "convnext_atto-turned.toml") == load("convnext_atto", sets=("stages.2.depth=3",))
    assert not Path(state.argv[2]).exists()


def test_cancelling_and_leaving_stop_workers(holder):
    jobs, watch = holder
    first, second = jobs.start(LONG), jobs.start(LONG)
    assert [state.id for state in jobs.running] == [first.id, second.id] == ["1", "2"]
    jobs.cancel(first.id)
    jobs.cancel(first.id)
    watch.until(jobs, lambda state: state.status == "stopped")
    jobs.cancel(first.id)
    assert [state.status for state in jobs.states] == ["stopped", "running"]
    jobs.close()
    assert [state.status for state in jobs.states][1] == "stopped"
    assert jobs.running == ()


def test_what_does_not_stop_in_time_is_ended(tmp_path, monkeypatch):
    watch = Watch()
    jobs = Jobs(watch, grace_s=0.2)
    state = jobs.start(LONG)
    worker = jobs._jobs[state.id].worker
    time.sleep(0.3)
    os.kill(worker.pid, signal.SIGSTOP)  # it hangs
    jobs.cancel(state.id)
    watch.until(jobs, lambda state: state.status == "stopped")
    assert jobs.states[0].error == ()


def test_a_temporary_folder_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(ConvlabError, match=r"the design cannot be written into .*nowhere"):
        Jobs(print).start(ordered("export", "--to", "toml"))


@pytest.mark.slow
def test_a_training_that_is_killed_is_resumed_in_the_same_job(holder):
    jobs, watch = holder
    net = load("convnext_atto", sets=("depths=[1]", "widths=[8]", "image.size=8", "stem.patch_size=2"))
    words = ("convlab", "train", *(each.word for each in subjects(net)), "--data", "digits", "--samples", "4800")
    words += ("--batch", "32", "--device", "cpu", "--recipe-set", "evaluations=15")
    state = jobs.start(Order("train", "title", words, {}))
    watch.until(jobs, lambda state: any(len(curve) > 5 for curve in state.curves.values()) and state.folder)
    os.kill(jobs._jobs[state.id].worker.pid, signal.SIGKILL)
    watch.until(jobs, lambda state: state.status == "failed")
    before = jobs.states[0]
    assert before.resumable
    ((name, seed),) = before.curves
    assert (name, seed) == ("convnext_atto-turned", 0)
    jobs.resume(state.id)
    watch.until(jobs, lambda state: not state.running)
    (after_all,) = jobs.states
    assert after_all.status == "done", after_all
    (curve,) = after_all.curves.values()
    steps = [step for step, _, _ in curve]
    assert steps == sorted(set(steps))
    assert steps[0] == before.curves[name, 0][0][0]
    assert steps[-1] == 150.0
