"""What is not a store, or cannot be opened, read or written, is told in one clear error with a way out."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from convlab.errors import ConvlabError
from convlab.runs import Row, existing_store, open_store
from convlab.runs.address import address_of, default_file

FILLER = """
import sys
from convlab.errors import ConvlabError
from convlab.runs import Row, open_store
try:
    store = open_store(sys.argv[1])
    {limit}
    with store.begin("benchmark") as run:
        for position in range(100_000):
            run.put(position, Row(kind="step", subject="x", details={{"samples": [0.123456789] * 500}}))
            print(position, flush=True)
except ConvlabError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def refusal(where, **options):
    with pytest.raises(ConvlabError) as caught:
        open_store(where, **options)
    (problem,) = caught.value.problems
    assert caught.value.exit_code == 2
    assert problem.help
    return problem


def test_a_store_is_made_where_there_is_none(tmp_path):
    place = tmp_path / "some" / "folder" / "r?ns#1 %41.sqlite"
    with open_store(place) as store:
        assert store.runs() == ()
    assert place.read_bytes().startswith(b"SQLite format 3\0")
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    (tmp_path / "empty.sqlite").touch()  # a process may have died right after making it
    open_store(tmp_path / "empty.sqlite").close()


def test_commits_are_on_the_disk_when_they_return(tmp_path):
    with open_store(tmp_path / "runs.sqlite") as store, store.database.directly() as driver:
        assert driver.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert driver.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_the_log_stays_short_while_others_have_the_store_open(tmp_path):
    place = tmp_path / "runs.sqlite"
    log = tmp_path / "runs.sqlite-wal"
    lengths = []
    with open_store(place) as store, open_store(place) as other, store.begin("benchmark") as run:
        with store.database.directly() as driver:
            assert driver.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
        for position in range(60):
            writer = run if position % 2 else replace(run, database=other.database)
            writer.put(position, Row(kind="step", subject="x", details={"text": "x" * 200_000}))
            lengths.append(log.stat().st_size)
        assert 4 * 2**20 < max(lengths) < 5 * 2**20
        assert sum(after < before for before, after in pairwise(lengths)) >= 2
        assert place.stat().st_size > 8 * 2**20
        assert len(store.rows(run.id)) == 60


def test_a_store_stays_where_it_is_when_the_folder_is_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with open_store("runs.sqlite") as store, store.begin("benchmark") as run:
        monkeypatch.chdir(tmp_path / "elsewhere")
        for position in range(30):
            run.put(position, Row(kind="step", subject="x", details={"text": "x" * 200_000}))
        assert store.query("SELECT count(*) FROM rows").rows == ((30,),)
        assert store.place == "runs.sqlite"
        assert list((tmp_path / "elsewhere").iterdir()) == []
        assert (tmp_path / "runs.sqlite").stat().st_size > 2**20


def test_the_setting_says_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert address_of(None) == default_file()
    assert tmp_path in default_file().parents
    monkeypatch.setenv("CONVLAB_STORE", "mine.sqlite")
    assert address_of(None) == Path("mine.sqlite")
    monkeypatch.setenv("CONVLAB_STORE", "postgresql://me@host/runs")
    assert address_of(None).drivername == "postgresql+psycopg"
    assert address_of("~/x.sqlite") == tmp_path / "x.sqlite"
    assert address_of("sqlite:///rel.sqlite") == Path("rel.sqlite")
    assert address_of("postgres://me@host/runs") == address_of("postgresql+psycopg://me@host/runs")


def test_what_is_not_a_store(tmp_path):
    (tmp_path / "text.sqlite").write_text("not a store at all")
    problem = refusal(tmp_path / "text.sqlite")
    assert (problem.code, "it is no SQLite file" in problem.message) == ("not-a-store", True)
    assert (tmp_path / "text.sqlite").read_text() == "not a store at all"
    problem = refusal(tmp_path)
    assert "is a folder, not a store" in problem.message
    assert problem.help == f"name a file in it: {tmp_path / 'runs.sqlite'}"
    assert "is a pipe or a device" in refusal("/dev/null").message
    assert refusal(tmp_path / "text.sqlite" / "below").code == "store-failed"
    assert refusal(tmp_path / ("x" * 300)).code == "unreadable-file"
    assert "is empty" in refusal(" ").message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.sqlite"]


@pytest.mark.parametrize("tables", ["CREATE TABLE places (id INTEGER)", "CREATE TABLE stored_runs (id INTEGER)"])
def test_another_applications_file_is_left_alone(tables, tmp_path):
    place = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(place)) as connection:
        connection.execute(tables)
    before = place.read_bytes()
    problem = refusal(place)
    assert (problem.code, "another application's tables" in problem.message) == ("not-a-store", True)
    assert place.read_bytes() == before


def test_another_applications_tables_on_a_server(database):
    import psycopg

    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE places (id INTEGER)")  # beside them there is room
    open_store(database).close()
    with psycopg.connect(database) as connection:
        for table in ("runs", "rows"):
            connection.execute(f"DROP VIEW {table}")
        connection.execute("DROP TABLE convlab_version")
    assert "another application's tables are in it" in refusal(database).message


def test_a_damaged_file(tmp_path):
    place = tmp_path / "runs.sqlite"
    open_store(place).close()
    whole = place.read_bytes()
    place.write_bytes(whole[:100] + b"\xff" * 4000 + whole[4100:])
    problem = refusal(place)
    assert problem.code == "not-a-store"
    assert "damaged" in problem.message


def test_a_name_that_is_wrong_makes_no_store(tmp_path):
    with pytest.raises(ConvlabError, match="there is no store"):
        existing_store(tmp_path / "misspelled.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:secret@host/db", 'not "mysql"'),
        ("postgresql+asyncpg://host/db", 'not "postgresql+asyncpg"'),
        ("postgresql://host:port/db", "cannot be read"),
        ("://", "cannot be read"),
        ("sqlite://", 'not "sqlite"'),
    ],
)
def test_a_bad_url(url, said):
    problem = refusal(url)
    assert (problem.code, said in problem.message) == ("usage", True)
    assert "secret" not in str(ConvlabError(problem))


def test_a_server_that_is_not_there(tmp_path):
    pytest.importorskip("psycopg")
    problem = refusal(f"postgresql://me:secret@/runs?host={tmp_path}", patience_s=2)
    assert problem.code == "store-failed"
    assert "cannot be reached" in problem.message
    assert "secret" not in problem.message


def test_a_database_that_is_not_there(server):
    problem = refusal(f"postgresql://convlab@/nothing?host={server}")
    assert "there is no such database" in problem.message or "does not exist" in problem.message, problem.message


def test_a_server_that_goes_away(database):
    import psycopg

    with open_store(database) as store:
        with store.begin("benchmark") as run:
            run.put(0, Row(kind="step", subject="x"))
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            run.put(1, Row(kind="step", subject="x"))  # a new connection takes the place of the lost one
        assert len(store.rows(run.id)) == 2


def test_without_psycopg_the_way_to_it_is_told():
    script = """
import sys
sys.modules["psycopg"] = None
from importlib.util import find_spec
from convlab.errors import ConvlabError
from convlab.runs import open_store
try:
    open_store("postgresql://host/db")
except ConvlabError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "needs psycopg 3" in ended.stdout
    assert "pip install 'convlab[postgres]'" in ended.stdout


def test_a_locked_store(tmp_path):
    place = tmp_path / "runs.sqlite"
    with open_store(place, patience_s=0.1) as store, closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.runs() == ()  # who reads is not held up
        with pytest.raises(ConvlabError, match="another process keeps it locked") as caught, store.begin("benchmark"):
            pass
        assert caught.value.problems[0].code == "store-busy"
        other.execute("ROLLBACK")
        with store.begin("benchmark"):
            pass


def test_a_locked_server(database):
    import psycopg

    with open_store(database, patience_s=0.2) as store, psycopg.connect(database) as other:
        other.execute("LOCK TABLE stored_runs IN EXCLUSIVE MODE")
        with pytest.raises(ConvlabError, match="another process keeps it locked"), store.begin("benchmark"):
            pass


@pytest.fixture
def without_privilege():
    """What a command begins with so that permissions hold for it, which root may otherwise pass over."""
    if os.getuid() != 0:
        return ()
    prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    if not shutil.which(prefix[0]) or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("root may write everywhere, and there is no setpriv that takes this away")
    return prefix


@pytest.mark.parametrize(("file", "folder"), [(0o444, 0o555), (0o444, 0o755), (0o644, 0o555)])
def test_a_store_that_may_not_be_written(file, folder, tmp_path, python, without_privilege):
    place = tmp_path / "kept" / "runs.sqlite"
    open_store(place).close()
    place.chmod(file)
    place.parent.chmod(folder)
    with python(FILLER.format(limit=""), place, prefix=without_privilege) as process:
        out, errors = process.communicate()
    place.parent.chmod(0o755)
    assert out == ""
    assert "error: the store" in errors
    assert "Traceback" not in errors
    assert (
        "= help: allow it (chmod u+w, also for its folder), copy it elsewhere, or name another with --store" in errors
    )


def test_a_folder_that_may_not_be_written(tmp_path, python, without_privilege):
    tmp_path.chmod(0o555)
    for place in (tmp_path / "runs.sqlite", tmp_path / "folder" / "runs.sqlite"):
        with python(FILLER.format(limit=""), place, prefix=without_privilege) as process:
            _, errors = process.communicate()
        assert "cannot be opened" in errors
        assert "= help: " in errors
    tmp_path.chmod(0o755)


def assert_full_and_sound(process, place):
    out, errors = process.communicate()
    stored = [int(line) for line in out.split()]
    assert process.returncode == 2, errors
    assert errors.count("error:") == 1
    assert "Traceback" not in errors
    assert "what was stored before is still there" in errors
    assert len(stored) > 5
    return stored


def assert_sound(place, stored):
    with open_store(place) as store:
        assert list(store.rows("latest")) == stored
        assert store.run("latest").status in ("interrupted", "failed")
        with closing(sqlite3.connect(place)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_limit_on_files(tmp_path, python):
    place = tmp_path / "runs.sqlite"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"
    process = python(FILLER.format(limit=limit), place)
    assert_sound(place, assert_full_and_sound(process, place))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of three megabytes, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with suppress(OSError):
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
        )
        if mounted.returncode == 0:
            yield folder
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
            return
    pytest.skip("no file system can be mounted here")


def test_a_full_disk(small_disk, python):
    place = small_disk / "runs.sqlite"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_500_000))
    process = python(FILLER.format(limit=""), place)
    stored = assert_full_and_sound(process, place)
    ballast.unlink()
    assert_sound(place, stored)
    with open_store(place) as store, store.begin("benchmark") as run:
        run.put(0, Row(kind="step", subject="x"))
