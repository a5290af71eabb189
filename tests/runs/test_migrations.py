"""A store of version 1 becomes one of today with all its rows, once, with a copy kept; one of tomorrow is left alone."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import MetaData, inspect, text

from convlab.errors import ConvlabError
from convlab.runs import migrating, open_store, schema
from convlab.runs.address import address_of
from convlab.runs.database import connected
from convlab.runs.versions import locked

VERSION_1 = (Path(__file__).parent / "version_1.sql").read_text()
TYPES = {
    "sqlite": {"{JSON}": "JSON", "{MOMENT}": "DATETIME", "{DOUBLE}": "DOUBLE"},
    "postgresql": {"{JSON}": "JSONB", "{MOMENT}": "TIMESTAMP WITH TIME ZONE", "{DOUBLE}": "DOUBLE PRECISION"},
}

OPENER = """
import sys
from convlab.runs import open_store
with open_store(sys.argv[1]) as store:
    print(len(store.runs()))
"""


@contextmanager
def a_database(place):
    database = connected(address_of(place), patience_s=5)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture
def old(place):
    """A store of version 1, as its tables were then."""
    make_version_1(place)
    return place


def make_version_1(place):
    types = TYPES["postgresql" if "://" in str(place) else "sqlite"]
    sql = re.sub("|".join(types), lambda found: types[found[0]], VERSION_1)
    with a_database(place) as database:
        if database.embedded:
            with database.directly() as driver:
                driver.executescript(sql)
                driver.execute("PRAGMA journal_mode = WAL")
        else:
            with database.writing() as connection:
                connection.exec_driver_sql(sql.replace(".000000'", ".000000+00'"))


def described(database):
    """The tables, columns, keys and indices of a store, and its views."""
    with database.reading() as connection:
        found = MetaData()
        found.reflect(connection)
        look = inspect(connection)
        tables = {
            table.name: (
                [
                    (
                        column.name,
                        str(column.type),
                        column.nullable,
                        column.server_default and str(column.server_default.arg),
                    )
                    for column in table.columns
                ],
                [column.name for column in table.primary_key],
                sorted((key.target_fullname, key.parent.name, key.ondelete) for key in table.foreign_keys),
                sorted(
                    (index.name, tuple(column.name for column in index.columns), index.unique)
                    for index in table.indexes
                ),
            )
            for table in found.sorted_tables
        }
        views = {name: " ".join(look.get_view_definition(name).split()) for name in look.get_view_names()}
        version = connection.execute(text("SELECT version_num FROM convlab_version")).all()
    return tables, views, version


def copies(place):
    return sorted(Path(place).parent.glob("*.version-1.*"))


def test_the_first_script_makes_version_1(place):
    with a_database(place) as database:
        with locked(database) as connection:
            migrating.upgrade(connection, 1)
        scripted = described(database)
        with database.writing() as connection:
            found = MetaData()
            found.reflect(connection)
            found.drop_all(connection)
        make_version_1(place)
        assert described(database) == scripted


def test_a_migrated_store_equals_a_fresh_one_and_has_its_rows(old):
    with open_store(old) as store:
        migrated = described(store.database)
        second, first = store.runs()
        assert (first.name, first.status, first.settings, first.rows) == ("first", "complete", {"seconds": 2}, 1)
        assert (first.finished - first.started).total_seconds() == 60
        assert (second.name, second.status, second.dirty) == ("second", "interrupted", True)
        row = store.rows(first)[0]
        assert (row.median, row.details, row.design.key, row.batch) == (0.5, {"samples": [0.5]}, "a52cc4598a336ba3", 32)
        assert store.environment(first) == {"cpu": "x"}
        store.delete(first)
        assert store.gc().rows == 1
        with store.begin("benchmark") as run:
            run.put(0, row)
        with store.database.writing() as connection:  # a fresh one, where the old one was
            schema.drop_views(connection)
            schema.metadata.drop_all(connection)
    with open_store(old) as fresh:
        assert described(fresh.database) == migrated
        assert fresh.runs() == ()


def test_a_copy_of_the_file_is_kept(tmp_path):
    place = tmp_path / "runs.sqlite"
    make_version_1(place)
    place.chmod(0o600)
    open_store(place).close()
    open_store(place).close()
    (copy,) = copies(place)
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM convlab_version").fetchall() == [("0001",)]
        assert connection.execute("SELECT count(*) FROM stored_rows").fetchall() == [(2,)]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_processes_that_open_it_at_once_migrate_it_once(old, python):
    processes = [python(OPENER, old) for _ in range(3)]
    told = [process.communicate() for process in processes]
    assert told == [("2\n", "")] * 3
    if "://" not in old:
        assert len(copies(old)) == 1


def test_a_migration_that_fails_changes_nothing(old):
    with a_database(old) as database:
        with database.writing() as connection:  # in the way of the last step
            connection.execute(text("CREATE INDEX stored_rows_by_subject ON stored_rows (kind)"))
        with pytest.raises(ConvlabError, match="already exists"):
            open_store(old)
        with database.writing() as connection:
            assert connection.execute(text("SELECT version_num FROM convlab_version")).all() == [("0001",)]
            assert "deleted" not in {column["name"] for column in inspect(connection).get_columns("stored_runs")}
            connection.execute(text("DROP INDEX stored_rows_by_subject"))
    with open_store(old) as store:
        assert len(store.runs()) == 2


def test_without_room_for_a_copy_nothing_is_changed(tmp_path, python):
    place = tmp_path / "runs.sqlite"
    make_version_1(place)
    with closing(sqlite3.connect(place)) as connection, connection:  # more than SQLite's other files have
        connection.execute("UPDATE stored_designs SET text = ?", ["x" * 200_000])
    before = place.read_bytes()
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2}, {len(before) // 2}))\n"
    with python(limit + OPENER, place) as process:
        _, errors = process.communicate()
    assert "no copy of it could be kept" in errors
    assert place.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if "-wal" not in path.name and "-shm" not in path.name] == [
        "runs.sqlite"
    ]
    with open_store(place) as store:
        assert len(store.runs()) == 2


def test_a_newer_store_is_refused_and_left_alone(store, place):
    with store.database.writing() as connection:
        connection.execute(text("UPDATE convlab_version SET version_num = '0099'"))
    with pytest.raises(ConvlabError, match="has version 99; this convlab knows versions up to 2") as caught:
        open_store(place)
    assert (caught.value.exit_code, caught.value.problems[0].code) == (2, "newer-store")
    assert "pip install -U convlab" in caught.value.problems[0].help
    with store.database.writing() as connection:
        connection.execute(text("UPDATE convlab_version SET version_num = 'x1'"))
    with pytest.raises(ConvlabError, match="which no convlab wrote"):
        open_store(place)


def test_every_version_has_a_script():
    names = sorted(path.name[:4] for path in (migrating.SCRIPTS / "versions").glob("*.py"))
    assert names == [f"{number:04}" for number in range(1, schema.VERSION + 1)]
