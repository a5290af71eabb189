"""The runs panel on a real store: list, filter, show, compare, delete and take back; a store that fails is a message."""

import sqlite3

import pytest
from hosts import drive, shown, until

from convlab import ConvlabError, load
from convlab.runs import ResolvedDesign, Row, open_store
from convlab.tui.panels import stored
from convlab.tui.panels.runs import RunsPanel

NAMES = ("convnext_t", "resnet50", "regnety_400mf")


@pytest.fixture
def place(tmp_path, monkeypatch):
    path = tmp_path / "runs.sqlite"
    monkeypatch.setenv("CONVLAB_STORE", str(path))
    return path


@pytest.fixture
def filled(place):
    with open_store() as store:
        for median, name in enumerate(NAMES, start=10):
            with store.begin("benchmark", name=name) as run:
                design = ResolvedDesign.of(load(name))
                run.put(
                    0,
                    Row(kind="throughput", subject=name, design=design, batch=8, median=float(median), unit="images/s"),
                )
    return place


def test_list_filter_show_compare_delete_and_take_back(filled):
    async def steps(app, pilot):
        await until(pilot, lambda: "3 runs" in app.text)
        assert app.text.index("regnety_400mf") < app.text.index("convnext_t")
        await pilot.press("slash", *"res")
        assert "1 of 3 runs" in app.text
        await pilot.press("enter", "down", "enter")
        await until(pilot, lambda: "11 images/s" in app.text)
        await pilot.press("escape", "escape")
        assert "3 runs" in app.text
        assert "resnet50" in app.pointed_line()
        await pilot.press("home", "space", "end", "space", "v")
        await until(pilot, lambda: "compared" in app.text)
        assert "0.833" in app.text
        with open_store() as store:
            first = store.runs()[-1].id
            with store.begin("benchmark", name="again", settings={"resumed_from": first}):
                pass
        await pilot.press("escape", "r")
        await until(pilot, lambda: "4 runs" in app.text)
        lines = app.text.splitlines()
        assert lines[0].endswith("r reload")
        assert "goes on from" in lines[1]
        last_letters = first.rpartition("-")[2]
        (again,) = (line for line in lines if "again" in line)
        assert last_letters in again
        assert "resumed" in next(line for line in lines if first in line)
        again = again.split()[0]
        await pilot.press("end", "enter")
        await until(pilot, lambda: "resumed as" in app.text and again in app.text)
        await pilot.press("escape")
        with open_store() as store:
            store.delete(store.runs()[0])
        await pilot.press("r")
        await until(pilot, lambda: "3 runs" in app.text)
        await pilot.press("end", "delete")
        await until(pilot, lambda: "2 runs" in app.text)
        assert "z takes the removal of" in app.text
        assert "convnext_t" not in app.text
        await pilot.press("z")
        await until(pilot, lambda: "3 runs" in app.text)

    drive(RunsPanel, shown("convnext_t"), steps)


def test_without_a_store_and_with_an_empty_one(place):
    async def steps(app, pilot):
        await until(pilot, lambda: "No runs yet." in app.text)

    drive(RunsPanel, shown("convnext_t"), steps, size=(38, 10))


@pytest.mark.parametrize("damage", ["text", "folder", "torn"])
def test_a_damaged_store_is_a_message(place, damage):
    if damage == "folder":
        place.mkdir()
    elif damage == "text":
        place.write_text("not a store")
    else:
        place.write_bytes(b"SQLite format 3\0" + b"\xff" * 4000)

    async def steps(app, pilot):
        await until(pilot, lambda: app.panel.problems)
        told = app.text.replace("\n", "")
        assert app.panel.problems[0].message.replace(" ", "")[-20:] in told.replace(" ", "")

    drive(RunsPanel, shown("convnext_t"), steps, size=(60, 10))


def test_a_locked_store_is_a_message_and_the_list_stays(filled, monkeypatch):
    monkeypatch.setattr(stored, "PATIENCE_S", 0.1)

    async def steps(app, pilot):
        await until(pilot, lambda: "3 runs" in app.text)
        other = sqlite3.connect(filled, isolation_level=None)
        try:
            other.execute("BEGIN EXCLUSIVE")
            await pilot.press("end", "delete")
            await until(pilot, lambda: app.panel.problems)
            assert app.panel.problems[0].code == "store-busy"
            assert "convnext_t" in app.text
        finally:
            other.close()

    drive(RunsPanel, shown("convnext_t"), steps)


def test_a_training_that_was_broken_off_says_how_it_goes_on(place, tmp_path):
    ended = {"seed": 0, "validation_loss": 1.0, "validation_accuracy": 0.5, "test_accuracy": 0.5}
    doubt = {"names": ["resnet50"], "topic": "rates", "sentence": "their drop path differs", "help": "train longer"}
    with open_store() as store:
        for name, end in (("old", "stop"), ("late", "stop"), ("gone", "stop"), ("whole", "")):
            folder = tmp_path / name
            settings = {"folder": str(folder)}
            with store.begin("training", name=name, settings=settings, command="convlab train resnet50") as run:
                design = ResolvedDesign.of(load("resnet50"))
                run.put(0, Row(kind="training", subject="resnet50", design=design, details=ended | {"doubts": [doubt]}))
                run.add_note("resnet50: no better than a guess")
                run.stop() if end else None
            if name in ("late", "whole"):  # of the others there are no checkpoints
                folder.mkdir()
                (folder / "job.json").write_text("{}")
        runs = {run.name: run.id for run in store.runs()}
        assert store.run(runs["late"]).note == "resnet50: no better than a guess"
    assert stored.broken_off() == (runs["late"], "late")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "job.json").write_text("{}")
    assert stored.broken_off(runs["old"]) == (runs["old"], "old")
    for name in ("gone", "whole"):
        with pytest.raises(ConvlabError, match="is no training that was broken off"):
            stored.broken_off(runs[name])
    facts = [*stored.in_full(runs["late"]).facts]
    assert ("go on with", f"convlab train --resume {runs['late']}") in facts
    assert ("note", "resnet50: no better than a guess") in facts
    assert ("cannot tell", "rates: their drop path differs; train longer") in facts
    assert "how much another seed would change" in " ".join(text for _, text in facts)
    assert "go on with" not in dict(stored.in_full(runs["whole"]).facts)

    async def steps(app, pilot):
        await until(pilot, lambda: "4 runs" in app.text)
        await pilot.press("home")
        chosen = app.panel.chosen
        assert chosen in runs.values()
        assert chosen in app.pointed_line()
        await pilot.press("enter")
        await until(pilot, lambda: "cannot tell" in app.text)
        assert app.panel.chosen == chosen

    drive(RunsPanel, shown("convnext_t"), steps)
