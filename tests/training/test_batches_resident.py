"""Batches of sets that lie on the device, against slow references, one image at a time."""

import hashlib
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as TF
from noise_sets import noise_set
from torch.utils._python_dispatch import TorchDispatchMode

from convlab.errors import ConvlabError
from convlab.training.batches.augmentation import Draws
from convlab.training.batches.batches import Batches
from convlab.training.recipes.recipe import Recipe

EVERYTHING = {"crop": "pad", "flip": True, "mixup": 0.8, "cutmix": 1.0, "random_erasing": 0.5}


def normalised(image, dataset):
    mean, std = (torch.tensor(values, dtype=torch.float64)[:, None, None] for values in (dataset.mean, dataset.std))
    return ((image.double() / 255 - mean) / std).float()


def reference(dataset, image, step_epoch, *, padding, flip):
    """A moved and mirrored image, by numpy's padding and torchvision's flip."""
    draws, number = Draws(5, step_epoch), np.array([image])
    down, right = (int(value[0]) for value in draws.moves(number, padding))
    padded = np.pad(
        dataset.train.images[image].numpy(), ((0, 0), (padding, padding), (padding, padding)), mode="reflect"
    )
    size = dataset.height
    cut = torch.from_numpy(padded)[:, padding + down :, padding + right :][:, :size, :size]
    return TF.hflip(cut) if flip and draws.flips(number)[0] else cut


@pytest.mark.parametrize(("channels", "padding", "flip"), [(1, 2, True), (3, 4, True), (3, 0, True), (2, 30, False)])
def test_images_are_moved_and_mirrored(channels, padding, flip):
    dataset = noise_set(40, channels)
    batches = Batches(dataset, Recipe(batch=16, epochs=3, crop="pad", crop_padding=padding, flip=flip), seed=5)
    assert batches.steps == 6
    for step in range(batches.steps):
        batch = batches.at(step)
        numbers = batches._order.images(step).tolist()
        assert batch.targets.tolist() == dataset.train.labels[numbers].tolist()
        for found, number in zip(batch.images, numbers, strict=True):
            expected = reference(dataset, number, step // 2, padding=padding, flip=flip)
            assert torch.allclose(found, normalised(expected, dataset), atol=1e-5)


def test_normalisation_is_exact():
    dataset = noise_set()
    batch = Batches(dataset, Recipe(batch=60), seed=1).at(0)
    order = Batches(dataset, Recipe(batch=60), seed=1)._order.images(0)
    mean, std = (
        torch.tensor(values).double().mul(255).float()[:, None, None] for values in (dataset.mean, dataset.std)
    )
    assert torch.equal(batch.images, (dataset.train.images[order.tolist()].float() - mean) / std)


def test_resized_crops_are_parts_of_the_image():
    dataset = noise_set(40, 3, size=16)
    ramp = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(40, 3, 16, 16).contiguous()
    dataset.train.images.copy_(ramp)
    recipe = Recipe(batch=40, crop="resized", flip=True, crop_least_area=0.3, interpolation="bilinear")
    batches = Batches(dataset, recipe, seed=2)
    numbers = batches._order.images(0)
    boxes, flips = Draws(2, 0).crops(numbers, 16, 16, 0.3), Draws(2, 0).flips(numbers)
    assert {True, False} == set(flips.tolist())
    pixels = batches._source.training(0, 0, 40).float()
    for image, flip, top, left, height, width in zip(pixels, flips, *boxes, strict=True):
        part = TF.resized_crop(ramp[0].float(), top, left, height, width, [16, 16], antialias=False)
        # torchvision looks at the cut part alone: at its edges it cannot know what is beside it.
        expected = (TF.hflip(part) if flip else part).permute(1, 2, 0)
        assert (image - expected).abs()[2:-2, 2:-2].max() <= 1


@pytest.mark.parametrize("mode", ["bicubic", "nearest"])
def test_a_resized_crop_of_everything_is_the_image(mode):
    dataset = noise_set(30, 1, size=16)
    whole = Batches(dataset, Recipe(batch=30, crop="resized", crop_least_area=1.0, interpolation=mode), seed=2)
    boxes = Draws(2, 0).crops(whole._order.images(0), 16, 16, 1.0)
    same = (boxes.height == 16) & (boxes.width == 16)
    assert same.any()
    plain = Batches(dataset, Recipe(batch=30), seed=2)
    assert torch.equal(whole.at(0).images[same], plain.at(0).images[same])


@pytest.mark.parametrize("world", [2, 4, 3])
@pytest.mark.parametrize("options", [{}, {"crop": "resized", "flip": True}, EVERYTHING])
def test_shares_of_processes_are_the_batch_of_one(world, options):
    recipe = Recipe(batch=12, epochs=2, **options)
    alone = Batches(noise_set(), recipe, seed=9)
    shares = [Batches(noise_set(), recipe, seed=9, rank=rank, world=world) for rank in range(world)]
    for step in (0, 3, 7):
        parts = [share.at(step) for share in shares]
        assert torch.equal(torch.cat([part.images for part in parts]), alone.at(step).images)
        assert torch.equal(torch.cat([part.targets for part in parts]), alone.at(step).targets)
        assert {len(part.images) for part in parts} == {12 // world}


@pytest.mark.parametrize("options", [{}, EVERYTHING])
@pytest.mark.parametrize("size", [1, 3, 5, 8, 99])
def test_micro_batches_are_the_batch(size, options):
    batches = Batches(noise_set(), Recipe(batch=15, **options), seed=9)
    pieces = list(batches.pieces(2, size))
    assert torch.equal(torch.cat([piece.images for piece in pieces]), batches.at(2).images)
    assert torch.equal(torch.cat([piece.targets for piece in pieces]), batches.at(2).targets)
    assert [len(piece.images) for piece in pieces[:-1]] == [size] * (len(pieces) - 1)


def test_an_uneven_share_is_refused():
    with pytest.raises(ConvlabError, match="cannot be shared out evenly to 5 processes") as caught:
        Batches(noise_set(), Recipe(batch=12), seed=0, rank=0, world=5)
    assert "such as 15" in str(caught.value)


@pytest.mark.parametrize(("channels", "last", "options"), [*product((1, 3), (True, False), ({}, EVERYTHING))])
def test_images_lie_in_the_memory_format_of_the_recipe(channels, last, options):
    batches = Batches(noise_set(channels=channels), Recipe(batch=8, channels_last=last, **options), seed=0)
    expected = torch.channels_last if last else torch.contiguous_format
    for batch in (batches.at(0), next(batches.evaluation(noise_set(channels=channels).test))):
        assert batch.images.dtype == torch.float32
        assert batch.images.is_contiguous(memory_format=expected)


def test_mixed_batches_have_probabilities():
    batch = Batches(noise_set(), Recipe(batch=8, mixup=0.8), seed=0).at(1)
    assert batch.targets.shape == (8, 5)
    assert torch.allclose(batch.targets.sum(1), torch.ones(8))


def test_evaluation_shows_every_image_once_in_order_as_it_is():
    dataset = noise_set(50)
    batches = Batches(dataset, Recipe(batch=16, **EVERYTHING), seed=0)
    found = list(batches.evaluation(dataset.validation))
    assert [len(batch.images) for batch in found] == [16, 16, 16, 2]
    assert torch.equal(torch.cat([batch.targets for batch in found]), dataset.validation.labels)
    images = torch.cat([batch.images for batch in found])
    assert torch.allclose(
        images, torch.stack([normalised(image, dataset) for image in dataset.validation.images]), atol=1e-5
    )
    assert [len(batch.images) for batch in batches.evaluation(dataset.test, size=30)] == [30, 20]


def digest():
    """What decides two batches far apart, as text."""
    batches = Batches(noise_set(), Recipe(batch=10, epochs=5, **EVERYTHING), seed=77)
    found = hashlib.sha256()
    for step in (0, 23):
        batch = batches.at(step)
        found.update(batch.images.contiguous().numpy().tobytes() + batch.targets.numpy().tobytes())
    return found.hexdigest()


@pytest.mark.slow
def test_another_process_makes_the_same_batches():
    command = "import sys; sys.path.insert(0, sys.argv[1]); import test_batches_resident as t; print(t.digest())"
    asked = [sys.executable, "-c", command, str(Path(__file__).parent)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == digest()


def test_batches_leave_the_global_generators_alone():
    batches = Batches(noise_set(), Recipe(batch=10, **EVERYTHING), seed=77)
    torch.manual_seed(3)
    np.random.seed(3)
    batches.at(4)
    assert torch.initial_seed() == 3
    assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(3)))
    assert np.random.rand() == np.random.RandomState(3).rand()


CHANGES = [{}, {"crop": "pad", "flip": True}, {"random_erasing": 0.9}, {"mixup": 1.0}, {"cutmix": 1.0}]


class Unhurried(TorchDispatchMode):
    """Fails at what has the host wait for a device: a copy to it that is not asynchronous, a look at its values."""

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        named = named or {}
        away = arguments and isinstance(arguments[0], torch.Tensor) and named.get("device", arguments[0].device)
        if function is torch.ops.aten._to_copy.default and away != arguments[0].device:
            assert named.get("non_blocking"), "the host waits for a copy"
        # An assignment by numbers waits too, on a GPU that has to be deterministic: they are looked at.
        assert function.name() not in {
            *("aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select"),
            *("aten::index_put_", "aten::_index_put_impl_", "aten::index_copy_"),
        }
        return function(*arguments, **named)


@pytest.mark.parametrize("options", CHANGES, ids=str)
def test_no_step_waits_for_the_device(options):
    """On a device without values, where every copy and look can be seen; a GPU tells the same below."""
    dataset = noise_set(size=16)
    batches = Batches(dataset, Recipe(batch=10, epochs=2, **options), seed=1, device="meta")
    with Unhurried():
        for step in range(batches.steps):
            assert batches.at(step).images.device.type == "meta"
        assert len(list(batches.evaluation(dataset.test))) == 6


@pytest.mark.gpu
@pytest.mark.parametrize("options", [*CHANGES, {"crop": "resized"}], ids=str)
def test_no_step_waits_for_the_gpu(options):
    dataset = noise_set(size=16)
    batches = Batches(dataset, Recipe(batch=10, epochs=2, **options), seed=1, device="cuda")
    batches.at(0)
    torch.use_deterministic_algorithms(True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(batches.steps):
            batches.at(step)
        for _ in batches.evaluation(dataset.test):
            pass
    finally:
        torch.cuda.set_sync_debug_mode("default")
        torch.use_deterministic_algorithms(False)


@pytest.mark.gpu
def test_a_gpu_sees_the_same_batches():
    recipe = Recipe(batch=10, epochs=2, **EVERYTHING)
    here, there = (Batches(noise_set(), recipe, seed=1, device=device) for device in ("cpu", "cuda"))
    for step in range(here.steps):
        one, other = here.at(step), there.at(step)
        assert other.images.is_cuda
        assert torch.allclose(one.images, other.images.cpu(), atol=1e-4)
        assert torch.allclose(one.targets, other.targets.cpu())
