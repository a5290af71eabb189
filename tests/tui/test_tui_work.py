"""Long work from the lab, with real workers: measure, train, kill, resume, export, and stores that take nothing."""

import os
import resource
import signal
import sqlite3

import pytest
from seeing import driven, lab_of, said, seen
from textual.widgets import Input

from convlab import load, profile
from convlab.runs import open_store
from convlab.session import opened
from convlab.tui.headline import card_row
from convlab.tui.jobs import JobState
from convlab.tui.panels.panel import Shown

TINY = """summary = "a design that trains in seconds"
image = { size = 8 }
depths = [1]
widths = [8]
stem = { kind = "patchify", patch_size = 2 }
block = { kind = "convnext", kernel_size = 3 }
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of its own, in which nothing of the person is seen."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("CONVLAB_STORE", str(tmp_path / "store" / "runs.sqlite"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path


async def until(pilot, true, patience_s=120.0):
    waited = 0.0
    while not true():
        assert waited < patience_s, f"{pilot.app.job_states}\n{seen(pilot.app)}"
        await pilot.pause(0.05)
        waited += 0.05


async def ordered(app, pilot, key, *, all_designs=False, **values):
    """Fill a form and start it."""
    await pilot.press(key)
    await pilot.pause()
    for mark in app.screen.query(".subject") if all_designs else ():
        mark.value = True
    for name, value in values.items():
        app.screen.query_one(f"#knob-{name} Input", Input).value = value
    await pilot.pause()
    await pilot.press("ctrl+s")
    await pilot.pause()


def test_a_measurement_of_the_design_as_it_is_stands_in_a_card():
    session = opened("convnext_atto")
    rate = {"subject": "convnext_atto", "images_per_second": {"median": 31.25, "low": 30.0, "high": 32.0}}
    job = JobState(
        "1", "bench", "a measurement", (), result={"benchmarks": [{"conditions": {}, "rows": [rate]}]}, running=False
    )
    costs = profile(session.design)
    shown = Shown(session, costs, costs, jobs=(job,))
    (card,) = (card for card in card_row(shown, None, {"1": session.design}) if card.name == "measured")
    assert card.text == "31.25 img/s"
    turned = session.turned("stages.0.depth", 3).design
    assert not [card for card in card_row(shown, None, {"1": turned}) if card.name == "measured"]


@pytest.mark.slow
def test_a_measurement_begins_and_is_cancelled(place):
    async def deeds(app, pilot):
        lab = lab_of(app)
        await ordered(app, pilot, "m")
        assert [job.kind for job in app.job_states] == ["bench"]
        assert lab.panes.tab == "curves"
        await pilot.press("k")
        assert app.clipboard.startswith("convlab bench convnext_atto")
        await pilot.press("escape", "plus")  # nothing waits for it
        assert lab.session.can_undo
        await pilot.press("c")
        await until(pilot, lambda: not app.job_states[0].running)
        assert app.job_states[0].status == "stopped"

    driven(deeds, "convnext_atto", folder=place)


@pytest.mark.slow
def test_a_training_is_killed_and_resumed_and_the_design_exported(place):
    async def deeds(app, pilot):
        lab = lab_of(app)
        await ordered(app, pilot, "t", data="digits", samples="64000", batch="32")
        job = lambda: app.job_states[0]  # noqa: E731
        await until(pilot, lambda: any(len(curve) > 6 for curve in job().curves.values()) and job().folder)
        os.kill(app.jobs._jobs["1"].worker.pid, signal.SIGSTOP)  # so that a quick machine does not end it meanwhile
        await pilot.pause(0.3)
        # The losses are drawn while it runs, before anybody has looked at the accuracy.
        text = seen(app)
        assert "training loss, nats" in text
        assert "on digits, 8x8 px" in text
        assert any("⠀" < character < "⣿" for character in text)
        await pilot.press("k")
        assert app.clipboard == f"convlab train {place / 'tiny.toml'} --data digits --samples 64000 --batch 32"
        await pilot.press("plus", "u")  # the lab goes on
        os.kill(app.jobs._jobs["1"].worker.pid, signal.SIGKILL)
        await until(pilot, lambda: job().status == "failed")
        await pilot.pause(0.5)
        assert "ended by SIGKILL" in seen(app).replace("\n", "")
        reached = job().curves
        await pilot.press("R")
        await until(pilot, lambda: not job().running)
        assert job().status == "done", job()
        ((curve, before),) = ((job().curves[key], reached[key]) for key in reached)
        assert len(curve) > len(before)
        assert job().result
        await ordered(app, pilot, "e", file="tiny.onnx")
        await until(pilot, lambda: len(app.job_states) == 2 and not app.job_states[1].running)
        assert app.job_states[1].status == "done", app.job_states[1]
        assert (place / "tiny.onnx").stat().st_size > 1000
        lab.panes.choose("runs")
        await until(pilot, lambda: "2 runs" in seen(app))

    driven(deeds, "tiny.toml", folder=place / "state")


@pytest.mark.slow
def test_a_training_that_was_left_is_resumed_in_another_session_and_says_what_it_cannot_tell(place):
    tiny = place / "tiny.toml"
    command = f"convlab train {tiny} --set summary=x --against {tiny} --data digits --samples 64000 --batch 32"

    async def begun(app, pilot):
        lab = lab_of(app)
        lab.turn("summary", "x")  # the same network
        await ordered(app, pilot, "t", data="digits", samples="64000", batch="32", all_designs=True)
        job = lambda: app.job_states[0]  # noqa: E731
        await until(pilot, lambda: any(len(curve) > 6 for curve in job().curves.values()) and job().folder)
        await pilot.pause(0.3)
        assert "tiny: not trained, the same network as tiny-turned at this size" in seen(app)
        await pilot.press("k")
        assert app.clipboard == command
        await pilot.press("q", "d")

    async def resumed(app, pilot):
        lab = lab_of(app)
        await pilot.press("R")
        await until(pilot, lambda: app.job_states and not app.job_states[0].running)
        assert app.job_states[0].status == "done", app.job_states[0]
        await pilot.pause(0.5)
        text = seen(app).replace("\n", " ")
        assert "tiny: not trained, the same network" in text
        assert "how much another seed would change" in " ".join(text.split())
        lab.panes.choose("runs")
        await until(pilot, lambda: "2 runs" in seen(app))
        await pilot.press("R")
        await until(pilot, lambda: "no training was broken off" in said(app))

    driven(begun, "tiny.toml", folder=place / "state")
    with open_store() as store:
        (run,) = store.runs()
        assert (run.status, run.command) == ("stopped", command)
    driven(resumed, "tiny.toml", folder=place / "state", size=(150, 60))
    with open_store() as store:
        last, first = store.runs()
        assert "the same network as tiny-turned" in last.note
        assert last.command == f"convlab train --resume {first.id}"


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["no folder", "locked", "full"])
def test_a_store_that_takes_nothing_is_a_message(place, trouble):
    store = place / "store"
    words = {"no folder": "store", "locked": "lock", "full": "the disk could not be read or written"}
    if trouble == "no folder":
        store.write_text("a file where the folder would be")
    elif trouble == "locked":
        store.mkdir()
        connection = sqlite3.connect(store / "runs.sqlite", isolation_level=None)
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def deeds(app, pilot):
        lab = lab_of(app)
        if trouble == "full":
            resource.setrlimit(
                resource.RLIMIT_FSIZE, (2048, hard)
            )  # what the worker inherits; the lab has written nothing then
        try:
            await ordered(app, pilot, "t", data="digits", samples="320", batch="32")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await until(pilot, lambda: not app.job_states[0].running)
        state = app.job_states[0]
        assert state.status == "failed"
        told = " ".join(f"{problem.message} {problem.label} {problem.help}" for problem in state.error)
        assert words[trouble] in told, state
        await pilot.pause(0.5)
        assert "✗" in seen(app)
        await pilot.press("escape", "plus")
        assert lab.session.can_undo
        assert "stages.0.depth = 2" in said(app)

    driven(deeds, "tiny.toml", folder=place / "state")


def test_designs_of_the_tests_are_valid(place):
    assert load(place / "tiny.toml").depths == (1,)
