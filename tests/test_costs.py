"""Costs are those of valid designs: what cannot exist is refused, in Python as in the shell."""

import pytest

from convlab import ConvlabError, build, load, profile, turn


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
