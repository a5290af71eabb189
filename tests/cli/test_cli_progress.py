"""Progress on stderr: as the setting says, for people and for programs."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from test_cli_process import on_terminal

from convlab.cli import live
from convlab.cli.live import JsonLines, Lines, OneLine, Silence
from convlab.progress import Progress

EXPORT = ("export", "convnext_atto", "--to", "toml", "--force")
STEP = Progress(3, 12, "warming up", 61.0, 5.0)
TRAINING = Progress(50, 100, "net, seed 0: step 50", 5.0, 65.0, {"step": 50.0, "accuracy": 0.5}, "net#0")


def events(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_lines_are_for_programs(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVLAB_PROGRESS", "json")
    ran = shell(*EXPORT, "--json")
    assert ran.json["format"] == "toml"
    (event,) = events(ran.err)
    assert list(event) == ["progress"]
    assert (event["progress"]["what"], event["progress"]["done"], event["progress"]["figures"]) == ("writing", 0, {})
    monkeypatch.setenv("CONVLAB_DEVISE", "cpu")
    told = {
        "message": "there is no setting for CONVLAB_DEVISE",
        "help": "convlab config lists the settings",
        "path": "CONVLAB_DEVISE",
    }
    assert events(shell("config").err) == [{"note": told}]
    assert shell(*EXPORT, "--quiet").err == ""
    ran = shell("export", "nope", "--to", "toml", "--json")
    assert (ran.json["error"]["problems"][0]["code"], ran.err) == ("unknown-preset", "")


def test_a_way_that_is_unknown_is_refused_before_the_work(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVLAB_PROGRESS", "jsn")
    ran = shell(*EXPORT)
    assert ran.code == 2
    assert 'did you mean "json"?' in ran.err
    assert list(Path.cwd().iterdir()) == []


def test_a_terminal_shows_nothing_where_that_is_set(tmp_path: Path) -> None:
    drawn = on_terminal(*EXPORT, "-o", str(tmp_path / "a.toml"), CONVLAB_PROGRESS="none", NO_COLOR="1")
    assert "writing ..." not in drawn


def test_one_line_is_written_anew_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    shown = OneLine(stream)
    shown(STEP)
    shown(TRAINING)  # too soon
    shown.step("a step of a long name that has no room here")
    shown.close()
    shown.close()
    clear = "\r\x1b[2K"
    assert stream.getvalue() == (
        f"{clear}3/12  1 min 01 s, at most 5 s left  wa…{clear}a step of a long name that has no room…{clear}"
    )


def test_lines_come_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    shown = Lines(stream)
    shown(STEP)
    assert stream.getvalue() == ""
    monkeypatch.setattr(live, "EVERY_S", 0.0)
    shown(TRAINING)
    shown.step("writing")
    shown.close()
    assert stream.getvalue() == " 50 %  about 1 min 05 s left  net, seed 0: step 50, accuracy 50.0 %\n"


def test_json_lines_hold_every_figure_and_some_of_the_rest() -> None:
    stream = io.StringIO()
    shown = JsonLines(stream)
    for _ in range(3):
        shown(STEP)
        shown(TRAINING)
    shown.step("writing")
    told = [event["progress"] for event in events(stream.getvalue())]
    assert [each["what"] for each in told] == ["warming up", *[TRAINING.what] * 3, "writing"]
    assert told[1]["subject"] == "net#0"
    assert told[1]["figures"] == {"step": 50.0, "accuracy": 0.5}


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_listener_that_is_gone_does_not_stop_the_work(error: OSError) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    JsonLines(Gone())(TRAINING)


def test_seconds_that_round_to_a_minute_are_a_minute() -> None:
    assert [live.duration(seconds) for seconds in (59.4, 59.6, 3599.7)] == ["59 s", "1 min 00 s", "1 h 00 min"]


def test_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Silence()
    shown(STEP)
    shown.step("writing")
    shown.close()
    assert capsys.readouterr() == ("", "")
