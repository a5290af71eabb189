"""Recording: rows are in the store while they are measured, each once, with everything that a figure needs to be read."""

import sqlite3

import pytest

from convlab.errors import ConvlabError
from convlab.measurement.benchmarking import benchmark
from convlab.measurement.machine.environment import environment
from convlab.measurement.recording import recording
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import Conditions
from convlab.measurement.running.subjects import subject
from convlab.progress import finished
from convlab.runs import ResolvedDesign, Row, open_store

TINY = subject("convnext_atto", image=(32, 32))
SHORT = Protocol(seconds=0.1, least_rounds=3, most_rounds=3, sample_s=0.001, window=1, warm_up_s=0.1)
CONDITIONS = Conditions(threads=1, batch=2)
HERE = environment("cpu")


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "runs.sqlite") as opened:
        yield opened


def recorder(store):
    return recording(store, "benchmark", name="tiny", settings={"what": "throughput"}, environment=HERE)


def test_a_row_holds_what_a_figure_needs(store):
    with recorder(store) as put:
        found = finished(benchmark(TINY, conditions=CONDITIONS, protocol=SHORT, keep=put))
    assert put.trouble is None
    run = store.run("latest")
    assert (run.id, run.status, run.rows) == (put.id, "complete", 1)
    row = store.rows(run)[0]
    assert (row.kind, row.subject, row.unit, row.n) == ("throughput", "convnext_atto", "images/s", 3)
    assert row.design == ResolvedDesign.of(TINY.design)
    assert row.median == found.rows[0].images_per_second.median
    assert (row.device, row.dtype, row.layout, row.mode) == ("cpu", "float32", "channels_last", "eager")
    assert (row.task, row.batch, row.image_height, row.image_width, row.threads) == ("inference", 2, 32, 32, 1)
    details = row.details
    assert details["environment"] == HERE.digest
    assert details["device_name"] == HERE.device.name
    assert details["moment"]["cpus"] >= 1
    assert details["samples_s"] == list(found.rows[0].samples)
    assert details["params"] == found.rows[0].params
    facts = store.environment(run)
    assert facts["software"]["packages"]["torch"]
    assert facts["host"]["cpu"]


def test_partial_samples_are_there_before_the_end(store, monkeypatch):
    monkeypatch.setattr("convlab.measurement.benchmarking.KEEP_S", 0.0)
    seen = []
    with recorder(store) as put:
        for step in benchmark([TINY, TINY], conditions=CONDITIONS, protocol=SHORT, keep=put):
            run = store.run(put.id)
            seen.append((run.status, [row.n for row in store.rows(run).values()]))
            assert step
    assert seen[-1] == ("running", [3, 3])
    assert ("running", [1, 1]) in seen
    assert [row.n for row in store.rows("latest").values()] == [3, 3]


def test_a_network_that_fails_is_a_row_without_figures(store):
    with recorder(store) as put:
        work = benchmark(TINY, conditions=Conditions(threads=1, batch=10**9), protocol=SHORT, keep=put)
        next(step for step in work if step.what.startswith("largest"))
        with pytest.raises(StopIteration):
            work.throw(KeyboardInterrupt)
        put.stop()
    row = store.rows("latest")[0]
    assert (row.n, row.median) == (0, None)
    assert row.details["failure"].startswith("out of memory")
    assert store.run("latest").status == "stopped"


def test_an_error_closes_the_run_as_failed(store):
    with pytest.raises(ConvlabError), recorder(store) as put:
        finished(benchmark("nope", conditions=CONDITIONS, keep=put))
    run = store.run("latest")
    assert run.status == "failed"
    assert "nope" in run.note


def test_where_the_store_takes_no_row_measuring_goes_on(store):
    with recorder(store) as put:
        with sqlite3.connect(store.place) as other:
            other.execute("DELETE FROM stored_runs")
        other.close()
        found = finished(benchmark(TINY, conditions=CONDITIONS, protocol=SHORT, keep=put))
        assert found.rows[0].step is not None
        assert "not in the store" in str(put.trouble)


def step(median):
    """A row that says how often it was handed over."""
    return Row(kind="step", subject="tiny", median=median, unit="s")


def test_a_row_that_was_refused_once_is_handed_over_again(store):
    """What another process does to the store meanwhile is undone before the end."""
    with recorder(store) as put:
        with sqlite3.connect(store.place) as other:
            other.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON stored_rows BEGIN SELECT raise(ABORT, 'not now'); END"
            )
        put.put("first", step(1.0))
        assert (put.stored, put.missing) == (0, 1)
        with sqlite3.connect(store.place) as other:
            other.execute("DROP TRIGGER refuse")
        other.close()
        put.put("second", step(2.0))
        assert (put.stored, put.missing) == (1, 1)
        assert put.trouble is not None, "a later success does not hide that the first row is missing"
        assert [row.median for row in store.rows(put.id).values()] == [2.0]
    assert (put.stored, put.missing, put.trouble) == (2, 0, None)
    assert [row.median for row in store.rows("latest").values()] == [1.0, 2.0]


def test_what_replaces_a_refused_row_is_all_that_is_handed_over_again(store):
    with recorder(store) as put:
        with sqlite3.connect(store.place) as other:
            other.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON stored_rows BEGIN SELECT raise(ABORT, 'not now'); END"
            )
        put.put("first", step(1.0))
        put.put("first", step(2.0))
        assert put.missing == 1
        with sqlite3.connect(store.place) as other:
            other.execute("DROP TRIGGER refuse")
        other.close()
        put.put("first", step(3.0))
        assert (put.missing, put.trouble) == (0, None)
    assert [row.median for row in store.rows("latest").values()] == [3.0]


def test_settings_have_rows_of_their_own(store):
    with recorder(store) as put:
        for batch in (1, 2, 1):
            finished(benchmark(TINY, conditions=Conditions(threads=1, batch=batch), protocol=SHORT, keep=put))
    assert [row.batch for row in store.rows("latest").values()] == [1, 2]
