"""Recipes on sets and budgets that are smaller than they were made for: batch, rate, looks at the validation split, whole batches."""

import dataclasses
import math

import pytest

from convlab.training.proxies.brevity import for_its_budget
from convlab.training.recipes.named import changed, recipe, recipe_of_text
from convlab.training.recipes.validation import faults


def fitted(source, images, **options):
    found, told = for_its_budget(recipe(source) if isinstance(source, str) else source, images, **options)
    return found, {each.path: each for each in told}


def test_a_batch_larger_than_the_set_becomes_smaller_and_the_rate_with_its_root():
    found, told = fitted("convnext_finetune", 115)
    assert (found.batch, found.epochs) == (8, 30)
    assert found.learning_rate == pytest.approx(5e-5 * math.sqrt(8 / 512))
    assert found.final_learning_rate == pytest.approx(1e-6 * math.sqrt(8 / 512))
    assert set(told) == {"recipe.batch", "recipe.learning_rate", "recipe.final_learning_rate"}
    assert (told["recipe.batch"].before, told["recipe.batch"].after) == (512, 8)
    assert "115 images" in told["recipe.batch"].why


def test_the_rate_of_sgd_goes_with_the_batch():
    found, _ = fitted("cifar_speedrun", 400)
    assert found.batch == 32
    assert found.learning_rate == pytest.approx(0.4 * 32 / 512)
    relative = dataclasses.replace(recipe("cifar_speedrun"), learning_rate_batch=512)
    found, told = fitted(relative, 400)
    assert found.peak_learning_rate == pytest.approx(0.4 * 32 / 512)
    assert "recipe.learning_rate" not in told


@pytest.mark.parametrize("images", [1, 3, 9, 64, 127])
def test_a_fitted_recipe_is_a_valid_one_and_is_not_fitted_again(images):
    found, told = fitted(dataclasses.replace(recipe("sprint"), accumulation=16), images, validation=4)
    assert told
    assert found.batch <= images
    assert faults(found) == []
    assert fitted(found, images, validation=4)[0] == found


def test_a_batch_that_was_set_by_hand_stays_and_a_rate_too():
    found, told = fitted(changed(recipe("convnext_finetune"), {"batch": 256}), 115)
    assert (found.batch, told) == (256, {})
    found, told = fitted(changed(recipe("convnext_finetune"), {"learning_rate": 1e-4}), 115)
    assert found.learning_rate == 1e-4
    assert "recipe.learning_rate" not in told


@pytest.mark.parametrize(("samples", "evaluations"), [(2048, 1), (10_240, 2), (65_536, 4)])
def test_looks_at_the_validation_split_take_no_more_images_than_training(samples, evaluations):
    found, told = fitted(changed(recipe("sprint"), {"samples": samples}), 55_000, validation=5000)
    assert found.evaluations == evaluations
    assert ("recipe.evaluations" in told) == (evaluations < 4)
    by_hand = changed(recipe("sprint"), {"samples": samples, "evaluations": 4})
    assert fitted(by_hand, 55_000, validation=5000)[0].evaluations == 4


def test_a_budget_is_told_in_whole_batches():
    for asked, shown in ((10, 128), (200, 128)):
        _, told = fitted(changed(recipe("sprint"), {"samples": asked}), 55_000)
        assert (told["recipe.samples"].before, told["recipe.samples"].after) == (asked, shown)
    assert "recipe.samples" not in fitted("sprint", 55_000)[1]


def test_what_a_persons_own_file_says_stays_in_a_short_training(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'base = "imagenet_convnext"\nsamples = 1280\nwarmup = 0.1\nmixup = 0.8\nbatch = 64\n'
    )
    found, told = fitted(recipe(tmp_path / "mine.toml"), 55_000)
    assert found.mixup == 0.8
    text, _ = fitted(recipe_of_text((tmp_path / "mine.toml").read_text()), 55_000)
    assert text.mixup == 0.8
    own = dataclasses.replace(recipe(tmp_path / "mine.toml"), shrink="auto")
    found, told = fitted(own, 55_000)
    assert (found.mixup, found.cutmix) == (0.8, 0.0)
    assert "recipe.cutmix" in told
    (tmp_path / "child.toml").write_text('base = "mine.toml"\n')
    assert "mixup" in recipe(tmp_path / "child.toml").by_hand
    assert recipe("imagenet_convnext").by_hand == frozenset()
