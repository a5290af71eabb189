"""Lines of a worker: every event comes back from its line as it was, and what is no line of a worker is none."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlab.errors import Place, Problem
from convlab.progress import Progress
from convlab.workers import Begun, Ended, Noted, Told
from convlab.workers.lines import event_of, line_of, problems_of, result_of

figures = st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False), max_size=4)
progress = st.builds(
    Progress,
    done=st.integers(0, 10**12),
    total=st.none() | st.integers(0, 10**12),
    what=st.text(max_size=40),
    elapsed_s=st.floats(0, 1e9),
    remaining_s=st.none() | st.floats(0, 1e9),
    figures=figures,
    subject=st.text(max_size=20),
)
events = st.one_of(
    st.builds(Told, progress),
    st.builds(Noted, st.text(max_size=40), st.text(max_size=40), st.text(max_size=20)),
    st.builds(Begun, st.text(max_size=20), st.text(max_size=20), st.text(max_size=20)),
)


@given(events)
def test_every_event_comes_back_from_its_line(event):
    line = line_of(event)
    assert "\n" not in line
    assert event_of(line) == event
    assert event_of(line + "\n") == event


def test_figures_that_are_not_finite_are_left_out():
    told = Told(Progress(1, 2, "", 0.0, figures={"loss": math.nan, "step": 1.0, "rate": math.inf}))
    assert json.loads(line_of(told))["progress"]["figures"] == {"step": 1.0}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "UserWarning: something",
        "{",
        "{}",
        "[1]",
        "null",
        '{"progress": 3}',
        '{"progress": {"done": 1}}',
        '{"progress": {"done": 1, "total": 2, "what": "", "elapsed_s": 0, "colour": "red"}}',
        '{"note": {"message": "a"}, "progress": {}}',
        '{"other": {"message": "a"}}',
        '{"note": ' + "[" * 100_000,
    ],
)
def test_other_lines_are_none(line):
    assert event_of(line) is None


def test_a_result_is_found_behind_what_a_library_printed():
    plain = {"schema_version": 1, "rows": [{"a": {}}], "text": "\n{\n"}
    printed = json.dumps(plain, indent=2)
    assert result_of(printed + "\n") == plain
    assert result_of(f"Downloading {{...}}\n{printed}\n") == plain


@pytest.mark.parametrize("text", ["", "[]", "no JSON", '{\n  "schema_version": 1,', "3"])
def test_half_a_result_is_none(text):
    assert result_of(text) is None


def test_problems_come_back_with_their_place():
    plain = {
        "code": "unknown-kind",
        "path": "block.kind",
        "file": "a.toml",
        "line": 9,
        "column": 8,
        "message": "unknown",
        "label": "did you mean",
        "help": "kinds",
    }
    found = problems_of({"error": {"exit_code": 1, "problems": [plain, plain | {"file": None, "code": "of tomorrow"}]}})
    place = Place("a.toml", 9, 8, "", 0)
    assert found[0] == Problem("unknown-kind", "unknown", place, "did you mean", "kinds", "block.kind")
    assert (found[1].code, found[1].place) == ("internal-error", None)
    assert problems_of({"rows": []}) == ()


def test_a_signal_has_its_name():
    assert [Ended(code).signal for code in (0, 130, -9, -11, -99)] == ["", "", "SIGKILL", "SIGSEGV", "signal 99"]
