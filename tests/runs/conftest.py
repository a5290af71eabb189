"""Stores to test on: a SQLite file, and a database of a PostgreSQL server that is started here where one is installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

import pytest

from convlab.runs import Row, open_store

ROOT = Path(__file__).parents[2]
NUMBERS = count()


def program(name):
    """Where a program of PostgreSQL is, None where it is not installed; Debian keeps it off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    return str(found[-1]) if found else shutil.which(name)


def other_user():
    """PostgreSQL does not run as root: the arguments that run a process as somebody else."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server on a socket in a folder of its own: the folder."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    initdb, control = program("initdb"), program("pg_ctl")
    if not initdb or not control:
        pytest.skip("PostgreSQL is not installed")
    user = other_user()
    folder = Path(
        tempfile.mkdtemp(prefix="convlab-pg-", dir="/tmp")
    )  # short: the path of a socket may have 107 characters
    try:
        if user:
            os.chown(folder, user["user"], user["group"])
        data = folder / "data"
        # The locale C is everywhere; clients are killed in these tests, the server is not, so it need not sync.
        options = ["--auth=trust", "--username=convlab", "--encoding=UTF8", "--locale=C", "--no-sync"]
        run([initdb, *options, "--pgdata", data], user)
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        run([control, "start", "--wait", "-D", data, "-o", settings, "-l", folder / "log"], user)
        try:
            yield folder
        finally:
            run([control, "stop", "-D", data, "-m", "immediate"], user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command, user):
    done = subprocess.run(list(map(str, command)), cwd="/", capture_output=True, text=True, check=False, **user)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def database(server):
    """The URL of an empty database: a schema of its own, which is made much faster."""
    import psycopg

    name = f"test_{next(NUMBERS)}"
    with psycopg.connect(host=str(server), user="convlab", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"postgresql://convlab@/postgres?host={server}&options=-csearch_path%3D{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Where a store is to be, on each database."""
    return str(tmp_path / "runs.sqlite") if request.param == "sqlite" else request.getfixturevalue("database")


@pytest.fixture
def store(place):
    with open_store(place) as opened:
        yield opened


@pytest.fixture
def row():
    """A row with other fields changed."""

    def made(median=1.0, **changes):
        ends = {} if median is None else {"low": median * 0.9, "high": median * 1.1}
        return Row(median=median, **{"kind": "step", "subject": "convnext_t", "unit": "s"} | ends | changes)

    return made


@pytest.fixture
def python():
    """Start Python on a script, with convlab from this checkout."""

    def start(script, *arguments, stdout=subprocess.PIPE, prefix=()):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [*prefix, sys.executable, "-c", script, *map(str, arguments)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    return start
