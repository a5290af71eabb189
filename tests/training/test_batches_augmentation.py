"""What is drawn for an image: every value of a crop, a flip and an erased box, against the laws that they are taken from."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms import RandomResizedCrop

from convlab.training.batches.augmentation import Draws, reflected
from convlab.training.batches.erasing import erase

MANY = np.arange(4000)


@given(st.integers(1, 9), st.integers(0, 30))
def test_reflection_is_numpys(size, border):
    expected = np.pad(np.arange(size), border, mode="reflect") if size > 1 else np.zeros(1 + 2 * border, int)
    assert reflected(np.arange(-border, size + border), size).tolist() == expected.tolist()


def test_every_move_comes_and_none_goes_too_far():
    down, right = Draws(1, 2).moves(MANY, 3)
    assert set(down.tolist()) == set(right.tolist()) == set(range(-3, 4))
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.05


def test_every_second_image_is_mirrored():
    flips = Draws(1, 2).flips(MANY)
    assert abs(flips.mean() - 0.5) < 0.03
    assert flips.tolist() != Draws(1, 3).flips(MANY).tolist()
    assert flips.tolist() != Draws(2, 2).flips(MANY).tolist()


def test_what_is_drawn_for_an_image_does_not_depend_on_its_company():
    some = np.array([5, 3999, 17])
    draws = Draws(8, 4)
    for everyone, few in (
        (draws.moves(MANY, 2), draws.moves(some, 2)),
        ((draws.flips(MANY),), (draws.flips(some),)),
        (draws.crops(MANY, 30, 40, 0.1), draws.crops(some, 30, 40, 0.1)),
        (draws.erased(MANY, 30, 40, 0.5), draws.erased(some, 30, 40, 0.5)),
    ):
        for one, other in zip(everyone, few, strict=True):
            assert one[some].tolist() == other.tolist()


@pytest.mark.parametrize(("height", "width"), [(60, 80), (200, 40), (33, 33)])
def test_crops_are_distributed_as_torchvisions(height, width):
    found = np.array(Draws(0, 0).crops(MANY, height, width, 0.08))
    image = torch.zeros(1, height, width)
    torch.manual_seed(0)
    theirs = np.array([RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in MANY]).T
    top, left, tall, wide = found
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + tall <= height).all()
    assert (left + wide <= width).all()
    for ours, their in zip(found, theirs, strict=True):
        largest = max(ours.max(), their.max()) + 1
        distance = np.abs(np.cumsum(np.bincount(ours, minlength=largest) - np.bincount(their, minlength=largest))).max()
        assert distance / len(MANY) < 0.044  # Kolmogorov and Smirnov's, one in a thousand


def test_an_image_too_narrow_for_any_crop_gives_its_centre():
    boxes = Draws(0, 0).crops(MANY[:50], 400, 10, 1.0)
    assert {tuple(map(int, box)) for box in zip(*boxes, strict=True)} == {(193, 0, 13, 10)}


def test_erased_boxes_keep_their_area_and_lie_inside():
    boxes = Draws(0, 0).erased(MANY, 40, 50, 0.25)
    chosen = boxes.height > 0
    assert abs(chosen.mean() - 0.25) < 0.03
    area = (boxes.height * boxes.width)[chosen] / 2000
    assert area.min() > 0.01
    assert area.max() < 0.36
    assert ((boxes.top + boxes.height) <= 40)[chosen].all()
    assert ((boxes.left + boxes.width) <= 50)[chosen].all()


def test_erased_pixels_are_noise_and_others_stay():
    before = torch.full((400, 3, 16, 20), 7.0).contiguous(memory_format=torch.channels_last)
    numbers = np.arange(400)
    found = erase(before.clone(memory_format=torch.preserve_format), numbers, Draws(3, 1), probability=0.5)
    boxes = Draws(3, 1).erased(numbers, 16, 20, 0.5)
    noise = []
    for image, top, left, height, width in zip(found, *map(np.ndarray.tolist, boxes), strict=True):
        box = image[:, top : top + height, left : left + width]
        noise.append(box.flatten())
        box_free = image.clone()
        box_free[:, top : top + height, left : left + width] = 7.0
        assert (box_free == 7.0).all()
        assert (box != 7.0).all()
    noise = torch.cat(noise)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    assert abs((noise**4).mean() - 3) < 0.15
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_noise_of_a_share_is_that_share_of_the_noise():
    images = torch.zeros(40, 1, 8, 8)
    whole = erase(images.clone(), np.arange(40), Draws(3, 1), probability=0.9)
    part = erase(images[13:29].clone(), np.arange(13, 29), Draws(3, 1), probability=0.9)
    assert torch.equal(whole[13:29], part)
    assert not torch.equal(whole, erase(images.clone(), np.arange(40), Draws(3, 2), probability=0.9))
