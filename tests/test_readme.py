"""README shows what the commands print now, and its first design is the preset that it names."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import readme  # noqa: E402  # a script beside the package

TEXT = readme.README.read_text()


def timeless(text):
    """A text whose seconds, which no two runs share, are all the same."""
    return re.sub(r"\d+\.\d+ s\b", "0.00 s", text)


@pytest.mark.parametrize("command", readme.commands(TEXT))
def test_output_is_what_the_command_prints(command):
    shown = re.search(rf"<!-- output: {re.escape(command)} -->\n\n```text\n(.*?)\n```\n", TEXT, re.DOTALL)
    assert shown, f"run python docs/readme.py: no output of {command}"
    assert timeless(shown[1]) == timeless(readme.output(command)), "run python docs/readme.py"


def test_the_design_shown_is_the_preset():
    shown = tomllib.loads(re.search(r"```toml\n(# presets/convnext_t.toml.*?)```", TEXT, re.DOTALL)[1])
    written = tomllib.loads((ROOT / "presets" / "convnext_t.toml").read_text())
    assert {key: shown[key] for key in shown if key != "summary"} == {key: written[key] for key in shown if key != "summary"}


def test_commands_named_are_there():
    for command in re.findall(r"^convlab ([a-z]+)", TEXT, re.MULTILINE):
        assert "Usage" in readme.output(f"convlab {command} --help"), command
