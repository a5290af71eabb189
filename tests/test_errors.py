"""Errors say where, what and a way out, and never let the user's text reach the terminal unescaped."""

from __future__ import annotations

import copy
import json
import pickle
import time

import pytest

from convlab.errors import CODES, ConvlabError, Place, Problem, did_you_mean, quote, render

LINE = 'kind = "convnxt"'
PLACE = Place("designs/mine.toml", 9, 8, LINE, 9)
PROBLEM = Problem(
    "unknown-kind",
    'unknown block kind "convnxt"',
    PLACE,
    'did you mean "convnext"?',
    "kinds: basic, bottleneck, convnext",
    "block.kind",
)


def test_renders_as_the_design_page_shows() -> None:
    assert render(PROBLEM) == (
        'error: unknown block kind "convnxt"\n'
        "  --> designs/mine.toml:9:8\n"
        "   |\n"
        ' 9 | kind = "convnxt"\n'
        '   |        ^^^^^^^^^ did you mean "convnext"?\n'
        "   = help: kinds: basic, bottleneck, convnext"
    )


def test_gutter_widens_with_the_line_number() -> None:
    lines = render(Problem("unknown-key", "m", Place("f", 123, 1, "abc", 3))).split("\n")
    assert lines == ["error: m", "    --> f:123:1", "     |", " 123 | abc", "     | ^^^"]


def test_without_a_line_the_file_or_the_path_is_named() -> None:
    whole_file = Problem("not-a-file", "m", Place("folder", 0, 0, "", 0), help="h")
    assert render(whole_file) == "error: m\n  --> folder\n   = help: h"
    assert render(Problem("wrong-type", "m", label="l", path="stem.kind")) == "error: m\n  --> stem.kind\n   = note: l"


def test_problems_are_sorted_and_separated_by_a_blank_line() -> None:
    def at(file: str, line: int, column: int) -> Problem:
        return Problem("unknown-key", f"{file}{line}{column}", Place(file, line, column, "text", 1))

    error = ConvlabError(at("b", 1, 1), at("a", 10, 1), at("a", 9, 2), at("a", 9, 1), exit_code=2)
    assert [problem.message for problem in error.problems] == ["a91", "a92", "a101", "b11"]
    assert str(error) == "\n\n".join(map(render, error.problems))
    assert error.exit_code == 2
    assert ConvlabError(PROBLEM).exit_code == 1


def test_json_is_plain() -> None:
    plain = ConvlabError(PROBLEM, Problem("usage", "m")).to_json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain[0] == {
        "code": "usage", "path": "", "file": None, "line": None, "column": None,
        "message": "m", "label": "", "help": "",
    }  # fmt: skip
    assert (plain[1]["file"], plain[1]["line"], plain[1]["column"]) == ("designs/mine.toml", 9, 8)
    assert plain[1]["path"] == "block.kind"


def test_errors_travel_between_processes() -> None:
    error = ConvlabError(PROBLEM, exit_code=2)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (other.problems, other.exit_code, str(other)) == (error.problems, 2, str(error))


def test_codes_are_a_closed_set() -> None:
    with pytest.raises(AssertionError):
        Problem("no-such-code", "m")
    for code, explanation in CODES.items():
        assert code == code.lower()
        assert " " not in code
        assert "_" not in code
        assert explanation.endswith(".")
        assert len(explanation) > 60


def test_control_characters_never_reach_the_terminal() -> None:
    nasty = "a\x1b[31m\x07\r\n\u202e\x9b\u200b\ud800\x00\t"
    problem = Problem("unknown-key", nasty, Place(nasty, 1, 3, nasty, 2), nasty, nasty, nasty)
    shown = render(problem)
    assert all(character == "\n" or character.isprintable() for character in shown)
    assert len(shown.split("\n")) == 6
    shown.encode("utf-8")
    assert "\\x1b[31m" in shown
    assert quote(nasty).isprintable()


@pytest.mark.parametrize(
    ("text", "column", "length", "source", "carets"),
    [
        ("\tkey = 1", 2, 3, "    key = 1", "    ^^^"),
        ("\x1bkey", 2, 3, "\\x1bkey", "    ^^^"),
        ("幅 = 3", 5, 1, "幅 = 3", "     ^"),
        ("a = '広い'", 5, 4, "a = '広い'", "    ^^^^^^"),
        ("e\u0301 = 3", 6, 1, "e\u0301 = 3", "    ^"),
        ("abc", 4, 1, "abc", "   ^"),
        ("abc", 9, 9, "abc", "   ^"),
        ("", 1, 1, "", "^"),
    ],
)
def test_carets_stay_below_their_text(text: str, column: int, length: int, source: str, carets: str) -> None:
    lines = render(Problem("unknown-key", "m", Place("f", 1, column, text, length))).split("\n")
    assert lines[3:] == [f" 1 | {source}".rstrip(), f"   | {carets}"]


@pytest.mark.parametrize("at", [0, 30, 99, 100, 5_000, 999_900, 999_996])
def test_long_lines_are_clipped_around_the_caret(at: int) -> None:
    text = "x" * at + "HERE" + "y" * (1_000_000 - at - 4)
    lines = render(Problem("unknown-key", "m", Place("f", 1, at + 1, text, 4))).split("\n")
    caret = lines[4].index("^")
    assert lines[3][caret : caret + 4] == "HERE"
    assert lines[4].count("^") == 4
    assert 60 < len(lines[3]) <= 5 + 100 + 6
    assert lines[3].startswith(" 1 | ...") == (at > 90)
    assert lines[3].endswith("...") == (at < 999_990)


def test_carets_end_with_the_clipped_line() -> None:
    lines = render(Problem("unknown-key", "m", Place("f", 1, 5, "a = " + "9" * 5000, 5000))).split("\n")
    assert lines[3].endswith("9...")
    assert len(lines[4]) == len(lines[3]) - 3


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("convnxt", "convnext"),
        ("ConvNeXt", "convnext"),
        ("convnext-v2", "convnext_v2"),
        ("Bottlneck", "bottleneck"),
        ("conv", "convnext"),
        ("zebra", ""),
        ("", ""),
        ("convnext" * 125_000, ""),
    ],
)
def test_did_you_mean(word: str, meant: str) -> None:
    started = time.perf_counter()
    assert did_you_mean(word, ["basic", "bottleneck", "convnext", "convnext_v2"]) == (
        f'did you mean "{meant}"?' if meant else ""
    )
    assert time.perf_counter() - started < 5
    assert did_you_mean(word, []) == ""


def test_quote_writes_values_as_toml() -> None:
    assert quote("convnxt") == '"convnxt"'
    assert quote('a"b\\c\n') == '"a\\"b\\\\c\\n"'
    assert quote(True) == "true"
    assert quote(0.1) == "0.1"
    assert quote([1, "a", {"low": 3, "high": -27}]) == '[1, "a", {low = 3, high = -27}]'
    assert quote({}) == "{}"
    assert quote(None) == "None"


def test_quote_is_bounded() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for huge in ("x" * 10**6, list(range(10**6)), 10**5000, ["y" * 10**6], deep, {"k" * 10**6: 1}):
        assert len(quote(huge)) < 70
    assert quote("x" * 61) == '"' + "x" * 60 + '..."'
    while deep:  # a list this deep is taken apart by hand: older Pythons recurse to free it
        deep = deep.pop()  # type: ignore[assignment]
