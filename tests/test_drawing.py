"""Drawing: every order equally likely, every index once, and the same from run to run and machine to machine."""

import hashlib
from collections import Counter
from itertools import islice, permutations

import pytest

from convlab.spaces import drawing
from convlab.spaces.drawing import SMALL, draw

GOLDEN = {
    (12, 0): "43abc00727fc9e1e",
    (12, 20201): "d68d455282e7f15a",
    (20736, 0): "f8a92c2880c44bb0",
    (20736, 20201): "66ccdc91fc7a02be",
    (100000, 0): "8498e39a448883e0",
    (100000, 20201): "ed78c2a10f0d9fb2",
    (100001, 0): "e5d154b5e0b121c6",
    (100001, 20201): "a3acf9219e987672",
    (2**40, 0): "5425b0dbd25de0ad",
    (2**40, 20201): "3ab600863eabff4a",
    ((16 * 128 * 3 * 6) ** 4, 0): "d4f460fb4fb9f2aa",
    ((16 * 128 * 3 * 6) ** 4, 20201): "7b9d5d69eb4b5a4c",
    (2**64 + 1, 0): "b123d6baea76a1e7",
    (2**64 + 1, 20201): "4d95a13fa5fb2a3f",
    (10**600, 0): "cd66a23960e7e3c5",
    (10**600, 20201): "e4742e504752b647",
}
"""The sha256 of the first 1,000 indices, by size and seed: they never change, or every sample that was ever published does."""


def first(size, seed, count=1000):
    return list(islice(draw(size, seed), count))


def assert_uniform(counts, cells, limit):
    """A chi-square test; ``limit`` is its 99.9th percentile for one cell less than there are. Seeds are fixed: no luck is involved."""
    total = sum(counts.values())
    assert len(counts) <= cells
    statistic = sum((counts[cell] - total / cells) ** 2 for cell in counts) / (total / cells)
    statistic += (cells - len(counts)) * total / cells
    assert statistic < limit


@pytest.mark.parametrize(("size", "seed"), GOLDEN)
def test_the_same_indices_from_run_to_run(size, seed):
    text = ",".join(map(str, first(size, seed)))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == GOLDEN[size, seed]


def test_every_order_of_a_small_space_is_equally_likely():
    counts = Counter(tuple(draw(4, seed)) for seed in range(6000))
    assert set(counts) == set(permutations(range(4)))
    assert_uniform(counts, 24, 49.7)


def test_the_first_of_a_small_space_is_uniform():
    assert_uniform(Counter(next(draw(10, seed)) for seed in range(5000)), 10, 27.9)
    assert_uniform(Counter(first(10, seed, 7)[-1] for seed in range(5000)), 10, 27.9)


@pytest.mark.parametrize("size", [SMALL + 1, 3 * 2**20, 2**64 - 1, 2**64, 2**64 + 1, 10**30, 10**600])
def test_indices_of_a_large_space_are_uniform(size):
    drawn = [index for seed in (0, 1, -7) for index in first(size, seed, 3000)]
    assert all(0 <= index < size for index in drawn)
    assert_uniform(Counter(index * 16 // size for index in drawn), 16, 37.7)
    assert_uniform(Counter(index % 8 for index in drawn), 8, 24.3)


@pytest.mark.parametrize("size", [0, 1, 2, 7, 1000])
def test_small_spaces_are_drawn_out(size):
    assert sorted(draw(size, 3)) == list(range(size))


@pytest.mark.parametrize("size", [5, 8, 9, 255, 256, 257, 1000])
def test_large_spaces_are_drawn_out_too(size, monkeypatch):
    monkeypatch.setattr(drawing, "SMALL", 4)
    indices = list(draw(size, 3))
    assert sorted(indices) == list(range(size))


def test_every_order_is_equally_likely_where_indices_are_drawn_one_by_one(monkeypatch):
    monkeypatch.setattr(drawing, "SMALL", 2)
    assert_uniform(Counter(tuple(draw(4, seed)) for seed in range(6000)), 24, 49.7)


def test_seeds_differ():
    for size in (1000, 10**6, 10**30):
        assert len({tuple(first(size, seed, 20)) for seed in (0, 1, 2, -1, 10, 10**40)}) == 6


@pytest.mark.parametrize("size", [1000, 10**6, 2**70])
def test_a_short_draw_is_the_beginning_of_a_long_one(size):
    assert first(size, 5, 17) == first(size, 5, 500)[:17]
    assert len(set(first(size, 5, 500))) == 500
