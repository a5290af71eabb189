"""Mistakes on the command line: told in one form with a way out, never a traceback, with the right exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from convlab.cli import analysis

MISTAKES = [
    (2, "proflie x", 'convlab has no command "proflie"', 'did you mean "profile"?'),
    (2, "space cuont x", 'convlab space has no command "cuont"', 'did you mean "count"?'),
    (2, "profile convnext_t --imge 3", 'convlab profile has no option "--imge"', 'did you mean "--image"?'),
    (2, "--jsn", 'convlab has no option "--jsn"', "a command comes first"),
    (2, "profile", "DESIGN is missing", "convlab profile --help"),
    (2, "profile a b", "unexpected extra argument", "convlab profile --help"),
    (2, "profile convnext_t --set", "requires an argument", "--help"),
    (2, "profile convnext_t --json=3", "does not take a value", "--help"),
    (2, "profile convnxt_t", 'there is no preset "convnxt_t"', 'did you mean "convnext_t"?'),
    (2, "profile nofile.toml", 'there is no file "nofile.toml"', "check the spelling"),
    (2, "profile /", '"/" is a folder', "name a TOML file"),
    (2, "profile /dev/null", "is not a regular file", "pipes and devices"),
    (2, "profile convnext_t --image 0", "out of range", "1 to 65536"),
    (2, "profile convnext_t --image abc", '"abc" is no image size', "192x256"),
    (2, "profile convnext_t --image 1x2x3", '"1x2x3" is no image size', "192x256"),
    (1, "profile convnext_t --image 16", "the map vanishes", "a larger image"),
    (2, "profile convnext_t --batch -1", "batch = -1 is out of range", "--batch:1:1"),
    (2, "profile convnext_t --batch x", "batch is a whole number", "--batch:1:1"),
    (2, "profile convnext_t --by stge", 'by cannot be "stge"', 'did you mean "stage"?'),
    (2, "profile convnext_t --color sometimes", 'color cannot be "sometimes"', "auto, always, never"),
    (2, "profile convnext_t --set foo", 'there is no "="', "--set:1:1"),
    (1, "profile convnext_t --set stages.9.depth=3", 'there is no stage "9"', "--set:1:"),
    (1, "profile convnext_t --set block.kind=convnxt", 'unknown block kind "convnxt"', 'did you mean "convnext"?'),
    (1, "profile convnext_t --set block.kernel_sze=3", 'no knob "kernel_sze"', 'did you mean "kernel_size"?'),
    (2, "profile convnext_t --against nope", 'there is no preset "nope"', "convlab presets"),
    (1, "roadmap --image 8", "the map vanishes", "a larger image"),
    (2, "explain kernl_size", 'nothing is called "kernl_size"', 'did you mean "kernel_size"?'),
    (2, "resolve convnext_t --on resnet50 --every-knob", "exclude each other", "give one"),
    (2, "presets --roadmap --spaces", "two lists", "one of them"),
    (2, "schema -o /nowhere/x.json", "cannot write", "choose another place"),
    (2, "build convnext_t --device cudda", 'device cannot be "cudda"', 'did you mean "cuda"?'),
    (2, "build convnext_t --dtype float33", 'dtype cannot be "float33"', "float32"),
    (2, "build convnext_t --seed -1", "seed = -1 is out of range", "--seed:1:1"),
    (2, "build convnext_t --save /nowhere/x", "cannot write", "name a file"),
    (2, "build convnext_t --save /", "cannot write", "name a file"),
    (2, f"build convnext_t --save {'long' * 100}", "File name too long", "choose another place"),
    (2, "build convnext_t --save x.txt", '"x.txt" is no name of a checkpoint', ".safetensors"),
    (2, "space member spaces/kernel_study 20736", 'no member "20736"', "0 to 20735"),
    (2, "space member spaces/kernel_study x", 'no member "x"', "0 to 20735"),
    (2, "space sample spaces/kernel_study --metric mac", 'metric cannot be "mac"', 'did you mean "macs"?'),
    (2, "space sample spaces/kernel_study -n 0", "count = 0 is out of range", "--count:1:1"),
]


@pytest.mark.parametrize(("code", "line", "message", "way_out"), MISTAKES, ids=[mistake[1] for mistake in MISTAKES])
def test_mistakes_are_told(code: int, line: str, message: str, way_out: str, shell: Callable) -> None:
    ran = shell(*line.split(" "))
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ")
    assert message in ran.err
    assert way_out in ran.err
    plain = (
        shell(*line.split(" "), *([] if line == "--jsn" else ["--json"]))
        if "--json" not in line and not line.endswith("--set")
        else None
    )
    if plain is not None and line != "--jsn":
        assert (plain.code, plain.err) == (code, "")
        assert plain.json["schema_version"] == 1
        assert all(problem["code"] and problem["message"] for problem in plain.json["error"]["problems"])


def test_an_empty_name_is_no_folder(shell: Callable) -> None:
    assert "the name of a design is empty" in shell("profile", "").err


@pytest.mark.parametrize("command", ["explain", "profile", "data show", "runs list --store", "train --resume"])
def test_a_name_that_no_file_can_have_is_told(command: str, shell: Callable) -> None:
    ran = shell(*command.split(), "x" * 5000)
    assert (ran.code, ran.out) == (2, "")
    assert "internal error" not in ran.err


def test_all_problems_at_once_with_their_places(shell: Callable) -> None:
    Path("mine.toml").write_text('base = "convnext_t"\ndrop_path = 2\n\n[block]\nkind = "convnxt"\nkernl = 3\n')
    ran = shell("profile", "mine.toml", "--color", "always")
    assert ran.code == 1
    assert ran.err.count("\x1b[1;31merror:") == 3
    plain = shell("profile", "mine.toml", "--json").json["error"]["problems"]
    assert [(problem["line"], problem["column"], problem["code"]) for problem in plain] == [
        (2, 13, "out-of-range"),
        (5, 8, "unknown-kind"),
        (6, 1, "unknown-key"),
    ]


def test_wrong_settings_are_told_with_their_place(shell: Callable) -> None:
    Path("convlab.toml").write_text('device = "cuda"\ncolr = "never"\n')
    ran = shell("profile", "convnext_t")
    assert ran.code == 2
    assert 'there is no setting "colr"' in ran.err
    assert "convlab.toml:2:1" in ran.err
    assert 'did you mean "color"?' in ran.err


def test_an_internal_error_is_one_line(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("convlab.costs.profile", fail)
    ran = shell("profile", "convnext_t")
    assert ran.code == 1
    assert ran.err.startswith("error: internal error: ZeroDivisionError: oh\n")
    assert "--debug" in ran.err
    assert "Traceback" not in ran.err
    assert shell("profile", "convnext_t", "--json").json["error"]["problems"][0]["code"] == "internal-error"
    with pytest.raises(ZeroDivisionError):
        shell("profile", "convnext_t", "--debug")


def test_ctrl_c_is_130(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("convlab.costs.profile", interrupt)
    assert shell("profile", "convnext_t") == (130, "", "interrupted\n")


def test_commands_are_named_as_their_functions() -> None:
    assert analysis.profile.name == "profile"
