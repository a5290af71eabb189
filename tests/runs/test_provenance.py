"""Who wrote a run: the version of the code, the command, the process; moments and spans as people write them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy
import pytest
from sqlalchemy.engine import make_url

import convlab
from convlab.runs.address import shown
from convlab.runs.ids import new_id, patterns
from convlab.runs.plain import canonical, digest, plain, without_passwords
from convlab.runs.provenance import COMMAND, Writer, code_version, command_line, is_alive, this_process
from convlab.runs.times import moment, span

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    ended = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A repository that holds convlab, with one commit."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    shutil.copytree(ROOT / "convlab", tmp_path / "convlab", ignore=shutil.ignore_patterns("__pycache__"))
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("__pycache__\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "all")
    return tmp_path


def told(path):
    script = "from convlab.runs.provenance import code_version; print(*code_version(), sep='|')"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd="/",
        env={"PYTHONPATH": str(path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.strip().split("|")


def test_the_commit_of_a_checkout(checkout):
    commit = git(checkout, "rev-parse", "HEAD")
    assert told(checkout) == [convlab.__version__, commit, "False"]
    (checkout / "notes.txt").write_text("beside the code\n")
    assert told(checkout) == [convlab.__version__, commit, "False"]
    (checkout / "convlab" / "units.py").write_text((checkout / "convlab" / "units.py").read_text() + "# changed\n")
    assert told(checkout) == [convlab.__version__, commit, "True"]


def test_a_package_inside_another_repository_has_no_commit(checkout):
    inner = checkout / "site-packages"
    shutil.copytree(checkout / "convlab", inner / "convlab")
    assert told(inner) == [convlab.__version__, "", "False"]
    shutil.rmtree(checkout / ".git")
    assert told(checkout) == [convlab.__version__, "", "False"]


def test_the_version_is_of_this_code():
    assert code_version().version == convlab.__version__


def test_the_command_has_no_password(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/bin/convlab", "bench", "a b", "--store", "postgresql://me:secret@host/db"])
    assert command_line() == "convlab bench 'a b' --store 'postgresql://me:***@host/db'"
    monkeypatch.setenv(
        COMMAND, "convlab train 'a b' --store 'postgresql://me:secret@host/db'"
    )  # what another process was told
    assert command_line() == "convlab train 'a b' --store 'postgresql://me:***@host/db'"
    assert without_passwords("postgresql://me@host/db") == "postgresql://me@host/db"


@pytest.mark.parametrize("key", ["password", "passfile", "sslpassword", "sslkey", "PassWord"])
@pytest.mark.parametrize("secret", ["geheim", "a:b/c", "it's", "two words", "%67eheim", "a@b"])
def test_secrets_behind_the_question_mark_are_shown_nowhere(key, secret, monkeypatch):
    url = f"postgresql://h/db?user=me&{key}={secret}&connect_timeout=5"
    monkeypatch.setattr("sys.argv", ["/usr/bin/convlab", "bench", "--store", url])
    for told in (command_line(), shown(make_url(url)), shown(make_url(url).set(drivername="postgresql+psycopg"))):
        for piece in ("geheim", "b/c", "it's", "words", "%67", "a@b", "a%40b"):
            assert piece not in told
        assert f"{key}=***" in told
        assert "user=me" in told
        assert "connect_timeout=5" in told
        assert "psycopg" not in told


@pytest.mark.parametrize("password", ["geheim", "pa/ss", "a:b"])
def test_a_password_may_hold_whatever_a_url_takes(password):
    assert make_url(f"postgresql://me:{password}@host/db").password == password
    assert without_passwords(f"to postgresql://me:{password}@host/db") == "to postgresql://me:***@host/db"


def test_this_process_is_alive():
    writer = this_process()
    assert is_alive(writer, None, NOW)
    with subprocess.Popen(["sleep", "60"]) as other:
        assert is_alive(Writer(writer.host, other.pid, None), None, NOW)
        other.kill()
        other.wait()
        assert not is_alive(Writer(writer.host, other.pid, None), NOW, NOW)
    assert not is_alive(Writer(writer.host, writer.process, writer.started - 3600), NOW, NOW)
    assert is_alive(Writer("elsewhere", 1, 1.0), NOW - timedelta(seconds=60), NOW)
    assert not is_alive(Writer("elsewhere", 1, 1.0), NOW - timedelta(hours=1), NOW)


def test_names_of_runs():
    found = {new_id(NOW) for _ in range(200)}
    assert len(found) == 200
    assert all(name.startswith("20261122-170000-") and len(name) == 22 for name in found)
    assert patterns("2026")[0] == "2026%"
    assert patterns("k%") == patterns("") == patterns("K") == ()


def test_equal_facts_have_one_text():
    assert canonical({"b": (1, 2), "a": {"y": 1.0, "x": None}}) == '{"a":{"x":null,"y":1.0},"b":[1,2]}'
    assert digest({"a": numpy.int64(3), "b": numpy.array([1.5])}) == digest({"b": [1.5], "a": 3})
    assert digest({"a": 1}) != digest({"a": True})
    assert plain({1: Path("x")}) == {"1": "x"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("12h", 43200),
        (" 7D ", 604800),
        ("4w", 2419200),
        ("7", None),
        ("-1d", None),
        ("d", None),
        ("", None),
    ],
)
def test_spans(text, seconds):
    assert span(text) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:30", datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
        ("2026-11-01T10:30+02:00", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("1h", datetime(2026, 11, 22, 16, 0, tzinfo=UTC)),
        ("999999w", None),
        ("yesterday", None),
        ("2026-13-01", None),
    ],
)
def test_moments(text, expected):
    assert moment(text, NOW) == expected
