"""The page of the lab: its keys are those of the table of actions, its pictures and the tests that it names are there."""

import os
import re
from itertools import groupby
from pathlib import Path

from convlab.tui.actions import ACTIONS, key_text

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tui.md"
KEYS = re.compile(r"(<!-- keys: [^\n]*-->\n).*?(<!-- end of keys -->)", re.DOTALL)


def table():
    """The keys as a table, group by group."""
    lines = ["| key | action | what it does |", "|---|---|---|"]
    for group, items in groupby(ACTIONS, lambda item: item.group):
        lines.append(f"| **{group}** | | |")
        for item in items:
            keys = " ".join(f"`{key}`" for key in key_text(item.key).split())
            lines.append(f"| {keys} | {item.title} | {item.help} |")
    return "\n" + "\n".join(lines) + "\n\n"


def test_keys_are_those_of_the_table():
    text = PAGE.read_text()
    made = KEYS.sub(lambda match: match[1] + table() + match[2], text)
    if os.environ.get("CONVLAB_SNAPSHOTS") == "write":
        PAGE.write_text(made)
    assert PAGE.read_text() == made, "CONVLAB_SNAPSHOTS=write pytest tests/tui/test_tui_documentation.py writes it anew"


def test_what_the_page_names_is_there():
    text = PAGE.read_text()
    for picture in re.findall(r"\((images/[\w.]+)\)", text):
        assert (PAGE.parent / picture).exists(), f"{picture}: python docs/screenshots.py"
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "tui").rglob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in tests, name
