"""`convlab runs`: what is stored is listed, shown, compared, queried, exported and removed, in text and as JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli_process import loaded_in_turn

import convlab
from convlab.cli.app import run as run_command
from convlab.cli.completion import complete_export, complete_status
from convlab.runs import ResolvedDesign, Row, open_store

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "numpy", "alembic", "pyarrow", "psycopg", "textual", "plotly", "pandas"}
STORED = {"sqlalchemy", "alembic", "pyarrow", "psycopg", "psutil"}


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with three runs, that the setting names."""
    monkeypatch.chdir(tmp_path)
    with open_store(tmp_path / "mine.sqlite") as opened:
        for name, factor in (("convnext_t", 1.0), ("convnext_t", 1.1), ("resnet50", 0.7)):
            design = ResolvedDesign.of(convlab.load(name))
            facts = {"device": {"name": "one" if factor < 1.1 else "another"}}
            with opened.begin("benchmark", name=name, settings={"seconds": 2}, environment=facts) as run:
                figures = {
                    "median": 0.0123 * factor,
                    "low": 0.012 * factor,
                    "high": 0.0125 * factor,
                    "unit": "s",
                    "n": 20,
                }
                run.put(
                    0,
                    Row(kind="step", subject=name, design=design, task="inference", device="cpu", batch=32, **figures),
                )
                run.put(
                    1, Row(kind="memory", subject=name, median=2.0**30, unit="B", batch=64 if factor == 1.1 else 32)
                )
                run.put(
                    2,
                    Row(
                        kind="step", subject="timm:large", device="cpu", unit="s", details={"failure": "out of memory"}
                    ),
                )
        yield opened


@pytest.fixture
def names(store):
    """The runs' names, the oldest first."""
    return [run.id for run in store.runs()][::-1]


@pytest.fixture
def runs(shell, store, monkeypatch):
    """`convlab runs` on the store."""
    monkeypatch.setenv("CONVLAB_STORE", "mine.sqlite")
    return lambda *arguments: shell("runs", *arguments)


def test_list(runs, names):
    ran = runs("list")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == names[::-1]
    assert len(runs("list", "--design", "resnet50").out.splitlines()) == 2
    assert "No such run is in mine.sqlite. Kinds of runs there: benchmark." in runs("list", "--kind", "training").out
    assert "No such run" in runs("list", "--status", "failed").out
    assert len(runs("list", "--since", "1h").out.splitlines()) == 4
    assert "No such run" in runs("list", "--since", "2100-01-01").out
    ran = runs("list", "--limit", "2")
    assert len(ran.out.splitlines()) == 3
    assert "only the newest 2 are shown" in ran.err
    found = runs("list", "--limit", "2", "--json").json
    assert ([run["id"] for run in found["runs"]], found["more"]) == (names[:0:-1], True)


def test_list_by_a_design_of_a_file(runs, names):
    Path("wide.toml").write_text('base = "resnet50"\n')
    assert [run["id"] for run in runs("list", "--design", "wide.toml", "--json").json["runs"]] == [names[2]]


def test_show(runs, names):
    ran = runs("show")
    assert ran.out.startswith(names[2])
    for text in (
        "complete",
        "8.61 ms",
        "8.4 ms to 8.75 ms",
        "inference, cpu, batch 32",
        "1.000 GiB",
        "out of memory",
        "convlab 0.1.0",
    ):
        assert text in ran.out
    assert "device.name" not in ran.out
    assert "device.name" in runs("show", "--environment").out
    found = runs("show", names[0][-6:], "--json").json
    assert found["run"]["id"] == names[0]
    assert found["rows"][0]["median"] == 0.0123
    assert found["environment"] == {"device": {"name": "one"}}
    toml = runs("show", names[0], "--toml", "0").out
    Path("again.toml").write_text(toml)
    assert convlab.load("again.toml").key == convlab.load("convnext_t").key
    for position, said in (
        ("9", "has 0, 1, 2"),
        ("2", "timm:large is none of convlab's"),
        ("x", "the position of a row"),
    ):
        ran = runs("show", names[0], "--toml", position)
        assert (ran.code, said in ran.err) == (2, True)


def test_compare(runs, names):
    ran = runs("compare", names[0], names[1], names[2])
    assert ran.code == 0
    lines = ran.out.splitlines()
    step = next(line for line in lines if line.startswith("step") and "convnext_t" in line)
    assert "1.100 [1.056, 1.146]" in step
    assert "0.700 [0.672, 0.729]" in step
    assert "subject convnext_t / convnext_t / resnet50" in step
    assert "batch 32 / 64 / 32" in next(line for line in lines if line.startswith("memory"))
    assert "no figure to compare" in next(line for line in lines if "timm:large" in line)
    assert next(line for line in lines if line.startswith("device.name")).split()[1:] == ["one", "another", "one"]
    found = runs("compare", names[0], names[1], "--json").json
    assert found["rows"][1]["differs"] == {"batch": [32, 64]}
    assert (found["rows"][1]["subject"], found["rows"][1]["conditions"]["batch"]) == ("convnext_t", 32)
    assert found["environment"] == {"device.name": ["one", "another"]}
    assert runs("compare", names[0], names[0]).code == 2
    assert "inference, cpu, batch 32" in step, "what tells rows of one subject apart"
    assert "Code and environment are the same." in runs("compare", names[0], names[2]).out


def test_query(runs):
    sql = "SELECT subject, count(*) AS n FROM rows WHERE kind = 'step' GROUP BY subject ORDER BY subject"
    ran = runs("query", sql)
    assert [line.split() for line in ran.out.splitlines()] == [
        ["subject", "n"],
        ["convnext_t", "2"],
        ["resnet50", "1"],
        ["timm:large", "3"],
    ]
    assert runs("query", sql, "--json").json["rows"][0] == {"subject": "convnext_t", "n": 2}
    ran = runs("query", "DELETE FROM stored_rows")
    assert ran.code == 2
    assert "only SELECT, or WITH and SELECT, is answered" in ran.err
    for nothing in ("PRAGMA journal_mode=delete", "  VALUES (1)", "/* SELECT */ VACUUM", "EXPLAIN SELECT 1"):
        ran = runs("query", nothing)
        assert (ran.code, "only SELECT" in ran.err, "disk" in ran.err) == (2, True, False)
    assert "it is empty" in runs("query", " -- nothing").err
    assert runs("query", "/* one */ -- two\n WITH x AS (SELECT 7 AS n) SELECT n FROM x").out.split() == ["n", "7"]
    ran = runs("query", "SELECT 1 +", "--json")
    assert ran.json["error"]["problems"][0]["code"] == "bad-query"


def test_ctrl_c_ends_a_query_that_does_not_end(store):
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    command = [sys.executable, "-m", "convlab", "runs", "query", endless, "--store", "mine.sqlite"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(3)  # it has begun
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=60) == (b"", b"interrupted\n")
            assert process.returncode == 130
        finally:
            process.kill()


def test_export(runs, names):
    assert "3 runs with 9 rows written to a.csv (csv)" in runs("export", "-o", "a.csv").out
    assert len(Path("a.csv").read_text().splitlines()) == 10
    assert "1 run with 3 rows" in runs("export", names[0], "-o", "b", "--to", "json").out
    assert json.loads(Path("b").read_text())["runs"][0]["id"] == names[0]
    assert runs("export", "--design", "resnet50", "-o", "c.parquet", "--json").json["rows"] == 3
    for arguments, code in (
        (("-o", "a.csv"), "already-there"),
        (("-o", "a.xlsx"), "wrong-type"),
        (("-o", "a.csv", "--to", "xlsx"), "out-of-range"),
        (("-o", "nowhere/a.csv"), "unreadable-file"),
        ((names[0], "--kind", "benchmark", "-o", "d.csv"), "usage"),
    ):
        ran = runs("export", *arguments, "--json")
        assert (ran.code, ran.json["error"]["problems"][0]["code"]) == (2, code), arguments
    assert runs("export", "-o", "a.csv", "--force").code == 0
    assert "--to" not in runs("export", "-o", "a.xyz").err.splitlines()[0]


def test_delete_restore_gc(runs, names):
    ran = runs("delete", names[0], "latest")
    assert f"convlab runs restore {names[0]} {names[2]} takes the mark away" in ran.out
    assert [run["id"] for run in runs("list", "--json").json["runs"]] == [names[1]]
    assert len(runs("list", "--deleted").out.splitlines()) == 3
    assert "for removal" in runs("show", names[0]).out
    assert runs("restore", names[0], names[1]).out == f"restored: {names[0]}\nwas not marked: {names[1]}\n"
    assert runs("restore", "latest").out == f"restored: {names[2]}\n", "the latest of those that are marked"
    ran = runs("restore", "latest")
    assert (ran.code, "no run" in ran.err, "is marked for removal" in ran.err) == (2, True, True)
    runs("delete", names[2])
    assert runs("restore", names[0], "--json").json["not_marked"] == [names[0]]
    ran = runs("gc", "--dry-run")
    assert "to be removed: 1 run, 3 rows, 1 design, 0 environments" in ran.out
    assert names[2] in ran.out
    assert runs("gc", "--older-than", "1h").out == "there is nothing to remove\n"
    assert len(runs("list", "--deleted").out.splitlines()) == 2
    found = runs("gc", "--json").json
    assert (found["removed"], found["runs"], found["rows"]) == (True, [names[2]], 3)
    assert "there is nothing to remove" in runs("gc").out
    assert runs("show", names[2]).code == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("list --since yesterday", "a date, a time or a span before now"),
        ("list --status done", "status can be: running, complete"),
        ("list --limit 0", "from 1 to"),
        ("list --limit many", "whole number"),
        ("gc --older-than soon", "a span of time"),
        ("show nothing", 'there is no run "nothing"'),
        ("delete nothing", 'there is no run "nothing"'),
        ("list --store nowhere.sqlite", 'there is no store "nowhere.sqlite"'),
        ("list --store .", "is a folder, not a store"),
        ("list --store mysql://host/db", 'not "mysql"'),
        ("compare latest", "two runs or more"),
    ],
)
def test_wrong_usage(line, said, runs):
    ran = runs(*line.split())
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""


def test_without_a_store_one_is_made_in_the_data_folder(shell, tmp_path):
    ran = shell("runs", "list")
    assert ran.code == 0
    assert "No such run is in" in ran.out
    assert len(list((tmp_path / "data").rglob("runs.sqlite"))) == 1
    assert "has no runs" in shell("runs", "show").err


def test_completion(runs, names, monkeypatch, capsys):
    monkeypatch.setenv("_CONVLAB_COMPLETE", "complete_bash")
    for words, expected in (
        ("convlab runs show l", ["latest"]),
        ("convlab runs show ", ["latest", *names[::-1]]),
        (f"convlab runs show {names[0]}", [names[0]]),
        ("convlab runs show --store nowhere.sqlite ", ["latest"]),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
        with pytest.raises(SystemExit):
            run_command([])
        assert capsys.readouterr().out.split() == expected
    assert complete_status("in") == ["interrupted"]
    assert complete_export("") == ["csv", "parquet", "json"]
    assert not Path("nowhere.sqlite").exists()


def test_the_settings_show_no_password(shell, monkeypatch):
    monkeypatch.setenv("CONVLAB_STORE", "postgresql://me:secret@host/db")
    for ran in (shell("config"), shell("config", "--json")):
        assert "postgresql://me:***@host/db" in ran.out
        assert "secret" not in ran.out


def test_what_is_imported(store, tmp_path):
    place = {"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    without, with_one = (
        ("runs --help", "profile convnext_t"),
        tuple(f"runs {command} --store mine.sqlite" for command in ("list", "show")),
    )
    told = loaded_in_turn(*without, *with_one, **place)
    for line, (code, names) in told.items():
        assert (code, names & (STORED if line in without else HEAVY)) == (0, set()), line
