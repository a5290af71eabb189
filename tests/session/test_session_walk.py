"""The walk from ResNet-50 to ConvNeXt-T as a session takes it."""

import pytest

from convlab import ConvlabError, load
from convlab.facts import roadmap
from convlab.language.files import load_text
from convlab.session import command, opened
from convlab.session.walking import at_step, next_step, place_of, previous_step, step_of, steps


def test_from_the_first_step_to_the_last_and_back():
    session = opened("resnet50")
    seen = [step_of(session.design)]
    while seen[-1].order < len(steps()):
        session = next_step(session)
        assert load_text(session.text) == session.design
        assert session.keeps_comments
        seen.append(step_of(session.design))
    assert seen == list(steps())
    assert [step.published for step in seen] == [step for step in roadmap() if 1 <= step.order <= len(seen)]
    assert session.design.key == load("convnext_t").key
    assert command(session, "profile") == ("convlab", "profile", "roadmap/16_separate_downsampling")
    assert session.last == "walk, step 16: separate downsampling conv"
    with pytest.raises(ConvlabError, match="the last step"):
        next_step(session)
    while step_of(session.design).order > 1:
        session = previous_step(session)
    with pytest.raises(ConvlabError, match="the first step"):
        previous_step(session)
    assert len(session.history.past) == 2 * (len(steps()) - 1)


def test_the_knobs_that_steps_turn():
    turns = {step.order: (dict(step.turns), step.base) for step in steps()}
    assert turns[1] == ({}, 0)
    assert turns[2] == ({"depths": [3, 3, 9, 3]}, 1)
    assert turns[12] == ({"stem.activation": "gelu", "block.activation": "gelu"}, 9)
    for step in steps()[1:]:
        assert step.turns
        assert steps()[step.base - 1].order == step.base < step.order


def test_where_a_design_stands():
    assert step_of(load("convnext_t")).order == len(steps())
    assert step_of(load("roadmap/09_kernel_7")).order == 9
    assert step_of(load("convnext_s")) is None
    beside = opened("swin_t")
    with pytest.raises(ConvlabError, match="no step of the walk"):
        previous_step(beside)
    assert step_of(next_step(beside).design).order == 1
    assert step_of(at_step(beside, 7).design).order == 7
    # Edits of a step lose nobody's place.
    edited = at_step(opened("resnet50"), 14).turned("stages.0.depth", 4).turned("image.size", 288)
    assert (step_of(edited.design), place_of(edited).order) == (None, 14)
    assert step_of(next_step(edited).design).order == 15
    assert next_step(edited).design.image.size == 288
    assert step_of(previous_step(edited).design).order == 13
    for order in (0, 17):
        with pytest.raises(ConvlabError):
            at_step(beside, order)


def test_image_and_drop_path_are_kept_on_the_way():
    session = opened("resnet50").turned("image.size", 288).turned("drop_path", 0.1)
    session = next_step(session)
    assert (session.design.image.size, session.design.drop_path) == (288, 0.1)
    assert session.design.depths == (3, 3, 9, 3)
