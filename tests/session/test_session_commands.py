"""The command that does the same as a session: as short as it can be, and true."""

import shlex
from contextlib import suppress

import pytest
from designs import PRESETS
from hypothesis import given, settings
from turns import edits, written

from convlab import ConvlabError, load
from convlab.documents.assignments import parse_assignment
from convlab.language.knobs import changed
from convlab.session import begun, command, opened
from convlab.session.commands import assignments


def text(session, *words):
    return shlex.join(command(session, *words))


def test_as_short_as_it_can_be():
    session = opened("convnext_t")
    assert text(session, "profile") == "convlab profile convnext_t"
    session = session.turned("stages.2.depth", 12)
    assert text(session, "bench", "--device", "cpu") == "convlab bench convnext_t --set stages.2.depth=12 --device cpu"
    session = session.turned("block.norm", "batch_norm").turned("stages.1.block.kind", "swin")
    assert text(session, "space count") == (
        "convlab space count convnext_t --set stages.1.block.kind=swin --set stages.2.depth=12"
        ' --set \'block.norm=["batch_norm", "layer_norm", "batch_norm", "batch_norm"]\''
    )
    assert text(opened("resnet50").turned("image.size", [192, 256]), "build") == (
        "convlab build resnet50 --set 'image.size=[192, 256]'"
    )


def test_a_file_and_what_is_not_saved_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = opened("convnext_s").turned("drop_path", 0.3).saved("-my design.toml")
    path = f"'{tmp_path}/-my design.toml'"
    assert text(session, "profile") == f"convlab profile {path}"
    assert text(session.turned("head.classes", 10), "profile") == f"convlab profile {path} --set head.classes=10"
    (tmp_path / "-my design.toml").unlink()
    with pytest.raises(ConvlabError, match="has to be saved first"):
        command(session, "profile")


def test_a_design_that_is_in_no_file():
    with pytest.raises(ConvlabError, match="has to be saved first"):
        command(begun(changed(load("convnext_s"), {"name": "mine"}), "a run"), "profile")
    assert text(begun(load("convnext_s"), "a run"), "profile") == "convlab profile convnext_s"  # a preset all the same


@settings(max_examples=15)
@given(edit=edits(PRESETS))
def test_it_says_any_design_that_knobs_make(edit):
    name, design = edit
    session = opened(name).replaced(design, "edits")
    words = command(session, "profile")
    assert words[:2] == ("convlab", "profile")
    assert load(words[2], sets=words[4::2]) == design
    assert set(words[3::2]) <= {"--set"}


@settings(max_examples=12)
@given(edit=edits(PRESETS))
def test_every_assignment_is_needed(edit):
    name, design = edit
    start = written(name)[2]
    sets = assignments(start, design)
    paths = [parse_assignment(each).path for each in sets]
    assert len(set(paths)) == len(paths)
    for index in range(len(sets)):
        with suppress(ConvlabError):  # without it there may be no design at all
            assert load(name, sets=sets[:index] + sets[index + 1 :]) != design
