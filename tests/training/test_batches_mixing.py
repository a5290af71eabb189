"""Mixup and CutMix are timm's: the same draws, the same images and the same targets, with neighbours as partners."""

import numpy as np
import pytest
import torch
from timm.data.mixup import Mixup

from convlab.training.batches.mixing import MIX, Mix, Mixing
from convlab.training.batches.order import mixed

KINDS = {
    "mixup": {"mixup": 0.8},
    "cutmix": {"cutmix": 1.0},
    "both": {"mixup": 0.8, "cutmix": 1.0},
    "seldom": {"mixup": 0.3, "cutmix": 0.5, "probability": 0.4, "switch_probability": 0.7},
}


def facing(count):
    """The order in which timm, which mixes the first image with the last, finds our neighbours facing each other."""
    return [*range(0, count, 2), *reversed(range(1, count, 2))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_mixed_as_timm_mixes_it(kind):
    mixing = Mixing(seed=11, classes=5, **KINDS[kind])
    theirs = Mixup(
        mixup_alpha=mixing.mixup,
        cutmix_alpha=mixing.cutmix,
        prob=mixing.probability,
        switch_prob=mixing.switch_probability,
        label_smoothing=0.0,
        num_classes=5,
    )
    order = facing(8)
    shares = set()
    for step in range(40):
        images, labels = torch.randn(8, 3, 9, 14), torch.randint(0, 5, (8,))
        np.random.seed(mixed(11, MIX, step) & 0xFFFFFFFF)
        expected, targets = theirs(images[order].clone(), labels[order])
        mix = mixing.drawn(step, 9, 14)
        shares.add(mix.share)
        assert torch.equal(mixing.images(images, mix)[order], expected)
        assert torch.equal(mixing.targets(labels, mix)[order], targets)
    assert len(shares) > 10


def test_smoothing_in_the_loss_is_timms_smoothing_of_targets():
    mixing = Mixing(seed=2, classes=5, mixup=0.8)
    theirs = Mixup(mixup_alpha=0.8, label_smoothing=0.1, num_classes=5)
    labels, scores, order = torch.randint(0, 5, (8,)), torch.randn(8, 5), facing(8)
    np.random.seed(mixed(2, MIX, 0) & 0xFFFFFFFF)
    _, targets = theirs(torch.zeros(8, 1, 2, 2), labels[order])
    expected = -(targets * scores[order].log_softmax(1)).sum(1).mean()
    found = torch.nn.functional.cross_entropy(
        scores, mixing.targets(labels, mixing.drawn(0, 2, 2)), label_smoothing=0.1
    )
    assert torch.allclose(found, expected)


def test_without_mixing_targets_are_the_labels():
    labels = torch.tensor([3, 1])
    mixing = Mixing(seed=0, classes=5)
    assert mixing.targets(labels, mixing.drawn(0, 8, 8)) is labels
    assert not Mixing(seed=0, classes=5, mixup=0.8, probability=0.0).blends


def test_the_last_of_an_odd_number_stays_as_it_is():
    images = torch.randn(5, 1, 4, 4)
    mixing = Mixing(seed=0, classes=5, mixup=1.0)
    mix = Mix(0.25)
    found = mixing.images(images.clone(), mix)
    assert torch.allclose(found[4], images[4])
    assert torch.allclose(found[2], 0.25 * images[2] + 0.75 * images[3])
    assert mixing.targets(torch.tensor([0, 1, 2, 3, 4]), mix)[4].tolist() == [0, 0, 0, 0, 1]


def test_drawing_leaves_the_global_generators_alone():
    np.random.seed(5)
    before = np.random.get_state()[1].tolist()
    Mixing(seed=0, classes=5, mixup=0.8, cutmix=1.0).drawn(3, 8, 8)
    assert np.random.get_state()[1].tolist() == before
