"""Help: every command has the common options, an example, and fits 80 columns; plain where nobody is looking."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from convlab.cli import data_sets, runs, spaces, weights
from convlab.cli.app import COMMANDS

GROUPS = {"data": data_sets.COMMANDS, "runs": runs.COMMANDS, "space": spaces.COMMANDS, "weights": weights.COMMANDS}
ALL = [*((command.name,) for command in COMMANDS)]
ALL += [(group, command.name) for group, commands in GROUPS.items() for command in commands]


@pytest.mark.parametrize("command", ALL, ids=" ".join)
@pytest.mark.parametrize("panels", [False, True])
def test_help_of_every_command(
    command: tuple[str, ...], panels: bool, shell: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    if panels:
        monkeypatch.setenv("FORCE_COLOR", "1")
    ran = shell(*command, "--help")
    assert (ran.code, ran.err) == (0, "")
    text = ran.out
    for option in ("json", "quiet", "color"):
        assert option in text
    assert "Example:" in text
    assert "bool" not in text
    assert ("╭" in text) == panels
    assert ("\x1b" in text) == panels
    if not panels:
        assert max(map(len, text.splitlines())) <= 80


def test_an_example_is_a_command_that_works(shell: Callable) -> None:
    for command in COMMANDS:
        words = command.example.split()
        assert words[0] == "convlab"
        assert words[1] == command.name
        if command.name in ("profile", "compare", "explain", "resolve", "config"):
            assert shell(*words[1:]).code == 0


def test_the_list_of_commands_is_grouped(shell: Callable) -> None:
    for arguments in ([], ["--help"]):
        ran = shell(*arguments)
        assert ran.code == 0
        for panel in ("Build:", "Analyse:", "Look up:", "Spaces:", "This installation:"):
            assert panel in ran.out
    assert "member" in shell("space").out
    assert "..." not in shell().out.replace("[ARGS]...", "")


def test_version(shell: Callable) -> None:
    assert shell("--version").out == "convlab 0.1.0\n"
    assert shell("--version", "--json").json == {"schema_version": 1, "version": "0.1.0"}
