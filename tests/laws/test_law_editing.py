"""Law: an edited text means the design that it was edited for, and keeps every line and every comment that still says what is true."""

import re

import pytest
from designs import PRESETS, designs, preset
from hypothesis import given, settings
from turns import STYLES, edits, written

from convlab.language.editing import edited, revision
from convlab.language.files import load_text
from convlab.language.writing import text_of, text_on_base

TEXTS = (*STYLES, *STYLES, *PRESETS)
TAIL = re.compile(r"^(?P<key>[^=#]*?)\s*(?:=.*)?  (?P<tail># tail \d+)$")


STATEMENT = re.compile(r"\[.*\]|[\w.\"-]+ *= *(?:[^\[{\"'#]+|\[[^\[\]#]*\]|\"[^\"#]*\")")


def annotated(text):
    """The text with a comment above every statement, and behind every one that is a line by itself."""
    lines, open_brackets = [], 0
    for number, line in enumerate(text.splitlines()):
        if not open_brackets:
            lines.append(f"# note {number}")
        lines.append(f"{line}  # tail {number}" if STATEMENT.fullmatch(line.strip()) else line)
        open_brackets += line.count("[") - line.count("]")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", TEXTS[len(STYLES) :])
def test_a_text_that_means_the_design_is_left_alone(name):
    text, file, design = written(name)
    assert revision(text, design, name=file) == (text, True)


def check_meaning(name, design):
    text, file, before = written(name)
    found = revision(text, design, name=file)
    assert found.kept
    assert load_text(found.text, name=file) == design
    assert edited(found.text, design, name=file) == found.text
    back = revision(found.text, before, name=file)
    assert back.kept
    assert load_text(back.text, name=file) == before


def check_comments(name, design):
    text, file, _ = written(name)
    text = annotated(text)
    found = edited(text, design, name=file)
    assert load_text(found, name=file) == design
    assert re.findall("^# note .*", found, re.M) == re.findall("^# note .*", text, re.M)
    keys = {match["tail"]: match["key"] for line in text.splitlines() if (match := TAIL.match(line))}
    there = {match["tail"]: match["key"] for line in found.splitlines() if (match := TAIL.match(line))}
    moved = {tail for tail, key in there.items() if key != keys[tail]}
    assert all(there[tail].startswith("[stages.") for tail in moved), moved  # a stage has another number


def check_ends(name, design):
    text, file, _ = written(name)
    found = edited(text, design, name=file)
    assert edited(text.replace("\n", "\r\n"), design, name=file) == found.replace("\n", "\r\n")
    assert edited(text.removesuffix("\n"), design, name=file) == found.removesuffix("\n")
    assert found.endswith("\n")


CHECKS = {"meaning": check_meaning, "comments": check_comments, "ends": check_ends}


@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=30)
@given(edit=edits(TEXTS))
def test_edits(check, edit):
    CHECKS[check](*edit)


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=1500)
@given(edit=edits(TEXTS))
def test_many_edits(check, edit):
    CHECKS[check](*edit)


@settings(max_examples=5)
@given(design=designs(), other=designs())
def test_one_random_design_into_another(design, other):
    for text in (text_of(design), text_on_base(design, preset("convnext_t"), "convnext_t")):
        found = revision(text, other)
        assert found.kept
        assert load_text(found.text) == other
