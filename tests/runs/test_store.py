"""What is recorded comes back, on SQLite and PostgreSQL alike, and how a run ended is told truly."""

from __future__ import annotations

import math
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import numpy
import pytest
from sqlalchemy import update

import convlab
from convlab.cli.runs import query
from convlab.errors import ConvlabError, Problem
from convlab.runs import ResolvedDesign, open_store, schema
from convlab.runs.beating import beating
from convlab.runs.plain import digest
from convlab.runs.provenance import SILENT_S

WAITING = """
import sys, time
from convlab.runs import Row, open_store
with open_store(sys.argv[1]).begin("benchmark", name="waits") as run:
    run.put(0, Row(kind="step", subject="convnext_t", median=1.0))
    print(run.id, flush=True)
    time.sleep(600)
"""


def test_a_run_comes_back_as_it_was(store, row):
    design = convlab.load("convnext_atto")
    details = {
        "samples": [1.5, 2],
        "path": Path("a"),
        "nested": {"deep": (1, None, True)},
        "scalar": numpy.float32(0.5),
    }
    given = row(design=ResolvedDesign.of(design), batch=64, image_height=224, threads=2, n=30, details=details)
    with store.begin(
        "benchmark", name="mine", settings={"seconds": 2.5}, environment={"cpu": "x"}, note="a note"
    ) as run:
        run.put(3, given)
        run.put(1, row(2.0, subject="timm:resnet50"))
    (found,) = store.runs()
    assert (found.id, found.kind, found.name, found.status, found.rows) == (run.id, "benchmark", "mine", "complete", 2)
    assert (found.settings, found.note, found.version) == ({"seconds": 2.5}, "a note", convlab.__version__)
    assert store.environment(found) == {"cpu": "x"}
    assert found.started <= found.finished <= datetime.now(UTC)
    assert len(found.commit) in (0, 40)
    rows = store.rows(found)
    assert list(rows) == [1, 3]
    assert rows[3].details == {"samples": [1.5, 2], "path": "a", "nested": {"deep": [1, None, True]}, "scalar": 0.5}
    assert rows[3].design.load() == design
    assert rows[3].design.key == design.key
    assert (rows[3].batch, rows[3].image_height, rows[3].image_width, rows[3].n) == (64, 224, None, 30)
    assert rows[1] == row(2.0, subject="timm:resnet50")


def test_a_row_takes_the_place_of_the_one_before(store, row):
    with store.begin("benchmark") as run:
        for samples in range(1, 4):
            run.put(0, row(1.0 / samples, n=samples))
            assert store.rows(run.id)[0].n == samples
    assert store.rows("latest") == {0: row(1.0 / 3, n=3)}


def test_numbers_that_are_not_finite_and_text_that_databases_refuse(store, row):
    details = {"loss": [math.nan, -math.inf], "name": "a\0b", "argument": "\udcff"}
    with store.begin("training", name="nul \0", environment={"nan": math.nan}) as run:
        run.put(0, row(math.nan, low=-math.inf, high=math.inf, subject="\udcff", details=details))
    found = store.rows("latest")[0]
    assert (found.median, found.low, found.high) == (None, None, None)
    assert found.details == {"loss": ["nan", "-inf"], "name": "a\\x00b", "argument": "\\udcff"}
    assert found.subject == "\\udcff"
    with pytest.raises(TypeError), store.begin("training") as run:
        run.put(0, row(details={"thing": object()}))


def test_equal_designs_and_environments_are_kept_once(store, row):
    design = ResolvedDesign.of(convlab.load("convnext_t"))
    for environment in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
        with store.begin("benchmark", environment=environment) as run:
            run.put(0, row(design=design))
    first, second = store.runs()
    assert first.environment == second.environment == digest({"a": 1, "b": 2})
    assert store.query("SELECT count(*) FROM designs").rows == ((1,),)
    assert store.query("SELECT count(*) FROM environments").rows == ((1,),)


def test_how_a_run_ends(store):
    with store.begin("a"):
        pass
    with store.begin("b") as run:
        run.stop()
    with pytest.raises(KeyboardInterrupt), store.begin("c"):
        raise KeyboardInterrupt

    def closed():
        with store.begin("d"):
            yield

    work = closed()
    next(work)
    assert store.run("latest").status == "running"
    work.close()
    with pytest.raises(ZeroDivisionError), store.begin("e", note="noted"):
        1 / 0  # noqa: B018  # the error is what is meant
    with store.begin("f", note="noted") as run:
        run.fail("diverged")
    ends = {run.kind: (run.status, run.note) for run in store.runs()}
    assert ends == {
        "a": ("complete", ""),
        "b": ("stopped", ""),
        "c": ("stopped", ""),
        "d": ("stopped", ""),
        "e": ("failed", "noted\nZeroDivisionError: division by zero"),
        "f": ("failed", "noted\ndiverged"),
    }
    assert all(run.finished for run in store.runs())


def test_a_run_whose_process_was_killed_is_interrupted(store, place, python):
    with python(WAITING, place) as process:
        name = process.stdout.readline().strip()
        assert store.run(name).status == "running"
        assert store.query("SELECT status FROM runs").rows == (("running",),)
        process.send_signal(signal.SIGKILL)
    assert store.run(name).status == "interrupted"
    assert [run.id for run in store.runs(status="interrupted", limit=1)] == [name]
    assert store.runs(status="running") == ()
    assert len(store.rows(name)) == 1
    assert store.query("SELECT status FROM runs").rows == (("interrupted",),)
    assert store.run(name).status == "interrupted"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"process_started": 1.0}, "interrupted"),  # another process has the number now
        ({"host": "elsewhere"}, "running"),
        ({"host": "elsewhere", "heartbeat": datetime.now(UTC) - timedelta(seconds=SILENT_S + 1)}, "interrupted"),
        ({"host": "", "process": None, "heartbeat": None}, "interrupted"),  # a run of version 1
    ],
)
def test_who_is_alive(store, changes, status):
    with store.begin("benchmark") as run:
        with store.database.writing() as connection:
            connection.execute(update(schema.runs).where(schema.runs.c.id == run.id).values(changes))
        assert store.run(run.id).status == status
    assert store.run(run.id).status == "complete"


def test_runs_are_selected(store, row):
    design = ResolvedDesign.of(convlab.load("convnext_atto"))
    ids = {}
    for kind, subject, of in (
        ("benchmark", "convnext_atto", design),
        ("training", "mine", design),
        ("benchmark", "timm:x", None),
    ):
        with store.begin(kind) as run:
            run.put(0, row(subject=subject, design=of))
        ids[subject] = run.id
    names = lambda **given: [run.id for run in store.runs(**given)]  # noqa: E731
    assert names() == [*reversed(ids.values())]
    assert names(limit=1) == [ids["timm:x"]]
    assert names(kind="training") == [ids["mine"]]
    assert names(design="timm:x") == [ids["timm:x"]]
    assert names(design=design.key[:6]) == [ids["mine"], ids["convnext_atto"]]
    assert names(design="%") == []
    assert names(status="failed") == []
    assert names(since=datetime.now(UTC) - timedelta(minutes=5)) == names()
    assert names(since=datetime.now(UTC) + timedelta(minutes=5)) == []


def test_runs_are_named(store):
    with pytest.raises(ConvlabError, match="has no runs"):
        store.run("latest")
    with store.begin("a") as first:
        pass
    with store.begin("b") as second:
        pass
    assert store.run("latest").id == second.id
    assert store.run(first.id).id == first.id
    assert store.run(first.id[-6:]).id == first.id
    with pytest.raises(ConvlabError, match="2 runs begin with"):
        store.run(first.id[:6])
    for wrong in ("nothing", "%", "_", "", "a'b", "ABC"):
        with pytest.raises(ConvlabError, match="there is no run") as caught:
            store.run(wrong)
        assert caught.value.exit_code == 2


def test_what_is_deleted_can_be_restored_until_it_is_removed(store, row):
    shared, own = (ResolvedDesign.of(convlab.load(name)) for name in ("convnext_t", "resnet50"))
    for designs in ((shared,), (shared, own)):
        with store.begin("benchmark", environment={"designs": len(designs)}) as run:
            for position, design in enumerate(designs):
                run.put(position, row(design=design))
    first, last = store.runs()[::-1]
    store.delete(last)
    assert store.runs() == (first,)
    assert store.query("SELECT count(*) FROM rows").rows == ((1,),)
    assert store.run(last.id).deleted
    store.restore(last)
    assert len(store.runs()) == 2
    assert not store.garbage()
    store.delete(last)
    mark = store.run(last.id).deleted
    store.delete(last)
    assert store.run(last.id).deleted == mark
    assert not store.garbage(older_than=timedelta(hours=1))
    found = store.garbage()
    assert ([run.id for run in found.runs], found.rows, found.designs, found.environments) == ([last.id], 2, 1, 1)
    store.remove(found)
    assert store.runs(deleted=None) == (first,)
    assert [row.design for row in store.rows(first).values()] == [shared]
    for table, left in (("stored_runs", 1), ("stored_rows", 1), ("stored_designs", 1), ("stored_environments", 1)):
        assert store.query(f"SELECT count(*) FROM {table}").rows == ((left,),)
    assert not store.gc()


def test_a_run_that_was_restored_meanwhile_stays(store, row):
    with store.begin("benchmark") as run:
        run.put(0, row(design=ResolvedDesign.of(convlab.load("convnext_t"))))
    store.delete(store.run(run.id))
    found = store.garbage()
    store.restore(*found.runs)
    store.remove(found)
    assert store.rows(run.id)[0].design is not None


def test_a_running_run_is_not_removed(store, row):
    with store.begin("benchmark") as run:
        store.delete(store.run(run.id))
        assert not store.gc()
        run.put(0, row())
    assert store.gc().rows == 1
    with pytest.raises(ConvlabError, match="is not in the store any more"):
        run.put(1, row())


def test_a_query_reads_and_nothing_else(store, row, tmp_path):
    with store.begin("benchmark") as run:
        run.put(0, row(0.5))
    found = store.query("SELECT subject, median, unit FROM rows WHERE subject LIKE 'conv%'")
    assert found == (("subject", "median", "unit"), (("convnext_t", 0.5, "s"),))
    assert store.query("SELECT count(*) AS n, avg(position) AS mean FROM rows").rows == ((1, 0.0),)
    other = tmp_path / "other.sqlite"
    for sql in (
        "DELETE FROM stored_rows",
        "DELETE FROM stored_rows RETURNING run",
        "UPDATE stored_runs SET name = 'x'",
        "INSERT INTO stored_designs VALUES ('a', 'b', 'c')",
        "DROP TABLE stored_rows",
        "CREATE TABLE mine (x INTEGER)",
        "SELECT 1; DELETE FROM stored_rows",
        "COMMIT; DELETE FROM stored_rows",
        f"ATTACH '{other}' AS other",
        f"VACUUM INTO '{other}'",
        "SELECT nothing FROM rows",
        "no SQL",
        "",
    ):
        with pytest.raises(ConvlabError, match="the query is not run") as caught:
            store.query(sql)
        assert caught.value.problems[0].code == "bad-query"
    assert not other.exists()
    assert store.rows(run.id) == {0: row(0.5)}


@pytest.mark.parametrize("name", ["runs", "rows", "designs", "environments"])
def test_the_views_have_the_columns_that_the_help_names(store, name):
    columns = store.query(f"SELECT * FROM {name}").columns
    named = re.search(rf"\b{name} \(([^)]*)\)", query.function.__doc__)[1]
    assert tuple(re.split(r",\s+", named)) == columns


def test_many_threads_write_at_once(store, row):
    with store.begin("benchmark") as run, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda position: run.put(position, row(position)), range(40)))
    assert list(store.rows(run.id)) == list(range(40))


def test_passwords_are_not_stored(place):
    with (
        open_store(place) as opened,
        opened.begin("a", command="convlab bench --store postgresql://me:secret@host/db") as run,
    ):
        pass
    with open_store(place) as opened:
        assert opened.run(run.id).command == "convlab bench --store postgresql://me:***@host/db"


def test_the_heart_beats_until_the_block_ends_whatever_the_store_says():
    beats, twice = [], Event()

    def beat():
        beats.append(threading.current_thread())
        if len(beats) > 1:
            twice.set()
        raise ConvlabError(Problem("store-busy", "the store is busy"))

    with beating(beat, every_s=0.001):
        assert twice.wait(30)
    assert beats[0] is not threading.current_thread()
    assert not beats[0].is_alive()
