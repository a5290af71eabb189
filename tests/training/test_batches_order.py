"""The order of images is a permutation of each epoch that nothing but its seed decides."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from noise_sets import noise_set

from convlab.errors import ConvlabError
from convlab.training.batches.batches import Batches
from convlab.training.batches.order import Order, below, mixed, permutation, steps, uniforms, words
from convlab.training.recipes.recipe import Recipe

WORD = 2**64


def splitmix(state):
    """The next number of splitmix64, as it is published, in whole numbers of any size."""
    state = (state + 0x9E3779B97F4A7C15) % WORD
    word = state
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % WORD
    return state, word ^ (word >> 31)


def test_words_are_those_of_splitmix64():
    assert words(1234567, np.arange(1)).tolist() == [
        6457827717110365317
    ]  # the first word that its authors' code gives for this seed
    state, expected = 2**63 + 99, []
    for _ in range(50):
        state, word = splitmix(state)
        expected.append(word)
    assert words(2**63 + 99, np.arange(50)).tolist() == expected


@given(st.integers(0, 500), st.integers(0, 2**31), st.integers(0, 10_000))
def test_an_epoch_shows_every_image_once(count, seed, epoch):
    assert sorted(permutation(count, seed, epoch).tolist()) == list(range(count))


def test_the_order_is_that_of_an_independent_calculation():
    state, keys = mixed(7, 1, 3), []
    for _ in range(100):
        state, key = splitmix(state)
        keys.append(key)
    assert permutation(100, 7, 3).tolist() == sorted(range(100), key=keys.__getitem__)


def test_an_order_stays_what_it_was():
    assert permutation(10, 0, 0).tolist() == [6, 3, 1, 5, 4, 0, 8, 2, 7, 9]


def test_seeds_and_epochs_have_orders_of_their_own():
    orders = {tuple(permutation(50, seed, epoch).tolist()) for seed in range(20) for epoch in range(20)}
    assert len(orders) == 400


def test_every_image_is_as_likely_at_every_place():
    places = np.array([permutation(6, seed, epoch) for seed in range(100) for epoch in range(60)])
    counts = np.array([np.bincount(places[:, place], minlength=6) for place in range(6)])
    chi_squared = ((counts - 1000) ** 2 / 1000).sum()
    assert chi_squared < 52.6  # 25 degrees of freedom, one in a thousand


def test_numbers_are_uniform():
    found = uniforms(mixed(1, 2), np.arange(100_000))
    assert 0 <= found.min() < 1e-4
    assert 1 - 1e-4 < found.max() < 1
    assert abs(found.mean() - 0.5) < 0.005
    assert np.bincount(below(3, found)).tolist() == pytest.approx([33_333] * 3, rel=0.03)
    assert below(7, np.array([1 - 2**-53])).tolist() == [6]


def test_seeds_of_different_numbers_differ():
    assert len({mixed(*numbers) for numbers in [(0,), (1,), (0, 0), (0, 1), (1, 0), (-1,), (0, 0, 0)]}) == 7


def test_what_is_left_of_an_epoch_is_left_out():
    order = Order(10, 3, seed=5)
    assert order.steps_per_epoch == 3
    epochs = [np.concatenate([order.images(step) for step in range(3 * epoch, 3 * epoch + 3)]) for epoch in range(2)]
    for epoch, images in enumerate(epochs):
        assert len(set(images.tolist())) == 9
        assert order.epoch(3 * epoch) == order.epoch(3 * epoch + 2) == epoch
    assert epochs[0].tolist() != epochs[1].tolist()


@pytest.mark.parametrize(
    ("epochs", "samples", "expected"), [(1, 0, 6), (2.5, 0, 15), (0.01, 0, 1), (9, 100, 10), (1, 5, 1)]
)
def test_a_budget_is_whole_batches(epochs, samples, expected):
    assert steps(64, 10, epochs=epochs, samples=samples) == expected
    assert Batches(noise_set(64), Recipe(batch=10, epochs=epochs, samples=samples), seed=0).steps == expected


@pytest.mark.parametrize(("count", "batch"), [(5, 6), (0, 1)])
def test_a_batch_larger_than_the_set_is_refused(count, batch):
    with pytest.raises(ConvlabError) as caught:
        Batches(noise_set(count), Recipe(batch=batch), seed=0)
    assert caught.value.problems[0].path == "batch"
    assert f"larger than the training split, which has {count}" in str(caught.value)


def test_designs_of_one_seed_see_the_same_images():
    once, again = (Batches(noise_set(), Recipe(batch=8), seed=3) for _ in range(2))
    other = Batches(noise_set(), Recipe(batch=8), seed=4)
    assert torch.equal(once.at(9).images, again.at(9).images)
    assert not torch.equal(once.at(9).images, other.at(9).images)
