"""Sessions: every edit a new one, undone and redone; what is refused changes nothing; what they are compared with."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from turns import turned

from convlab import ConvlabError, load, profile
from convlab.language.design import MAXIMUM_STAGES
from convlab.language.files import load_text
from convlab.language.validation import faults
from convlab.session import Session, begun, opened
from convlab.session.history import LONGEST


def test_a_knob_is_turned():
    session = opened("convnext_t")
    other = session.turned("stages.2.depth", 12)
    assert other.design.depths == (3, 3, 12, 3)
    assert (other.last, other.can_undo, other.unsaved) == ("stages.2.depth 9 -> 12", True, True)
    assert (session.design.depths, session.last, session.can_undo, session.unsaved) == ((3, 3, 9, 3), "", False, False)
    assert other.baseline == session.design == load("convnext_t")
    assert other.text == session.text.replace("9, 3]", "12, 3]")
    assert other.turned("stages.2.depth", 12) is other
    back = other.turned("stages.2.depth", 9)
    assert (back.text, back.unsaved, back.can_undo) == (session.text, False, True)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("stages.*.block.kernel_size", 5, "stages.*.block.kernel_size 7 -> 5"),
        ("widths", [64, 128, 256, 512], "widths [96, 192, 384, 768] -> [64, 128, 256, 512]"),
        ("block.kind", "swin", 'block.kind "convnext" -> "swin"'),
        ("stages.-1.block.grn", True, "stages.-1.block.grn false -> true"),
        ("block.activation_after", ["expand", "output"], 'block.activation_after ["expand"] -> ["expand", "output"]'),
        ("image.size", [192, 256], "image.size 224 -> [192, 256]"),
        ("summary", "mine", 'summary "ConvNeXt-T (Liu et al., 2022, arXiv:2201.03545)" -> "mine"'),
        ("block", {"kind": "custom", "branch": ["norm", "pointwise(1x)"]}, "block"),
    ],
)
def test_any_knob(path, value, words):
    session = opened("convnext_t")
    other = session.turned(path, value)
    assert other.last == words
    assert load_text(other.text) == other.design != session.design
    assert other.keeps_comments


REFUSED = [
    ("stages.2.block.kernel_sizes", 5),
    ("stages.9.depth", 5),
    ("stages.2.depth", 0),
    ("stages.2.depth", "many"),
    ("stages.*.block.groups", 5),
    ("block.kind", "convnxt"),
    ("stem.pool", "max"),
    ("depths", [3, 3, 9]),
    ("output_stride", 24),
    ("image.size", 8),
    ("stem.patch_size", 200),
    ("block.branch", ["norm"]),
    ("base", "resnet50"),
]


@pytest.mark.parametrize(("path", "value"), REFUSED)
def test_what_the_shell_refuses_is_refused_in_its_words(path, value):
    session = opened("convnext_t").turned("drop_path", 0.2)
    argument = f"{path}={str(value).replace(chr(39), chr(34))}"
    with pytest.raises(ConvlabError) as told:
        load("convnext_t", sets=["drop_path=0.2", argument])
    with pytest.raises(ConvlabError) as refused:
        session.turned(path, value)

    def said(problem):
        return (problem.code, problem.path, problem.message, problem.label, problem.help)

    assert list(map(said, refused.value.problems)) == list(map(said, told.value.problems))
    assert session.last == "drop_path 0.1 -> 0.2"


def test_what_turns_several_knobs_at_once():
    session = opened("efficientnet_b0").turned("scale.width", 2.0)
    assert session.design == load("efficientnet_b0", sets=["scale.width=2.0"]) == load_text(session.text)
    assert session.last == "scale.width"


@pytest.mark.parametrize("value", [None, object(), {"a": 1}, {1, 2}, pytest.param(10**5000, id="huge")])
def test_what_is_no_value_at_all_is_refused(value):
    with pytest.raises(ConvlabError):
        opened("convnext_t").turned("stages.2.depth", value)


def test_the_source_is_written():
    session = opened("resnet50").turned("stem.width", 32)
    text = session.text.replace("summary", "# mine\nsummary").replace("[3, 4, 6, 3]", "[2, 2, 2, 2]")
    other = session.written(text)
    assert (other.text, other.design.depths, other.design.name, other.last) == (
        text,
        (2, 2, 2, 2),
        "resnet50",
        "the source",
    )
    assert other.written(text) is other
    assert "# mine" in other.turned("stages.0.depth", 5).text
    assert other.undone().text == session.text
    with pytest.raises(ConvlabError) as refused:
        other.written(text + "\n[blok]\n")
    place = refused.value.problems[0].place
    assert place.line == text.count("\n") + 2
    assert place.file == "the text of resnet50"  # it began from a preset, whose file has no such mistake


def test_stages_come_and_go():
    session = opened("convnext_t").turned("stages.3.block.grn", True)
    added = session.stage_added(4)
    assert [(s.depth, s.width, s.stride) for s in added.design.stages[-2:]] == [(3, 768, 2), (1, 768, 1)]
    assert profile(added.design).features == profile(session.design).features
    twice = session.stage_duplicated(3)
    assert twice.design.stages[3] == twice.design.stages[4] == session.design.stages[3]
    assert session.stage_added(0).design.stages[1:] == session.design.stages
    less = session.stage_removed(0)
    assert less.design.stages == session.design.stages[1:]
    assert "[stages.2.block]\ngrn = true" in less.text
    assert [each.last for each in (added, twice, less)] == ["stage 4 added", "stage 3 duplicated", "stage 0 removed"]
    for each in (added, twice, less):
        assert load_text(each.text) == each.design
        assert each.undone().design == session.design


def test_stages_that_cannot_come_or_go():
    session = opened("convnext_iso_s")
    there = session.stage_removed, session.stage_added, session.stage_duplicated
    for edit, index in zip((*there, session.stage_removed), (7, -1, 1, 0), strict=True):
        with pytest.raises(ConvlabError, match=r"there is no stage|at least one stage"):
            edit(index)
    with pytest.raises(ConvlabError, match="names are those of a design of one stage"):
        session.stage_added(1)
    session = opened("convnext_t")
    while len(session.design.stages) < MAXIMUM_STAGES:
        session = session.stage_added(0)
    with pytest.raises(ConvlabError, match="at most 64 stages"):
        session.stage_duplicated(0)
    small = opened("convnext_t").turned("image.size", 32)
    with pytest.raises(ConvlabError, match="the map vanishes"):
        small.stage_duplicated(3)


@settings(max_examples=15)
@given(data=st.data())
def test_undone_to_the_beginning_and_redone_to_the_end(data):
    states = [opened(data.draw(st.sampled_from(("convnext_t", "resnet50", "swin_t", "regnety_4gf"))))]
    for _ in range(data.draw(st.integers(1, 6))):
        design = data.draw(turned(states[-1].design))
        if design != states[-1].design:
            states.append(states[-1].replaced(design, "a step"))
    session = states[-1]
    for state in reversed(states):
        assert (session.design, session.last, session.text) == (state.design, state.last, state.text)
        assert not faults(session.design)
        session = session.undone()
    assert session == states[0].undone().undone() or not session.can_undo
    for state in states:
        assert (session.design, session.text) == (state.design, state.text)
        session = session.redone()
    assert not session.can_redo


def test_an_edit_forgets_what_was_undone_and_the_oldest_are_forgotten():
    session = opened("convnext_t").turned("stages.2.depth", 12).undone()
    assert session.can_redo
    assert not session.turned("stages.2.depth", 15).can_redo
    for count in range(LONGEST + 10):
        session = session.turned("stages.2.depth", 10 + count % 50)
    assert len(session.history.past) == LONGEST


def test_baseline_and_pins():
    session = opened("convnext_t").turned("stages.2.depth", 12).pinned_now()
    assert session.pinned_now() is session
    assert session.pinned == (session.design,)
    assert session.baseline.depths == (3, 3, 9, 3)
    assert session.with_baseline().baseline == session.design
    assert session.with_baseline(load("resnet50")).baseline == load("resnet50")
    assert session.unpinned(0).pinned == session.turned("drop_path", 0.0).unpinned(0).pinned == ()
    with pytest.raises(ConvlabError):
        session.unpinned(1)
    assert session.undone().pinned == session.pinned


def test_a_design_that_is_in_no_file():
    design = load("resnet50")
    session = begun(design, "run 7")
    assert (session.design, session.unsaved, session.path, session.origin) == (design, True, None, "run 7")
    assert load_text(session.text) == design


def test_thousands_of_blocks():
    session = opened("convnext_t").turned("depths", [750, 750, 750, 750])
    turned_session = session.turned("stages.2.depth", 751)
    assert sum(turned_session.design.depths) == 3001
    assert isinstance(turned_session, Session)
    assert profile(turned_session.design).params > profile(session.design).params


def test_nothing_heavy_is_imported():
    code = (
        "import sys, convlab.session, convlab.session.walking as w; s = convlab.session.opened('resnet50');"
        "s = w.next_step(s.turned('stem.width', 32)); s.text; convlab.session.command(s, 'profile');"
        "print([m for m in ('torch', 'timm', 'textual', 'numpy', 'rich', 'typer') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
