"""Designs made small for short trainings: valid for every preset, their micro choices untouched, every change recorded."""

import dataclasses
from functools import cache

import pytest

import convlab
from convlab.costs import profile
from convlab.errors import ConvlabError
from convlab.language.design import stem_stride
from convlab.language.knobs import knobs_of
from convlab.language.validation import faults
from convlab.presets import preset_names
from convlab.training.proxies.overrides import recipe_overrides
from convlab.training.proxies.reductions import LARGEST_SPENT_MAP, sides
from convlab.training.proxies.shrinking import (
    CPU_MACS,
    GPU_MACS,
    LENIENCE,
    DataFacts,
    budget,
    shrunk,
    shrunk_together,
)
from convlab.training.proxies.stems import eased
from convlab.training.recipes.recipe import Recipe

PRESETS = (*preset_names(), *preset_names("roadmap"))
GREY = DataFacts(10, 1, 28, 28)
PLACES = {
    "grey 28 px": (GREY, "cpu"),
    "32 px": (DataFacts(12, 3, 32, 32), "cpu"),
    "64 px": (DataFacts(12, 3, 64, 64), "cpu"),
    "32 px on a GPU": (DataFacts(100, 3, 32, 32), "cuda"),
    "64 px on a GPU": (DataFacts(10, 3, 64, 64), "cuda:1"),
    "digits": (DataFacts(10, 1, 8, 8), "cpu"),
    "wide": (DataFacts(5, 3, 48, 96), "cpu"),
}
RECIPE = Recipe()
SIZES = {"group_width", "head_width"}
"""Block knobs that are sizes in channels: they may shrink with the widths."""

COSTLY = {"replknet_31b", "swin_b_384", "swin_l_384"}
"""Their 31x31 kernels and windows of 12 px cost more than the budget however narrow the network is."""


@cache
def small(design, facts=GREY, device="cpu", recipe=RECIPE):
    return shrunk(design, facts, recipe=recipe, device=device)


def micro(stage):
    """What of a stage is a micro choice."""
    return dataclasses.replace(stage.block, group_width=0, head_width=1), stage.downsample, stage.dilation


@pytest.mark.parametrize("place", PLACES)
def test_every_preset_becomes_a_valid_design_for_the_data_with_its_micro_choices(place):
    facts, device = PLACES[place]
    for name in PRESETS:
        design = convlab.load(name)
        found = small(design, facts, device).design
        assert not faults(found), name
        assert found.head.classes == facts.classes
        assert found.image.shape == (facts.channels, facts.height, facts.width)
        kept = len(found.stages)
        assert [micro(stage) for stage in found.stages] == [micro(stage) for stage in design.stages[:kept]], name
        assert found.stem.kind == design.stem.kind
        assert all(side > LARGEST_SPENT_MAP for side in sides(found)[1:]), name
        assert all(width % 8 == 0 and width >= 16 for width in found.widths) or found.widths == design.widths[:kept]
        deepest = max(design.depths[:kept])
        assert found.depths[design.depths.index(deepest)] == max(found.depths), name
        if profile(found).macs <= budget(device, facts).macs:
            assert small(found, facts, device).design == found, name


@pytest.mark.parametrize("place", ["grey 28 px", "32 px", "32 px on a GPU", "64 px on a GPU"])
def test_costs_meet_the_budget(place):
    facts, device = PLACES[place]
    within = budget(device, facts)
    for name in set(PRESETS) - COSTLY:
        macs = profile(small(convlab.load(name), facts, device).design).macs
        assert within.macs / 6 <= macs <= LENIENCE * within.macs, name


def test_the_budget_grows_with_the_area_of_large_images_only():
    assert budget("cpu", GREY) == (CPU_MACS, False)
    assert budget("cpu", DataFacts(10, 3, 64, 64)) == (4 * CPU_MACS, False)
    assert budget("cuda:0", GREY) == (GPU_MACS, True)


def test_every_difference_is_an_override_and_every_override_a_difference():
    for name in PRESETS:
        design = convlab.load(name)
        found = small(design)
        there = {override.path: override for override in found.overrides}
        assert len(there) == len(found.overrides)
        assert all(override.before != override.after and override.why for override in found.overrides)
        assert {"image.size", "image.channels", "head.classes"} <= found.paths
        assert there["head.classes"].before == 1000
        assert there["head.classes"].after == 10
        undone = found.design
        if len(undone.stages) < len(design.stages):
            assert "depths" in there
            undone = dataclasses.replace(undone, stages=(*undone.stages, *design.stages[len(undone.stages) :]))
        for path, override in there.items():
            undone = given(undone, path, override.before, len(found.design.stages))
        assert undone == design, name


def given(design, path, value, kept):
    if path in ("depths", "widths", "strides"):
        values = zip(design.stages, value, strict=True)
        stages = tuple(dataclasses.replace(stage, **{path[:-1]: each}) for stage, each in values)
        return dataclasses.replace(design, stages=stages)
    section, _, knob = path.rpartition(".")
    if section == "block":
        each = value if isinstance(value, tuple) else (value,) * len(design.stages)
        stages = tuple(
            dataclasses.replace(stage, block=dataclasses.replace(stage.block, **{knob: one}))
            for stage, one in zip(design.stages, each, strict=True)
        )
        return dataclasses.replace(design, stages=stages)
    if not section:
        return dataclasses.replace(design, **{knob: value})
    return dataclasses.replace(design, **{section: dataclasses.replace(getattr(design, section), **{knob: value})})


TURNS = {
    "convnext_t": [
        *("block.kernel_size=3", "block.norm=batch_norm", "block.activation=relu", "block.grn=true"),
        *("block.squeeze_ratio=0.25", "block.layer_scale=0", "block.bias=false", 'block.norm_after=["project"]'),
        *("stages.0.block.kernel_size=9", "block.activation_after=[]", "block.shortcut=none"),
    ],
    "resnet50": ["block.kernel_size=5", "block.norm=layer_norm", "block.activation=gelu", "block.squeeze_ratio=0.1"],
    "regnety_4gf": ["block.squeeze_ratio=0", "block.activation=silu", "block.kernel_size=5"],
    "efficientnet_b0": ["block.kernel_size=7", "block.activation=relu", "block.norm=group_norm"],
    "swin_t": ["block.relative_position=false", "block.norm=rms_norm", "block.shift=false"],
    "replknet_31b": ["block.norm=group_norm", "block.activation=gelu"],
}
SIZED = {
    "convnext_t": ["block.expansion_ratio=2", "block.order=middle", "block.groups=1", "block.kernel_size=31"],
    "resnet50": ["block.expansion_ratio=1", 'block.groups="depthwise"'],
    "regnetx_400mf": ["block.group_width=8"],
    "vit_s16": ["block.expansion_ratio=3"],
    "regnety_4gf": ["block.kernel_size=7"],
}


def alike_but_for(one, other, path):
    """Whether two designs differ in the knobs at a path and in nothing else."""
    return convlab.get(one, path) != convlab.get(other, path) and all(
        getattr(one, field.name) == getattr(other, field.name)
        for field in dataclasses.fields(one)
        if field.name not in ("stages", "name")
    )


@pytest.mark.parametrize(("name", "turn"), [(name, turn) for name, turns in TURNS.items() for turn in turns])
def test_designs_that_differ_in_a_micro_knob_differ_in_exactly_that_knob(name, turn):
    path, _, _ = turn.partition("=")
    one, other = convlab.load(name), convlab.load(name, sets=[turn])
    for facts, device in PLACES.values():
        first, second = small(one, facts, device).design, small(other, facts, device).design
        assert alike_but_for(first, second, path)
        assert {knob for knob, *_ in differing(first, second)} == {path.rpartition(".")[2]}
        assert shrunk_together([one, other], facts, recipe=RECIPE, device=device)[1].design == second


@pytest.mark.parametrize(("name", "turn"), [(name, turn) for name, turns in SIZED.items() for turn in turns])
def test_designs_compared_differ_in_exactly_the_knob_even_where_it_decides_the_cost(name, turn):
    path, _, _ = turn.partition("=")
    designs = convlab.load(name), convlab.load(name, sets=[turn])
    for facts, device in PLACES.values():
        first, second = (each.design for each in shrunk_together(designs, facts, recipe=RECIPE, device=device))
        assert first.depths == second.depths
        assert {knob for knob, *_ in differing(first, second)} <= {path.rpartition(".")[2], "group_width", "width"}


def differing(one, other):
    """The knobs of stages in which two designs differ."""
    for first, second in zip(one.stages, other.stages, strict=True):
        for noun, twin in ((first, second), (first.block, second.block), (first.downsample, second.downsample)):
            for name in knobs_of(type(noun)):
                if getattr(noun, name) != getattr(twin, name):
                    yield name, getattr(noun, name), getattr(twin, name)


def test_a_small_design_keeps_its_sizes():
    text = ["depths=[1,1]", "widths=[16,32]", "stem.patch_size=2", "image.size=28"]
    found = small(convlab.load("convnext_t", sets=text))
    assert found.paths == {"image.channels", "head.classes"}


def test_never_changes_nothing_but_classes_and_images():
    design = convlab.load("convnext_t")
    found = small(design, DataFacts(10, 3, 64, 64), recipe=Recipe(shrink="never"))
    assert found.paths == {"image.size", "head.classes"}
    assert found.design.stages == design.stages
    with pytest.raises(ConvlabError, match="at 28x28 px, the size of the data's images: the map vanishes"):
        small(design, recipe=Recipe(shrink="never"))


def test_designs_of_about_one_cost_are_shrunk_by_the_same_factors():
    facts = DataFacts(10, 3, 32, 32)
    tiny, base = (
        each.design
        for each in shrunk_together([convlab.load("convnext_t"), convlab.load("convnext_b")], facts, recipe=RECIPE)
    )
    assert tiny.widths < base.widths
    assert tiny.depths[2] < base.depths[2]
    alone = small(convlab.load("convnext_t"), facts).design
    far = shrunk_together([convlab.load("convnext_t"), convlab.load("convnext_xl")], facts, recipe=RECIPE)
    assert far[0].design == alone


@pytest.mark.parametrize(
    ("sets", "factor", "stride", "left"),
    [
        (["stem.kind=patchify", "stem.patch_size=4"], 2, 2, 1),
        (["stem.kind=patchify", "stem.patch_size=4"], 8, 1, 2),
        (["stem.kind=patchify", "stem.patch_size=3"], 2, 3, 2),
        (["stem.kind=conv"], 2, 2, 1),
        (["stem.kind=conv"], 4, 1, 1),
        (["stem.kind=overlap"], 2, 2, 1),
        (["stem.kind=deep"], 4, 1, 1),
        (["stem.kind=custom", 'stem.branch=["conv(3, 1x, stride=2)", "norm", "conv(stride=2)"]'], 2, 2, 1),
        (
            ["stem.kind=custom", 'stem.branch=["parallel(chain(conv(3, 1x, stride=4), norm), conv(1, stride=4))"]'],
            2,
            2,
            1,
        ),
        (["stem.kind=custom", 'stem.branch=["conv(3, 1x, 1, 1, 2)"]'], 2, 2, 2),
    ],
)
def test_stems_give_up_stride(sets, factor, stride, left):
    design = convlab.load("convnext_t", sets=sets)
    stem, rest = eased(design.stem, factor)
    assert (stem_stride(stem), rest) == (stride, left)
    assert not faults(dataclasses.replace(design, stem=stem))


def test_a_stems_kernel_shrinks_in_proportion_and_stays_odd():
    stem = convlab.load("resnet50").stem
    assert [(eased(stem, by).stem.kernel_size, eased(stem, by).stem.pool) for by in (1, 2, 4)] == [
        (7, "max"),
        (3, "max"),
        (3, "none"),
    ]
    assert eased(convlab.load("mobilenet_v2").stem, 2).stem.kernel_size == 3


def test_what_the_recipe_changes_is_told():
    sprint = Recipe(drop_path=0.0, layer_scale=0.1, dirac_depthwise=True)
    found = {each.path: each for each in recipe_overrides(convlab.load("convnext_t"), sprint)}
    assert (found["drop_path"].before, found["drop_path"].after) == (0.1, 0.0)
    assert (found["block.layer_scale"].before, found["block.layer_scale"].after) == (1e-6, 0.1)
    assert "recipe.dirac_depthwise" in found
    assert recipe_overrides(convlab.load("resnet50"), sprint) == ()
    assert recipe_overrides(convlab.load("convnext_t"), Recipe()) == ()


def test_the_law_covers_every_preset():
    assert len(PRESETS) == len(set(PRESETS)) >= 90
