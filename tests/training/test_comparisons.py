"""The verb train: paired seeds, rankings, what is stopped, resumed, diverges or is one network under two names."""

import dataclasses
import json
import math
import shutil

import pytest
import torch
from small_trainings import RESNET, design_of, drawn, recipe_of

import convlab
from convlab.errors import ConvlabError
from convlab.training.batches.batches import Batches
from convlab.training.comparing import train
from convlab.training.keeping.folders import JOB
from convlab.training.proxies.brevity import for_its_budget
from convlab.training.recipes.named import changed, recipe

RECIPE = recipe_of(samples=16 * 4, shrink="never")


def work(folder, designs=None, **options):
    options = {"recipe": RECIPE, "data": drawn(), "device": "cpu", "folder": folder} | options
    designs = [design_of(), design_of(RESNET, "res")] if designs is None else designs
    return train(designs, **options)


def kernel(size, name=""):
    return dataclasses.replace(convlab.turn(design_of(), "block.kernel_size", size), name=name or f"k{size}")


def test_designs_are_trained_with_every_seed_and_ranked(tmp_path):
    kept = []
    found = convlab.finished(work(tmp_path / "a", seeds=2, keep=kept.append))
    assert [(each.name, each.seed) for each in found.trained] == [("small", 0), ("res", 0), ("small", 1), ("res", 1)]
    assert {place.name for place in found.ranking.places} == {"small", "res"}
    assert all(place.seeds == 2 and math.isfinite(place.loss.low) for place in found.ranking.places)
    assert found.ranking.seeds == (0, 1)
    assert not found.stopped
    assert [(each.name, each.seed) for each in kept if each.test_loss == each.test_loss] == [
        (each.name, each.seed) for each in found.trained
    ]
    for each in found.trained:
        assert math.isfinite(each.test_accuracy)
        assert each.checkpoint.is_relative_to(tmp_path)


def test_the_first_seed_is_the_recipes(tmp_path):
    found = convlab.finished(work(tmp_path / "a", [design_of()], recipe=dataclasses.replace(RECIPE, seed=7), seeds=2))
    assert [each.seed for each in found.trained] == [7, 8]


def test_designs_of_one_seed_see_the_same_images_in_the_same_order():
    data, recipe = drawn(), recipe_of(crop="pad", flip=True)
    one, other, third = (Batches(data, recipe, seed=seed, device=torch.device("cpu")) for seed in (0, 0, 1))
    assert torch.equal(one.at(3).images, other.at(3).images)
    assert not torch.equal(one.at(3).images, third.at(3).images)


def test_progress_is_that_of_all_trainings(tmp_path):
    seen = []
    convlab.finished(work(tmp_path / "a", seeds=2), seen.append)
    assert {each.total for each in seen} == {16}
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert seen[-1].done == 16
    assert seen[-1].what.startswith("res, seed 1")
    assert seen[-1].remaining_s == pytest.approx(0, abs=1e-6)


def test_stopped_it_returns_what_it_has_and_goes_on_to_the_same_end(tmp_path):
    whole = convlab.finished(work(tmp_path / "whole", seeds=2))
    running = work(tmp_path / "cut", seeds=2)
    for progress in running:
        if progress.what.startswith("res, seed 0") and progress.done > 4:
            break
    with pytest.raises(StopIteration) as end:
        running.throw(KeyboardInterrupt)
    cut = end.value.value
    assert cut.stopped
    assert [(each.name, each.stopped) for each in cut.trained] == [("small", False), ("res", True)]
    assert [place.name for place in cut.ranking.places] == ["small"]
    assert cut.ranking.unranked == {"res": "stopped before its end"}
    rest = convlab.finished(train(resume=tmp_path / "cut", data=drawn(), device="cpu"))
    assert [each.validation_loss for each in rest.trained] == [each.validation_loss for each in whole.trained]
    assert rest.ranking == whole.ranking


def test_threads_are_those_that_a_training_was_begun_with(tmp_path):
    running = work(tmp_path / "a", [design_of()], threads=2)
    for progress in running:
        if progress.done > 1:
            break
    assert torch.get_num_threads() == 2
    with pytest.raises(StopIteration):
        running.throw(KeyboardInterrupt)
    assert torch.get_num_threads() == 1
    assert json.loads((tmp_path / "a" / JOB).read_text())["threads"] == 2
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    same, other = (
        convlab.finished(train(resume=tmp_path / folder, data=drawn(), device="cpu", threads=threads))
        for folder, threads in (("a", 0), ("b", 1))
    )
    assert same.trained[0].notes == ()
    assert "threads 2 is now 1" in other.trained[0].notes[0]


def test_the_time_of_steps_and_of_looks_is_told(tmp_path):
    (found,) = convlab.finished(work(tmp_path / "a", [design_of()])).trained
    assert min(found.training_seconds, found.evaluating_seconds) > 0
    assert found.training_seconds + found.evaluating_seconds < found.seconds


def test_ctrl_c_before_the_first_step_of_a_design(tmp_path):
    running = work(tmp_path / "a")
    next(running)
    with pytest.raises(StopIteration) as end:
        running.throw(KeyboardInterrupt)
    assert end.value.value.stopped
    assert set(end.value.value.ranking.unranked) == {"small", "res"}


def test_a_design_that_diverges_is_a_result(tmp_path):
    wild = dataclasses.replace(convlab.turn(design_of(RESNET), "block.norm", "none"), name="wild")
    recipe = recipe_of(
        samples=16 * 30, shrink="never", optimizer="sgd", learning_rate=100.0, warmup=0.0, schedule="constant"
    )
    calm = convlab.finished(work(tmp_path / "a", [wild], recipe=recipe, seeds=1))
    assert calm.trained[0].failure
    assert calm.ranking.places == ()
    assert calm.ranking.unranked == {"wild": calm.trained[0].failure}
    assert not calm.stopped


@pytest.mark.parametrize(
    ("failure", "placed"),
    [("diverged: the loss of step 3 is not finite", {"res"}), ("out of memory", {"small", "res"})],
)
def test_a_design_that_diverged_with_one_seed_is_not_ranked_by_the_other(tmp_path, failure, placed):
    convlab.finished(work(tmp_path / "a", seeds=2))
    (result,) = (tmp_path / "a").glob("small-*-seed1/result.json")
    result.write_text(json.dumps(json.loads(result.read_text()) | {"failure": failure}))
    found = convlab.finished(work(tmp_path / "a", (), recipe=None, resume=True))
    assert {place.name for place in found.ranking.places} == placed
    assert set(found.ranking.unranked) == {"small", "res"} - placed


def test_designs_that_are_one_network_are_told_and_trained_once(tmp_path):
    twin = dataclasses.replace(convlab.turn(design_of(), "drop_path", 0.0), name="twin")
    found = convlab.finished(
        work(tmp_path / "a", [design_of(), twin], recipe=dataclasses.replace(RECIPE, drop_path=0.0))
    )
    assert [each.name for each in found.trained] == ["small"]
    assert found.same == {"twin": "small"}
    assert found.ranking.unranked == {"twin": "the same network as small at this size"}
    both = convlab.finished(work(tmp_path / "b", [design_of(), twin]))
    assert both.same == {}
    assert [doubt.topic for doubt in both.doubts] == ["regularization"]


def test_designs_of_one_name_get_names_of_their_own(tmp_path):
    found = convlab.finished(work(tmp_path / "a", [kernel(3, "k"), kernel(5, "k")]))
    assert [each.name for each in found.trained] == ["k-1", "k-2"]


def test_what_is_changed_is_in_the_result(tmp_path):
    recipe = recipe_of(samples=16 * 2, layer_scale=0.1, drop_path=0.0)
    found = convlab.finished(work(tmp_path / "a", "convnext_t", recipe=recipe))
    assert found.trained[0].design.image.size == 16
    paths = {override.path for override in found.overrides["convnext_t"]}
    assert {"widths", "stem.patch_size", "head.classes", "block.layer_scale", "drop_path"} <= paths


def test_short_trainings_go_without_augmentation_and_say_so(tmp_path):
    busy = {"crop": "pad", "flip": True, "mixup": 0.2, "label_smoothing": 0.1}
    found = convlab.finished(work(tmp_path / "a", [design_of()], recipe=recipe_of(samples=16 * 2, **busy)))
    told = {each.path: each for each in found.overrides["small"]}
    assert {"recipe.crop", "recipe.flip", "recipe.mixup", "recipe.label_smoothing"} <= set(told)
    assert (told["recipe.mixup"].before, told["recipe.mixup"].after) == (0.2, 0.0)
    assert found.trained[0].recipe.crop == "none"
    assert found.job.recipe.crop == "pad"
    as_it_is = recipe_of(samples=16 * 2, shrink="never", **busy)
    assert for_its_budget(as_it_is, 128) == (as_it_is, ())
    assert for_its_budget(recipe_of(samples=0, epochs=5.0, **busy), 128)[1] == ()
    assert len(for_its_budget(recipe_of(samples=128 * 4, **busy), 128)[1]) == 4


def test_knobs_that_were_turned_by_hand_stay_in_short_trainings():
    turned = recipe(recipe_of(samples=16 * 2, flip=True, mixup=0.2), sets=["mixup=0.8"])
    short, told = for_its_budget(turned, 128)
    assert (short.mixup, short.flip) == (0.8, False)
    assert [each.path for each in told] == ["recipe.flip"]
    again, _ = for_its_budget(changed(turned, {"samples": 16 * 4, "flip": True}), 128)
    assert (again.mixup, again.flip) == (0.8, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"designs": []}, "there is no design to train"),
        ({"seeds": 0}, "with 0 seeds nothing is trained"),
        ({"designs": ["convnxt_t"]}, "there is no preset"),
        ({"recipe": "sprnt"}, "sprnt"),
        ({"recipe": changed(RECIPE, {"batch": 256})}, "larger than the training split"),
        ({"weights": "nope.pth"}, "nope.pth"),
    ],
)
def test_refusals_come_before_anything_is_written(tmp_path, options, message):
    with pytest.raises(ConvlabError, match=message):
        next(work(tmp_path / "a", **options))
    assert not (tmp_path / "a").exists()


def test_a_training_is_not_written_over_and_not_resumed_as_another(tmp_path):
    convlab.finished(work(tmp_path / "a"))
    with pytest.raises(ConvlabError, match="holds a training"):
        next(work(tmp_path / "a"))
    with pytest.raises(ConvlabError, match="kernel_size"):
        next(work(tmp_path / "a", [kernel(5, "small"), design_of(RESNET, "res")], resume=True))
    with pytest.raises(ConvlabError, match="learning_rate"):
        next(work(tmp_path / "a", (), recipe=dataclasses.replace(RECIPE, learning_rate=0.5), resume=True))
    with pytest.raises(ConvlabError, match="its checksum is another"):
        next(work(tmp_path / "a", (), data=drawn(seed=1), resume=True))
    with pytest.raises(ConvlabError, match="begun with 1 seed, not 3"):
        next(work(tmp_path / "a", (), recipe=None, resume=True, seeds=3))
    with pytest.raises(ConvlabError, match="there is no training in"):
        next(work(tmp_path / "nowhere", (), recipe=None, resume=True))
    again = convlab.finished(work(tmp_path / "a", (), recipe=None, resume=True))
    assert len(again.trained) == 2


def test_a_job_keeps_the_kind_of_device_that_designs_are_shrunk_for(tmp_path):
    convlab.finished(work(tmp_path / "a", [design_of()]))
    assert json.loads((tmp_path / "a" / JOB).read_text())["shrunk_for"] == "cpu"
