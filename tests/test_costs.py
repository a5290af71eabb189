"""Costs are those of valid designs: what cannot exist is refused, in Python as in the shell."""

import pytest

from convlab import ConvlabError, build, costs, load, profile, turn


@pytest.mark.parametrize("size", [8, 0, -8, (224, 3), "224", 2.5, (1, 2, 3), True])
def test_an_image_that_cannot_be(size):
    with pytest.raises(ConvlabError):
        profile(load("convnext_t"), image=size)


@pytest.mark.parametrize("size", [15, (15, 224), (224, 1)])
def test_a_class_token_does_not_stand_for_a_map_that_vanishes(size):
    with pytest.raises(ConvlabError, match="the map vanishes") as caught:
        profile(load("vit_s16"), image=size)
    assert caught.value.problems[0].code == "map-vanishes"
    assert profile(load("vit_s16"), image=16).features == (384, 2, 1)


def test_a_position_embedding_is_that_of_the_image():
    one, other = profile(load("vit_s16")), profile(load("vit_s16"), image=384)
    assert other.params - one.params == 384 * (24 * 24 - 14 * 14)


@pytest.mark.parametrize("windows", [[7, 8, 9, 11], [64, 64, 64, 64], [5, 5, 13, 13]])
def test_many_places_among_windows_are_tried_at_once(windows, monkeypatch):
    sets = ["depths=[2, 3, 4, 2]", f"block.window={windows}"]
    at_once = profile(load("swin_t", sets=sets)).receptive_field
    monkeypatch.setattr(costs, "MANY_PLACES", costs.MOST_PLACES + 1)
    assert profile(load("swin_t", sets=sets)).receptive_field == at_once
    assert {type(number) for window in at_once for number in window} == {int}


def test_an_image_of_another_size():
    assert profile(load("convnext_t"), image=(224, 448)).macs == pytest.approx(
        2 * profile(load("convnext_t")).macs, rel=1e-3
    )


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("block.groups", 7, "groups-do-not-divide"),
        ("block.kind", "custom", "missing-key"),
        ("names", "facebookresearch", "out-of-range"),
        ("image.size", 16, "map-vanishes"),
    ],
)
def test_a_turned_design_that_is_not_valid(path, value, code):
    with pytest.raises(ConvlabError) as caught:
        profile(turn(load("convnext_t"), path, value))
    assert caught.value.problems[0].code == code


@pytest.mark.parametrize("verb", [profile, build])
def test_a_name_is_no_design(verb):
    with pytest.raises(ConvlabError, match=r"convlab\.load"):
        verb("convnext_t")


def test_representations_are_short():
    design = load("convnext_t")
    assert repr(design) == "<Design convnext_t: convnext; depths [3, 3, 9, 3], widths [96, 192, 384, 768]>"
    assert len(repr(profile(design))) < 200


def test_one_setting_is_not_taken_for_its_letters():
    assert load("convnext_t", sets="stages.2.depth=27").depths == (3, 3, 27, 3)


def test_a_rounded_width_is_told_and_binary_noise_is_not():
    design = load("convnext_t", sets=["block.expansion_ratio=0.1", "widths=[30, 60, 120, 240]"])
    assert profile(design).adjustments == ()
    rounded = profile(load("convnext_t", sets=["block.expansion_ratio=0.33"])).adjustments
    assert next((item.path, item.given) for item in rounded) == ("stages.0.block.expansion_ratio", 32)
