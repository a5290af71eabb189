"""What a comparison of trainings cannot judge, said where it holds and not where designs are trained as they are."""

import math

import pytest

import convlab
from convlab.training.proxies.judging import Judged, doubts
from convlab.training.proxies.shrinking import DataFacts, shrunk_together
from convlab.training.recipes.recipe import Recipe


def judged(*sources, side=28, epochs=1.0, device="cpu", **knobs):
    """The doubts by topic; a source is a preset and what is turned."""
    recipe = Recipe(**{"drop_path": 0.0, "layer_scale": 0.1} | knobs)
    designs = [convlab.load(name, sets=sets) if sets else convlab.load(name) for name, *sets in sources]
    facts = DataFacts(10, 3, side, side)
    found = shrunk_together(designs, facts, recipe=recipe, device=device)
    members = [
        Judged(f"d{index}", design, each) for index, (design, each) in enumerate(zip(designs, found, strict=True))
    ]
    told = doubts(members, facts, recipe=recipe, epochs=epochs)
    assert len({doubt.topic for doubt in told}) == len(told)
    return {doubt.topic: doubt for doubt in told}


def in_full(*sources, side=224, epochs=300.0):
    """The doubts about trainings of whole designs on images of their own size."""
    return judged(*sources, side=side, epochs=epochs, shrink="never", drop_path=-1.0, layer_scale=0.0)


def test_kernels_are_judged_on_large_images_only():
    pair = ("convnext_t",), ("convnext_t", "block.kernel_size=3")
    assert "leave the first stage 14 px: a 7x7 kernel then covers 50 % of" in judged(*pair)["kernels"].sentence
    assert judged(*pair, side=64) == {}
    huge = ("convnext_t",), ("convnext_t", "block.kernel_size=21")
    assert "32 px: a 21x21 kernel then covers 66 % of the map's side" in judged(*huge, side=64)["kernels"].sentence
    written = ("convnext_rep_t",), ("convnext_rep_t", 'block.branch=["depthwise(5)", "norm", "pointwise(1x)"]')
    assert "kernels" in judged(*written)


def test_kernels_are_told_of_the_stage_in_which_they_differ():
    later = judged(("convnext_t",), ("convnext_t", "stages.1.block.kernel_size=3"))
    assert "leave stage 1 7 px: a 7x7 kernel then covers the whole of the map" in later["kernels"].sentence


def test_the_way_out_of_small_images_is_a_set_that_has_larger_ones():
    pair = ("convnext_t",), ("convnext_t", "block.kernel_size=3")
    assert judged(*pair, side=8)["kernels"].help.startswith("--data procedural --image 64, or pictures of that size")


def test_first_values_are_not_doubted_of_loaded_weights():
    pair = ("convnext_t",), ("convnext_t", "block.layer_scale=0.5")
    assert "first values" in judged(*pair)
    assert "first values" not in judged(*pair, epochs=math.inf)


def test_attention_has_no_kernel():
    assert "kernels" not in judged(("convnext_t", "image.size=224"), ("swin_t",), side=56)


@pytest.mark.parametrize(
    "turned",
    ["block.kernel_size=31", "downsample.kind=max_pool", "drop_path=0.5", "block.layer_scale=0.5", "stem.patch_size=2"],
)
def test_nothing_is_doubted_of_designs_that_are_trained_as_they_are(turned):
    assert {*in_full(("convnext_t",), ("convnext_t", turned))} <= {"cost"}


def test_designs_for_small_images_are_judged_on_them():
    small = ("convnext_t", "image.size=32", "stem.patch_size=2")
    assert {*in_full(small, (*small, "block.kernel_size=3"), (*small, "downsample.kind=max_pool"), side=32)} <= {"cost"}
    assert "kernels" in in_full(("convnext_t",), ("convnext_t", "block.kernel_size=3"), side=32)


def test_what_lowers_the_resolution_is_judged_at_the_designs_size():
    pair = ("convnext_t",), ("convnext_t", "downsample.kind=max_pool")
    shrunk, smaller = judged(*pair), in_full(*pair, side=112)
    assert {*shrunk} == {*smaller} == {"resolution"}
    assert "images of 28x28 px, with stems of less stride, do not show what that does at 224 px" in (
        shrunk["resolution"].sentence
    )
    assert "images of 112x112 px do not show what that does at 224 px" in smaller["resolution"].sentence


def test_drop_path_is_judged_in_long_trainings():
    pair = ("convnext_t",), ("convnext_t", "drop_path=0.5")
    told = judged(*pair)["regularization"]
    assert "the recipe gives all the same (0)" in told.sentence
    assert "drop_path=-1" in told.help
    assert "a training this short" in judged(*pair, drop_path=-1.0, epochs=24)["regularization"].sentence
    assert judged(*pair, drop_path=-1.0, epochs=300) == judged(*pair, drop_path=-1.0, epochs=math.inf) == {}
    assert "the recipe gives all the same" in judged(*pair, epochs=300)["regularization"].sentence


def test_depth_and_first_values_are_not_judged_where_they_are_changed():
    assert set(judged(("convnext_t",), ("convnext_t", "block.layer_scale=0.5"))) == {"first values"}
    found = judged(("convnext_t",), ("convnext_s",), side=64)
    assert "3-3-9-3 became" in found["depth"].sentence
    assert "3-3-27-3 became" in found["depth"].sentence
    assert judged(("convnext_t",), ("convnext_t", "block.activation=relu")) == {}
    one = judged(("convnext_t", "widths=[16, 16, 16, 16]", "depths=[1, 1, 1, 1]"), ("convnext_s",), side=128)
    assert "changed them: 3-3-27-3 became" in one["depth"].sentence


def test_a_topic_is_told_once_with_all_whom_it_concerns():
    found = judged(("convnext_t", "block.kernel_size=3"), ("convnext_t", "block.kernel_size=5"), ("convnext_t",))
    assert found["kernels"].names == ("d0", "d1", "d2")
    assert "a 7x7 kernel" in found["kernels"].sentence


def test_unequal_costs_are_told_but_decide_nothing():
    ratios = [("convnext_t", f"block.expansion_ratio={ratio}") for ratio in (1, 4, 8)]
    found = judged(*ratios[:2])["cost"]
    assert "d1 costs" in found.sentence
    assert "times the multiply-adds of d0: a lead may be that of size" in found.sentence
    assert not found.decisive
    three = judged(*ratios)["cost"]
    assert three.names == ("d0", "d1", "d2")
    assert three.sentence.startswith("d2 costs")
    assert "times the multiply-adds of d0, the others lie between" in three.sentence
