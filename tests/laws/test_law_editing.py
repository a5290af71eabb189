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


def annotated(text):
    """The text with a comment above every line, and behind every line that is a statement by itself."""
    lines = []
    for number, line in enumerate(text.splitlines()):
        whole = re.fullmatch(r"\[.*\]|[\w.\"-]+ *= *(?:[^\[{\"']+|\[[^\[\]]*\]|\"[^\"]*\")", line.strip()) and "#" not in line
        lines += [f"# note {number}", f"{line}  # tail {number}" if whole else line]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", TEXTS[len(STYLES) :])
def test_a_text_that_means_the_design_is_left_alone(name):
    text, file, design = written(name)
    assert revision(text, design, name=file) == (text, True)


@settings(max_examples=120)
@given(edit=edits(TEXTS))
def test_it_means_the_design_and_is_not_written_anew(edit):
    name, design = edit
    text, file, before = written(name)
    found = revision(text, design, name=file)
    assert found.kept
    assert load_text(found.text, name=file) == design
    assert edited(found.text, design, name=file) == found.text
    back = revision(found.text, before, name=file)
    assert back.kept
    assert load_text(back.text, name=file) == before


@settings(max_examples=60)
@given(edit=edits(TEXTS))
def test_comments_stay_where_they_are(edit):
    name, design = edit
    text, file, _ = written(name)
    text = annotated(text)
    found = edited(text, design, name=file)
    assert load_text(found, name=file) == design
    assert re.findall("^# note .*", found, re.M) == re.findall("^# note .*", text, re.M)
    keys = {match["tail"]: match["key"] for line in text.splitlines() if (match := TAIL.match(line))}
    there = {match["tail"]: match["key"] for line in found.splitlines() if (match := TAIL.match(line))}
    moved = {tail for tail, key in there.items() if key != keys[tail]}
    assert all(there[tail].startswith("[stages.") for tail in moved), moved  # a stage has another number


@settings(max_examples=60)
@given(edit=edits(TEXTS))
def test_ends_of_lines_and_of_the_file_stay(edit):
    name, design = edit
    text, file, _ = written(name)
    found = edited(text, design, name=file)
    assert edited(text.replace("\n", "\r\n"), design, name=file) == found.replace("\n", "\r\n")
    assert edited(text.removesuffix("\n"), design, name=file) == found.removesuffix("\n")
    assert found.endswith("\n")


@settings(max_examples=40)
@given(design=designs(), other=designs())
def test_one_random_design_into_another(design, other):
    for text in (text_of(design), text_on_base(design, preset("convnext_t"), "convnext_t")):
        found = revision(text, other)
        assert found.kept
        assert load_text(found.text) == other
