"""README and the pages of the site show what is there: outputs, designs, Python, commands and their options, presets."""

import re
import sys
import tomllib
from itertools import product
from pathlib import Path

import pytest
import typer

from convlab import load, load_space
from convlab.cli.app import application
from convlab.presets import preset_names

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import readme  # noqa: E402  # a script beside the package

TEXT = readme.README.read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (readme.README, *sorted((ROOT / "docs").rglob("*.md")))
    if "decisions" not in path.parts
}
RUNNING = [name for name, text in PAGES.items() if name != "README.md" and "```python\nimport convlab\n" in text]
"""Pages whose Python is whole programs."""


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("command", readme.commands(TEXT))
def test_output_is_what_the_command_prints(command):
    """Those of the other pages are made when the site is built."""
    assert f"<!-- output: {command} -->\n\n{readme.block(command)}" in TEXT, "run python docs/readme.py"


def test_readme_is_short_and_its_pictures_and_links_are_there():
    assert len(TEXT.splitlines()) <= 230
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_the_design_shown_is_the_preset():
    shown = tomllib.loads(
        next(block for block in blocks(TEXT, "toml") if block.startswith("# presets/convnext_t.toml"))
    )
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
    whole = [
        block for text in PAGES.values() for block in blocks(text, "toml") if re.search("^(base|depths) ", block, re.M)
    ]
    path = tmp_path / "shown.toml"
    for block in whole:
        path.write_text(block)
        assert load_space(path).size >= 1
    assert len(whole) >= 8
    path.write_text(next(block for block in whole if "[stages.2.block]\nkind" in block))
    assert load(path).key == load("convnext_swin_t").key


def ran(text, name):
    for number, block in enumerate(blocks(text, "python")):
        exec(compile(block, f"{name}, Python {number}", "exec"), {})


def test_the_python_that_is_shown_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran(TEXT, "README.md")


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNING)
def test_the_python_of_the_pages_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran(PAGES[name], name)


def test_commands_and_options_named_are_there():
    program = typer.main.get_command(application(panels=False))
    seen = set()
    for name, text in PAGES.items():
        for line in re.findall(r"^(?:\$ )?convlab ([a-z].*)", "\n".join(blocks(text, "(?:sh|text)")), re.MULTILINE):
            words = line.partition(" #")[0].split()
            command = program.commands[words.pop(0)]
            while words and words[0] in getattr(command, "commands", ()):
                command = command.commands[words.pop(0)]
            known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
            options = {word for word in words if re.match("--?[a-z]", word)}
            assert options <= known, f"{name}: convlab {line}"
            seen.add(command.name)
    assert len(seen) > 20
