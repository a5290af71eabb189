"""README shows what the commands print now, and its first design is the preset that it names."""

import re
import sys
import tomllib
from itertools import product
from pathlib import Path

import pytest

from convlab import load, load_space
from convlab.presets import preset_names

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
    assert {key: shown[key] for key in shown if key != "summary"} == {
        key: written[key] for key in shown if key != "summary"
    }


def named(pattern):
    """The names that a pattern with braces stands for, as in a shell."""
    parts = [part.split(",") for part in re.split(r"[{}]", pattern)]
    return ["".join(words) for words in product(*parts)]


def test_every_preset_is_in_the_table():
    rows = re.findall(r"^\|[^|]*\|([^|]*)\|[^|]*\|$", TEXT, re.MULTILINE)
    patterns = [pattern for row in rows for pattern in re.findall(r"`([\w{},]+)`", row)]
    assert sorted(name for pattern in patterns for name in named(pattern)) == sorted(preset_names())


def test_designs_that_are_shown_are_valid(tmp_path):
    designs = [
        block
        for block in re.findall(r"^```toml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
        if "[stages.2.block]\nkernel" not in block
    ]
    for block in designs:
        path = tmp_path / "shown.toml"
        path.write_text(block)
        assert load_space(path).size >= 1
    assert len(designs) == 4
    path.write_text(designs[1])
    assert load(path).key == load("convnext_swin_t").key


def test_the_python_that_is_shown_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})


def test_commands_and_options_named_are_there():
    options = {}
    for line in re.findall(r"^convlab ([a-z].*)", TEXT, re.MULTILINE):
        words = line.split()
        command = " ".join(words[: 2 if words[0] in ("space", "weights", "runs") else 1])
        options.setdefault(command, set()).update(re.findall(r"(?<![\w-])--?[a-z-]+", line))
    assert len(options) > 10
    for command, named in options.items():
        shown = readme.output(f"convlab {command} --help")
        assert "Usage" in shown, command
        for option in named:
            assert re.search(rf"{option}\b", shown), f"convlab {command} {option}"
