"""Batches that worker processes prepare: the same images as without any, errors that name the picture, and nothing left behind."""

import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
import torchvision.transforms.functional as TF
from noise_sets import file_set, noise_set
from painted_pictures import Painted, painted
from timm.data import auto_augment
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

from convlab.errors import ConvlabError
from convlab.training.batches.augmentation import POLICY, Draws
from convlab.training.batches.batches import Batches, refuse_unfit
from convlab.training.batches.preparation import Pixels, Preparation
from convlab.training.recipes.recipe import Recipe

AUGMENTED = {"crop": "resized", "flip": True, "mixup": 0.5, "random_erasing": 0.3}
PATIENCE_S = 30


def children():
    return psutil.Process().children(recursive=True)


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("convlab-pictures")]


def test_any_number_of_workers_gives_the_same_images():
    dataset = file_set(Painted(50))
    recipe = Recipe(batch=16, epochs=2, **AUGMENTED)
    alone = Batches(dataset, recipe, seed=4, workers=0)
    with Batches(dataset, recipe, seed=4, workers=2) as streamed:
        for step in (0, 1, 2, 5, 1):  # ahead and back again
            one, other = alone.at(step), streamed.at(step)
            assert torch.equal(one.images, other.images)
            assert torch.equal(one.targets, other.targets)
        for one, other in zip(alone.evaluation(dataset.test), streamed.evaluation(dataset.test), strict=True):
            assert torch.equal(one.images, other.images)
        assert torch.equal(torch.cat([piece.images for piece in streamed.pieces(3, 5)]), alone.at(3).images)
        assert len(children()) == 2
    assert not children()
    assert not threads()


@pytest.mark.parametrize("options", [{"crop": "pad", "flip": True}, AUGMENTED])
def test_shares_of_processes_are_the_batch_of_one(options):
    dataset, recipe = file_set(Painted(30)), Recipe(batch=15, **options)
    alone = Batches(dataset, recipe, seed=4, workers=0)
    shares = [Batches(dataset, recipe, seed=4, workers=0, rank=rank, world=3) for rank in range(3)]
    for step in range(2):
        assert torch.equal(torch.cat([share.at(step).images for share in shares]), alone.at(step).images)


def test_pictures_in_memory_are_augmented_as_from_the_disk_and_as_on_the_device():
    dataset = noise_set(20)
    plain = Recipe(batch=20, crop="pad", flip=True)
    pixels = Pixels(dataset.train.images.permute(0, 2, 3, 1).numpy())
    preparation = Preparation(12, 12, 3, dataset.mean, crop="pad", crop_padding=4, flip=True)
    order = Batches(dataset, plain, seed=3)._order.images(0).tolist()
    prepared = np.stack([preparation.prepared(pixels, 0, image) for image in order])
    assert torch.equal(torch.from_numpy(prepared), Batches(dataset, plain, seed=3)._source.training(0, 0, 20))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("words", ["rand-m9-mstd0.5-inc1", "augmix-m3-w2", "original-mstd0.5"])
def test_policies_are_timms_with_a_seed_for_each_image(words, channels):
    dataset = noise_set(20, channels)
    batches = Batches(dataset, Recipe(batch=20, random_augment=words), seed=3, workers=0)
    random.seed(1)
    np.random.seed(1)
    found = batches._source.training(0, 0, 20)
    assert (random.random(), np.random.rand()) == (random.Random(1).random(), np.random.RandomState(1).rand())
    colour = tuple(round(255 * value) for value in (dataset.mean * 3)[:3])
    options = {"translate_const": int(12 * 0.45), "img_mean": colour, "interpolation": 3}
    makers = {"rand": auto_augment.rand_augment_transform, "orig": auto_augment.auto_augment_transform}
    if words.startswith("augmix"):
        options["translate_pct"] = 0.3
    policy = makers.get(words[:4], auto_augment.augment_and_mix_transform)(words, options)
    compared = 0
    for number, image in zip(batches._order.images(0), found, strict=True):
        key = int(Draws(3, 0).seeds(POLICY, np.array([number]))[0])
        random.seed(key)
        np.random.seed(key & 0xFFFFFFFF)
        picture = TF.to_pil_image(dataset.train.images[number])
        try:
            expected = policy(picture.convert("RGB")).convert(picture.mode)
        except ValueError:  # timm asks Pillow 13 for a posterisation to no bits at all
            continue
        compared += 1
        assert torch.equal(TF.pil_to_tensor(expected).permute(1, 2, 0), image)
    assert compared > 10


def test_posterisation_to_no_bits_is_black():
    dataset = noise_set(60)
    batches = Batches(dataset, Recipe(batch=60, random_augment="rand-m10-n1-p1-inc1"), seed=0, workers=0)
    images = batches._source.training(0, 0, 60)
    black = [image for image in images if not image.any()]
    assert black


@pytest.mark.slow
def test_policies_are_the_same_in_any_number_of_workers():
    recipe = Recipe(batch=10, random_augment="rand-m9-mstd0.5-inc1", flip=True, crop="pad")
    alone = Batches(noise_set(20, 1), recipe, seed=3, workers=0)
    with Batches(noise_set(20, 1), recipe, seed=3, workers=1) as streamed:
        assert torch.equal(alone.at(1).images, streamed.at(1).images)


def test_words_that_timm_does_not_know_are_refused_at_once():
    with pytest.raises(ConvlabError, match='timm knows no augmentation "shiny-m9"') as caught:
        Batches(noise_set(), Recipe(batch=10, random_augment="shiny-m9"), seed=0)
    assert caught.value.problems[0].path == "random_augment"
    with pytest.raises(ConvlabError, match='timm knows no augmentation "shiny-m9"'):
        refuse_unfit(noise_set(), Recipe(batch=10, random_augment="shiny-m9"))


@pytest.mark.parametrize(("size", "crop"), [(16, 0.875), (16, 1.0), (30, 0.5)])
@pytest.mark.parametrize("kind", ["bicubic", "bilinear", "nearest"])
def test_pictures_are_judged_as_torchvision_cuts_them(size, crop, kind):
    preparation = Preparation(size, size, 0, (0.5,) * 3, interpolation=kind, evaluation_crop=crop)
    theirs = Compose([Resize(int(size / crop), InterpolationMode(kind)), CenterCrop(size)])
    for number in range(12):
        assert preparation.judged(painted(number)).tobytes() == theirs(painted(number)).tobytes()


def test_from_384_px_on_whole_pictures_are_judged():
    picture = painted(6)
    assert picture.width != picture.height
    found = Preparation(384, 384, 0, (0.5,) * 3, evaluation_crop=1.0).judged(picture)
    assert found.tobytes() == picture.resize((384, 384), 3).tobytes()


def test_crops_are_torchvisions_of_the_box_that_is_drawn():
    dataset = file_set(Painted(20))
    batches = Batches(dataset, Recipe(batch=20, crop="resized", flip=True), seed=3, workers=0)
    draws = Draws(3, 0)
    for number, image in zip(batches._order.images(0), batches._source.training(0, 0, 20), strict=True):
        picture, which = painted(number), np.array([number])
        box = [int(side[0]) for side in draws.crops(which, picture.height, picture.width, 0.08)]
        expected = TF.resized_crop(picture, *box, [16, 16], InterpolationMode.BICUBIC)
        expected = TF.hflip(expected) if draws.flips(which)[0] else expected
        assert torch.equal(TF.pil_to_tensor(expected).permute(1, 2, 0), image)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_picture_is_named(workers):
    with (
        Batches(file_set(Painted(8, broken=5)), Recipe(batch=8), seed=0, workers=workers) as batches,
        pytest.raises(ConvlabError, match=r'"5\.png" cannot be read') as caught,
    ):
        batches.at(0)
    assert caught.value.problems[0].path == "folder/5.png"
    assert not children()


def test_a_worker_that_dies_names_its_picture():
    with (
        Batches(file_set(Painted(8, deadly=5)), Recipe(batch=8), seed=0, workers=1) as batches,
        pytest.raises(ConvlabError, match=r'ended by signal SIGABRT while it read "5\.png"') as caught,
    ):
        batches.at(0)
    assert caught.value.problems[0].path == "folder/5.png"
    assert not children()
    assert not threads()


def test_stopping_early_leaves_nothing_behind():
    dataset = file_set(Painted(400))
    batches = Batches(dataset, Recipe(batch=8), seed=0, workers=2)
    batches.at(0)
    judging = batches.evaluation(dataset.test)
    next(judging)
    assert len(children()) == 2
    del batches, judging
    gc.collect()
    assert not children()
    assert not threads()


def test_workers_start_again_after_close():
    """What was begun ahead when they ended is begun anew."""
    dataset, recipe = file_set(Painted(40)), Recipe(batch=8, epochs=2)
    alone, batches = (Batches(dataset, recipe, seed=0, workers=workers) for workers in (0, 1))
    batches.at(0)
    assert batches._source._ahead
    batches.close()
    batches.close()
    assert not batches._source._ahead
    assert not children()
    for step in range(4):
        assert torch.equal(batches.at(step).images, alone.at(step).images)
    batches.close()


def test_a_worker_that_died_is_replaced():
    with Batches(file_set(Painted(8, deadly=5)), Recipe(batch=1), seed=0, workers=1) as batches:
        deadly = next(step for step in range(8) if batches._order.images(step) == 5)
        with pytest.raises(ConvlabError, match=r'it read "5\.png"'):
            batches.at(deadly)
        others = [step for step in range(8) if step != deadly]
        assert [len(batches.at(step).images) for step in others] == [1] * 7


def test_ctrl_c_ends_processes_and_threads():
    main = threading.main_thread().ident
    pressed = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    pressed.start()
    dataset = file_set(Painted(8, slow=5))
    with pytest.raises(KeyboardInterrupt), Batches(dataset, Recipe(batch=8), seed=0, workers=2) as batches:
        batches.at(0)
    pressed.join()
    assert not batches._source._ahead
    assert not children()
    assert not threads()


@pytest.mark.slow
def test_workers_end_with_a_process_that_is_killed():
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from noise_sets import file_set\n"
        "from painted_pictures import Painted\n"
        "from convlab.training.batches.batches import Batches\n"
        "from convlab.training.recipes.recipe import Recipe\n"
        "batches = Batches(file_set(Painted(400)), Recipe(batch=8), seed=0, workers=2)\n"
        "batches.at(0); print('ready', flush=True); sys.stdin.read()\n"
    )
    asked = [sys.executable, "-c", script, str(Path(__file__).parent)]
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"ready\n"
        workers = psutil.Process(parent.pid).children()
        assert len(workers) == 2
        os.kill(parent.pid, signal.SIGKILL)
    limit = time.monotonic() + PATIENCE_S
    while any(psutil.pid_exists(worker.pid) and worker.status() != psutil.STATUS_ZOMBIE for worker in workers):
        assert time.monotonic() < limit
        time.sleep(0.05)
