"""Shorthands of a design file: the quantised linear rule and compound scaling, against timm's arithmetic; they leave plain values."""

import dataclasses
import random
import tomllib

import pytest
from timm.layers import make_divisible
from timm.models import regnet as regnets

from convlab import get, load, profile, save, turn
from convlab.errors import ConvlabError
from convlab.language.rules import fitted, regnet
from convlab.language.scaling import Scale, scaled
from convlab.language.writing import text_of

PUBLISHED = {
    "regnetx_002": ((24, 56, 152, 368), (1, 1, 4, 7)),
    "regnetx_004": ((32, 64, 160, 384), (1, 2, 7, 12)),
    "regnetx_032": ((96, 192, 432, 1008), (2, 6, 15, 2)),
    "regnetx_320": ((336, 672, 1344, 2520), (2, 7, 13, 1)),
    "regnety_004": ((48, 104, 208, 440), (1, 3, 6, 6)),
    "regnety_040": ((128, 192, 512, 1088), (2, 6, 12, 2)),
    "regnety_160": ((224, 448, 1232, 3024), (2, 4, 11, 1)),
}
"""Widths and depths as the paper prints them (arXiv:2003.13678, figures 16 and 17): the rule's, fitted to the group width."""


@pytest.mark.parametrize("name", regnets.model_cfgs)
def test_the_rule_is_timms(name):
    config = regnets.model_cfgs[name]
    blocks, stages, _ = regnets.generate_regnet(config.wa, config.w0, config.wm, config.depth, config.group_size)
    widths, depths = regnet(config.w0, config.wa, config.wm, config.depth)
    assert len(widths) == stages
    assert [width for width, depth in zip(widths, depths, strict=True) for _ in range(depth)] == blocks


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_fitted_rule_gives_the_published_networks(name):
    config = regnets.model_cfgs[name]
    widths, depths = regnet(config.w0, config.wa, config.wm, config.depth)
    assert (fitted(widths, config.group_size)[0], depths) == PUBLISHED[name]


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.25])
def test_widths_are_fitted_as_timm_fits_them(ratio):
    draw = random.Random(ratio)
    for _ in range(300):
        widths = tuple(8 * draw.randint(1, 300) for _ in range(4))
        group_width = draw.choice((1, 8, 16, 24, 40, 56, 112, 168, 232))
        expected = regnets.adjust_widths_groups_comp(list(widths), [ratio] * 4, [group_width] * 4)
        found = fitted(widths, group_width, ratio)
        assert found == tuple(map(tuple, expected))
        assert all(int(width * ratio) % group == 0 for width, group in zip(*found, strict=True))


@pytest.mark.parametrize("ratio", [2.0, 4.0])
def test_fitted_widths_are_whole_where_the_block_expands(ratio):
    widths, groups = fitted((8, 24, 104, 296), 24, ratio)
    assert all(width * ratio % group == 0 for width, group in zip(widths, groups, strict=True))


RULE = "widths = { quantized_linear = { initial = 24, slope = 24.48, multiplier = 2.54, depth = 22%s } }\n"


def written(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def bare(design):
    return dataclasses.replace(design, summary="")


def test_a_rule_is_the_lists_that_it_stands_for(tmp_path):
    ruled = load(written(tmp_path, RULE % ", group_width = 16, expansion_ratio = 0.5" + '[block]\nkind = "regnet_x"\n'))
    plain = load(
        written(
            tmp_path,
            "depths = [1, 2, 7, 12]\nwidths = [32, 64, 160, 384]\n[block]\nkind = 'regnet_x'\ngroup_width = [12, 16, 16, 16]\n"
            "expansion_ratio = 0.5",
        )
    )
    assert get(ruled, "block.group_width") == (12, 16, 16, 16)
    assert (ruled.widths, ruled.depths) == ((24, 64, 160, 384), plain.depths)
    assert turn(ruled, "stages.0.width", 32) == plain


def test_a_rule_without_a_group_width_leaves_the_blocks_alone(tmp_path):
    design = load(written(tmp_path, RULE % ""))
    assert (design.widths, design.depths) == ((24, 64, 152, 392), (1, 2, 7, 12))
    assert get(design, "block.group_width") == 0


def test_a_rule_without_a_depth_keeps_the_bases(tmp_path):
    design = load(
        written(tmp_path, 'base = "regnetx_400mf"\n' + RULE.replace(", depth = 22", "") % ", group_width = 16")
    )
    assert (design.widths, design.depths) == (load("regnetx_400mf").widths, (1, 2, 7, 12))


@pytest.mark.parametrize(
    "name", ["regnetx_800mf", "regnety_8gf", "efficientnet_b4", "efficientnet_v2_m", "mobilenet_v2"]
)
def test_what_a_shorthand_says_is_saved_plainly_and_stays(name, tmp_path):
    design = load(name)
    table = tomllib.loads(text_of(design))
    assert not {"scale", "base"} & set(table)
    assert table["widths"] == list(design.widths)
    save(design, tmp_path / "again.toml")
    assert load(tmp_path / "again.toml") == design
    assert text_of(load(tmp_path / "again.toml")) == text_of(design)


def test_a_rule_can_be_turned_and_set():
    rule = {"initial": 24, "slope": 24.48, "multiplier": 2.54, "depth": 22, "group_width": 16}
    design = turn(load("regnetx_200mf"), "widths", {"quantized_linear": rule})
    text = "widths={quantized_linear={initial=24, slope=24.48, multiplier=2.54, depth=22, group_width=16}}"
    expected = bare(load("regnetx_400mf"))
    assert bare(design) == bare(load("regnetx_200mf", sets=[text])) == expected


def test_a_later_source_wins_over_a_rule(tmp_path):
    path = written(tmp_path, 'base = "regnetx_400mf"\nblock.group_width = 8\nstages.1.width = 72\n')
    assert load(path).widths == (32, 72, 160, 384)
    assert get(load(path), "block.group_width") == 8


@pytest.mark.parametrize("factor", [0.35, 0.5, 0.75, 1.1, 1.2, 1.3, 1.4, 1.8, 2.2, 4.3])
def test_scaled_widths_are_timms(factor):
    design = load("efficientnet_b0")
    found = scaled(design, Scale(width=factor))
    assert found.widths == tuple(make_divisible(width * factor, 8, round_limit=0.9) for width in design.widths)
    assert found.stem.width == make_divisible(32 * factor, 8, round_limit=0.9)
    assert found.head.convolution == make_divisible(1280 * factor, 8, round_limit=0.9)
    assert found.depths == design.depths
    assert all(
        width % 8 == 0 and width >= 0.9 * factor * old for width, old in zip(found.widths, design.widths, strict=True)
    )


def test_depths_are_rounded_up():
    design = turn(load("convnext_t"), "depths", [1, 3, 10, 20])
    assert scaled(design, Scale(depth=1.1)).depths == (2, 4, 11, 22)
    assert scaled(design, Scale(depth=0.3)).depths == (1, 1, 3, 6)


def test_a_factor_of_one_and_a_width_of_none_stay():
    odd = turn(turn(load("convnext_t"), "widths", [97, 100, 111, 3]), "head.hidden", 33)
    assert scaled(odd, Scale()) == odd
    larger = scaled(odd, Scale(width=2))
    assert (larger.widths, larger.stem.width, larger.head.convolution) == ((192, 200, 224, 8), 0, 0)


def test_a_scale_multiplies_the_base_and_the_rest_is_put_on_top(tmp_path):
    path = written(
        tmp_path, 'base = "efficientnet_b0"\nscale = { width = 2 }\nstages.0.width = 24\nhead.convolution = 640\n'
    )
    design = load(path)
    assert design.widths == (24, 48, 80, 160, 224, 384, 640)
    assert (design.stem.width, design.head.convolution) == (64, 640)
    assert load(path, sets=["scale.depth=2", "scale.width=0.5"]).depths == (2, 4, 4, 6, 6, 8, 2)
    assert load(path, sets=["scale.depth=2", "scale.width=0.5"]).widths == (16, 24, 40, 80, 112, 192, 320)
    assert turn(load("efficientnet_b0"), "scale.width", 1.1).widths == load("efficientnet_b2").widths


def test_b0_scaled_in_one_assignment_is_b7():
    sets = ["scale={width=2.0, depth=3.1}", "image.size=600", "head.dropout=0.5"]
    assert bare(load("efficientnet_b0", sets=sets)) == bare(load("efficientnet_b7"))
    assert profile(load("efficientnet_b7")).params == 66_347_960


def test_a_scale_is_no_knob_of_a_design():
    with pytest.raises(ConvlabError):
        get(load("efficientnet_b2"), "scale.width")
