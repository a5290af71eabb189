"""Recipes: names, files on bases, errors at their places, digests, and the published figures."""

import dataclasses
import tomllib

import pytest

from convlab.errors import ConvlabError
from convlab.language.knobs import knobs_of
from convlab.training.recipes.named import changed, recipe, recipe_names, recipe_of, recipe_of_text
from convlab.training.recipes.recipe import NOT_IN_DIGEST, Recipe, values
from convlab.training.recipes.writing import differences, text_in_full

KNOBS = knobs_of(Recipe)


def problems_of(call, *arguments, **options):
    with pytest.raises(ConvlabError) as refused:
        call(*arguments, **options)
    return refused.value.problems


def other_value(knob):
    """Another value that the knob takes, alone."""
    if knob.kind == "choice":
        return next(choice for choice in knob.choices if choice != knob.default)
    if knob.kind == "boolean":
        return not knob.default
    if knob.kind == "text":
        return "rand-m5" if knob.name == "random_augment" else "another"
    special = {
        "epochs": 2.0,
        "warmup_epochs": 0.5,
        "accumulation": 2,
        "final_learning_rate": 1e-5,
        "drop_path": 0.2,
        "mix_switch_probability": 0.1,
    }
    if knob.name in special:
        return special[knob.name]
    middle = (knob.low + knob.high) / 2 if knob.high <= 1 else knob.default + 1
    return type(knob.default)(middle)


def test_every_field_but_name_and_hand_is_a_knob_with_help():
    assert [field.name for field in dataclasses.fields(Recipe)] == ["name", *KNOBS, "by_hand"]
    assert all(knob.help and not knob.help.endswith(".") for knob in KNOBS.values())


@pytest.mark.parametrize("name", KNOBS)
def test_a_knob_that_decides_the_weights_changes_the_digest(name):
    turned = changed(Recipe(), {name: other_value(KNOBS[name])})
    assert turned != Recipe()
    assert (turned.digest != Recipe().digest) == (name not in NOT_IN_DIGEST)


def test_the_digest_is_one_number_for_all_time():
    assert Recipe().digest == "44136fa355b3678a"  # sha256 of {}
    assert Recipe(name="other").digest == Recipe().digest
    assert changed(Recipe(), {"learning_rate": 1e-3}).digest == Recipe().digest


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_that_come_with_convlab(name):
    found = recipe(name)
    assert found.name == name
    assert found.summary
    assert recipe_of_text(text_in_full(found), name=f"{name}.toml") == found
    assert recipe_of(values(found), name=name) == found
    assert set(tomllib.loads(text_in_full(found))) == set(KNOBS)


def test_names():
    wanted = {"sprint", "run", "long", "digits", "cifar_speedrun", "imagenet_convnext", "convnext_finetune"}
    assert wanted <= set(recipe_names())
    assert recipe() == recipe("sprint")
    assert recipe(recipe("run")) == recipe("run")


def test_run_and_long_are_a_sprint_on_a_larger_budget():
    sprint, run, long = (recipe(name) for name in ("sprint", "run", "long"))
    assert (sprint.samples, run.samples, long.samples) == (65_536, 4 * 65_536, 16 * 65_536)
    assert set(differences(run, sprint)) == {"samples", "evaluations"}
    assert not long.flip  # a thing's side may be its class


def test_published_training_of_convnext():
    found = values(recipe("imagenet_convnext"))
    published = {
        "epochs": 300, "warmup_epochs": 20, "batch": 4096, "image_size": 224, "optimizer": "adamw", "learning_rate": 4e-3,
        "learning_rate_batch": 0, "momentum": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.05, "layer_decay": 1,
        "schedule": "cosine", "final_learning_rate": 1e-6, "label_smoothing": 0.1, "mixup": 0.8, "cutmix": 1.0,
        "mix_probability": 1.0, "mix_switch_probability": 0.5, "random_augment": "rand-m9-mstd0.5-inc1",
        "random_erasing": 0.25, "interpolation": "bicubic", "clip_norm": 0, "ema": 0.9999, "crop": "resized", "flip": True,
        "evaluation_crop": 0.875, "dtype": "float32", "shrink": "never", "samples": 0, "drop_path": -1, "layer_scale": 0,
    }  # fmt: skip
    assert {name: found[name] for name in published} == published


def test_published_fine_tuning_of_convnext():
    fine_tuning = recipe("convnext_finetune")
    published = {
        "learning_rate": 5e-5, "weight_decay": 1e-8, "batch": 512, "epochs": 30, "warmup_epochs": 0, "mixup": 0, "cutmix": 0,
        "layer_decay": 0.8, "layer_decay_groups": "twelve", "head_scale": 0.001, "ema": 0, "image_size": 384, "evaluation_crop": 1,
    }  # fmt: skip
    kept = {
        "label_smoothing": 0.1,
        "random_erasing": 0.25,
        "random_augment": "rand-m9-mstd0.5-inc1",
        "optimizer": "adamw",
    }
    assert {name: values(fine_tuning)[name] for name in published | kept} == published | kept
    changes = set(differences(fine_tuning, recipe("imagenet_convnext")))
    assert changes == {*published, "evaluations"}
    second = recipe("convnextv2_finetune")
    assert second.peak_learning_rate == pytest.approx(8e-4 * 1024 / 256)
    assert (second.layer_decay, second.layer_decay_groups, second.epochs, second.warmup_epochs) == (
        0.9,
        "block",
        300,
        40,
    )


def test_rates_and_shares_that_follow():
    assert changed(Recipe(), {"learning_rate_batch": 256, "batch": 512, "learning_rate": 0.1}).peak_learning_rate == 0.2
    assert changed(Recipe(), {"epochs": 10, "warmup_epochs": 1}).warmup_share == 0.1
    assert changed(Recipe(), {"warmup": 0.25}).warmup_share == 0.25


def test_what_is_said_last_counts():
    sprint = recipe("sprint")
    assert (changed(sprint, {"epochs": 2}).samples, changed(sprint, {"epochs": 2}).epochs) == (0, 2.0)
    assert recipe("sprint", sets=["epochs=2"]) == changed(sprint, {"epochs": 2})
    assert changed(sprint, {"epochs": 2, "samples": 100}).samples == 100
    published = recipe("imagenet_convnext")
    assert changed(published, {"warmup": 0.1}).warmup_share == 0.1
    assert changed(changed(published, {"warmup": 0.1}), {"samples": 1000}).warmup_share == 0.1
    assert recipe("sprint", sets="batch=64").batch == 64


def test_a_file_on_a_base(tmp_path):
    (tmp_path / "mine.toml").write_text('base = "sprint"\nlearning_rate = 0.1\n')
    (tmp_path / "again.toml").write_text('base = "mine.toml"\nbatch = 64\n')
    found = recipe(tmp_path / "again.toml")
    assert found.name == "again"
    assert found.summary == ""
    wanted = changed(recipe("sprint"), {"learning_rate": 0.1, "batch": 64, "summary": ""})
    assert found == wanted
    assert found.digest == wanted.digest


def test_every_mistake_is_told_at_its_place(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('base = "sprint"\nepoch = 2\nlearning_rate = "0.1"\noptimizer = "adam"\nbatch = 0\n')
    told = problems_of(recipe, path)
    assert [(problem.code, problem.place.line, problem.place.column) for problem in told] == [
        ("unknown-key", 2, 1),
        ("wrong-type", 3, 17),
        ("out-of-range", 4, 13),
        ("out-of-range", 5, 9),
    ]
    assert told[0].label == 'did you mean "epochs"?'
    assert told[1].label == "write 0.1"
    assert told[2].label == 'did you mean "adamw"?'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('base = "imagenet_convnext"\nepochs = 2\n', 2, "the warm-up takes 20 epochs of 2"),
        ('base = "imagenet_convnext"\nsamples = 2000\n', 2, "the budget is in samples"),
        ("batch = 10\naccumulation = 4\n", 2, "10 images is not cut into 4"),
        ("\naccumulation = 4\nbatch = 10\n", 2, "10 images is not cut into 4"),
        ("drop_path = -0.5\n", 1, "no rate"),
        ("final_learning_rate = 0.1\n", 1, "above its highest"),
        ('\nrandom_augment = "lots"\n', 2, 'cannot be "lots"'),
        ('base = "sprit"\n', 1, 'no recipe "sprit"'),
        ("base = 3\n", 1, "not 3"),
        ('base = "missing.toml"\n', 1, "there is no file"),
    ],
)
def test_what_does_not_fit_together(tmp_path, text, line, words):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    (problem,) = problems_of(recipe, path)
    assert words in problem.message
    assert problem.place.line == line
    assert problem.help


def test_a_base_in_a_circle(tmp_path):
    (tmp_path / "one.toml").write_text('base = "two.toml"\n')
    (tmp_path / "two.toml").write_text('base = "one.toml"\n')
    (problem,) = problems_of(recipe, tmp_path / "one.toml")
    assert problem.code == "base-cycle"
    assert problem.place.file.endswith("two.toml")


@pytest.mark.parametrize(
    ("argument", "code", "column"),
    [
        ("epoch=3", "unknown-key", 1),
        ("epochs", "bad-set", 1),
        ("batch=0", "out-of-range", 7),
        ("a.b=1", "unknown-key", 1),
    ],
)
def test_arguments_of_the_command_line(argument, code, column):
    (problem,) = problems_of(recipe, "sprint", sets=[argument])
    assert (problem.code, problem.place.file, problem.place.line, problem.place.column) == (
        code,
        "--recipe-set",
        1,
        column,
    )


def test_unknown_names():
    (problem,) = problems_of(recipe, "sprnt")
    assert (problem.code, problem.label) == ("unknown-recipe", 'did you mean "sprint"?')
    assert problems_of(recipe, "missing.toml")[0].code == "unreadable-file"
    assert problems_of(changed, Recipe(), {"epoch": 1})[0].path == "epoch"
    assert problems_of(recipe, "a\0b")[0].code == "unknown-recipe"
