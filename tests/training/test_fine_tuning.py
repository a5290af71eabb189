"""Trainings that begin from weights: at full size, with a head for the data's classes, and better than from nothing."""

import dataclasses
import shutil

import pytest
import torch
from designs import design_of
from PIL import Image
from safetensors.torch import load_file, save_file

import convlab
from convlab.errors import ConvlabError
from convlab.models import build
from convlab.progress import finished
from convlab.training.comparing import train
from convlab.training.data.registry import dataset
from convlab.training.keeping.job import read_job
from convlab.training.optimization.groups import parameter_groups
from convlab.training.proxies.overrides import recipe_overrides
from convlab.training.proxies.shrinking import DataFacts, shrunk
from convlab.training.recipes.named import changed, recipe
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.fine_tuning import RECIPE, at_own_size, begin_from, classifier, unshrunk
from convlab.training.running.initializing import turned
from convlab.training.running.loop import train_one

TINY = {"depths": [1, 2], "widths": [8, 16], "image": {"size": 16}, "stem": {"kind": "patchify", "patch_size": 2}}


def tiny(classes, **table):
    return design_of({**TINY, "head": {"classes": classes}, **table})


def test_weights_of_the_same_classes_are_taken_whole():
    parent, child = build(tiny(5), seed=0), build(tiny(5), seed=1)
    start = begin_from(child, parent.state_dict(), head_scale=0.001)
    assert not start.new_head
    for (name, ours), theirs in zip(child.state_dict().items(), parent.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs), name
    assert "the classifier's weights are the checkpoint's" in start.note


def test_another_number_of_classes_has_a_new_classifier_scaled_as_published():
    parent, child, fresh = build(tiny(5), seed=0), build(tiny(3), seed=1), build(tiny(3), seed=1)
    start = begin_from(child, parent.state_dict(), head_scale=recipe(RECIPE).head_scale)
    assert start.new_head
    assert "the classifier is new" in start.note
    drawn = classifier(fresh)
    assert set(classifier(child)) == {"head.fc.weight", "head.fc.bias"} == set(drawn)
    for name, tensor in classifier(child).items():
        assert torch.equal(tensor, drawn[name] * 0.001), name
    for name, tensor in child.state_dict().items():
        if name not in drawn:
            assert torch.equal(tensor, parent.state_dict()[name]), name


def test_weights_without_a_classifier_begin_a_network_with_one():
    features = build(tiny(0), seed=0)
    child = build(tiny(3), seed=1)
    assert begin_from(child, features.state_dict()).new_head
    assert torch.equal(child.state_dict()["stem.0.weight"], features.state_dict()["stem.0.weight"])


def test_weights_of_another_network_are_refused_and_change_nothing():
    child = build(tiny(3), seed=1)
    before = {name: tensor.clone() for name, tensor in child.state_dict().items()}
    with pytest.raises(ConvlabError) as error:
        begin_from(child, build(tiny(5, widths=[8, 24])).state_dict())
    assert {problem.code for problem in error.value.problems} == {"weights-do-not-fit"}
    for name, tensor in child.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_file_that_is_none_is_told_as_such(tmp_path):
    with pytest.raises(ConvlabError) as error:
        begin_from(build(tiny(3)), tmp_path / "missing.safetensors")
    assert {problem.code for problem in error.value.problems} == {"unreadable-file"}


def test_nothing_is_frozen():
    child = build(tiny(3), seed=1)
    begin_from(child, build(tiny(5)).state_dict())
    assert all(parameter.requires_grad for parameter in child.parameters())


def test_the_published_recipe_and_its_layer_decay():
    """Liu et al. (2022), table 6, and the groups of the authors' code: depths 3, 3, 27, 3 in twelve groups, and the head."""
    published = recipe(RECIPE)
    assert (published.learning_rate, published.weight_decay, published.batch, published.epochs) == (5e-5, 1e-8, 512, 30)
    assert (published.layer_decay, published.head_scale, published.mixup, published.cutmix) == (0.8, 0.001, 0, 0)
    design = convlab.load("convnext_s")
    model = build(design, device="meta", initialized=False)
    scales = {
        name: group["lr_scale"] for group in parameter_groups(model, published, design) for name in group["names"]
    }
    groups = {
        "stem.0.weight": 0,
        "stages.0.blocks.2.conv_dw.weight": 1,
        "stages.1.downsample.1.weight": 2,
        "stages.1.blocks.0.conv_dw.weight": 2,
        "stages.2.downsample.1.weight": 3,
        "stages.2.blocks.2.mlp.fc1.weight": 3,
        "stages.2.blocks.3.mlp.fc1.weight": 4,
        "stages.2.blocks.26.gamma": 11,
        "stages.3.downsample.0.weight": 12,
        "stages.3.blocks.2.norm.bias": 12,
        "head.norm.weight": 13,
        "head.fc.weight": 13,
    }
    assert {name: scales[name] for name in groups} == pytest.approx(
        {name: 0.8 ** (13 - id) for name, id in groups.items()}
    )


def test_designs_keep_their_size():
    design = convlab.load("convnext_t")
    found = shrunk(design, DataFacts(7, 3, 64, 64), recipe=unshrunk(recipe("sprint"))).design
    assert (found.depths, found.widths, found.stem) == (design.depths, design.widths, design.stem)
    assert found.head.classes == 7


def test_first_values_of_loaded_weights_are_theirs_and_not_told_as_changed():
    design, sprint = convlab.load("convnext_t"), recipe("sprint")
    assert {each.path for each in recipe_overrides(design, sprint)} >= {"block.layer_scale", "recipe.dirac_depthwise"}
    assert {each.path for each in recipe_overrides(design, sprint, loaded=True)} == {"drop_path"}
    assert convlab.turn(turned(design, sprint, loaded=True), "drop_path", design.drop_path) == design


@pytest.fixture
def pictures(tmp_path):
    """An ImageFolder of three patterns of stripes, moved at random, that noise half hides: too much for a few steps from nothing."""
    generator = torch.Generator().manual_seed(0)
    lines = torch.arange(16)
    patterns = {
        "across": (lines[:, None] // 2 % 2).expand(16, 16),
        "down": (lines[None, :] // 2 % 2).expand(16, 16),
        "checks": (lines[:, None] // 2 + lines[None, :] // 2) % 2,
    }
    for split, count in (("train", 32), ("val", 16), ("test", 16)):
        for name, pattern in patterns.items():
            folder = tmp_path / "pictures" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                noise = torch.rand(16, 16, 3, generator=generator)
                moved = pattern.roll(torch.randint(4, (2,), generator=generator).tolist(), (0, 1))
                pixels = (170 * noise + 80 * moved[..., None]).to(torch.uint8)
                Image.fromarray(pixels.numpy()).save(folder / f"{number}.png")
    return dataset(str(tmp_path / "pictures"))


def trained(classes, data, used, folder, weights=None):
    return finished(train_one(tiny(classes), data, used, seed=0, folder=folder, device="cpu", weights=weights))


@pytest.mark.slow
def test_fine_tuning_beats_training_from_nothing(pictures, tmp_path):
    long = Recipe(batch=32, samples=32 * 60, learning_rate=2e-2, evaluations=1, shrink="never")
    learned = load_file(trained(3, pictures, long, tmp_path / "long").checkpoint / "model.safetensors")
    body = tmp_path / "body.safetensors"
    save_file({name: tensor for name, tensor in learned.items() if not name.startswith("head.fc")}, body)

    short = changed(long, {"samples": 32 * 10, "learning_rate": 1e-2})
    scratch = trained(3, pictures, short, tmp_path / "scratch")
    tuned = changed(short, {"layer_decay": 0.8, "head_scale": 0.001})
    found = trained(3, pictures, tuned, tmp_path / "tuned", weights=body)
    assert found.steps == scratch.steps == 10
    assert found.validation_loss < scratch.validation_loss - 0.2
    assert found.validation_accuracy > scratch.validation_accuracy
    assert found.design == turned(tiny(3), tuned)
    assert any("body.safetensors were loaded; the classifier is new" in note for note in found.notes)


def test_a_comparison_from_weights_is_of_full_size_and_resumes_from_them(pictures, tmp_path):
    file = tmp_path / "parent.safetensors"
    save_file(build(tiny(5), seed=0, channels_last=False).state_dict(), file)
    used = Recipe(batch=32, samples=32, learning_rate=1e-4, evaluations=1)
    options = {"data": pictures, "recipe": used, "device": "cpu", "folder": tmp_path / "job", "weights": file}
    steps = train([tiny(5)], **options)
    next(steps)
    steps.close()  # ended before its first step, as by SIGKILL
    job = read_job(tmp_path / "job")
    assert (job.weights, job.recipe.shrink) == (str(file), "never")
    shutil.rmtree(next((tmp_path / "job").glob("*-seed0")), ignore_errors=True)

    found = finished(train(resume=True, folder=tmp_path / "job", data=pictures, device="cpu"))
    (one,) = found.trained
    assert one.design.widths == (8, 16)
    assert any("parent.safetensors were loaded; the classifier is new" in note for note in one.notes)


def test_without_a_recipe_fine_tuning_is_the_published_one(pictures, tmp_path):
    file = tmp_path / "parent.safetensors"
    save_file(build(tiny(5), seed=0, channels_last=False).state_dict(), file)
    running = train([tiny(5)], data=pictures, device="cpu", folder=tmp_path / "job", weights=file)
    assert next(running).total == 30 * 96 / 8, "of 96 pictures no batch of 512 can be made"
    running.close()
    asked = read_job(tmp_path / "job").recipe
    assert asked == dataclasses.replace(unshrunk(recipe(RECIPE)), image_size=16), (
        "the design's: 384 px are for ImageNet's"
    )
    assert asked.batch == 512


@pytest.mark.parametrize(
    ("side", "data", "image_size"), [(8, "digits", 8), (8, "photos", 8), (224, "Digits", 224), (224, "photos", 384)]
)
def test_the_published_image_size_is_for_designs_and_pictures_like_imagenets(side, data, image_size):
    published = recipe(RECIPE)
    design = tiny(5, image={"size": side})
    assert at_own_size(changed(published, {"data": data}), [design]).image_size == image_size
    assert at_own_size(changed(published, {"data": data, "image_size": 96}), [design]).image_size == 96, "set by hand"
