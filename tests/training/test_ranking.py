"""Rankings of trainings: intervals that cover, tests that keep their promise, ties, correlations against brute force."""

import dataclasses
import math
import random
import statistics
from itertools import combinations

import numpy as np
import pytest

from convlab.measurement.statistics import T_QUANTILE
from convlab.training.verdicts.correlations import agreement, kendall, spearman
from convlab.training.verdicts.ranking import Score, ranked
from convlab.training.verdicts.student import expected_largest, quantile, two_sided
from convlab.training.verdicts.ties import holm, tied


def simulated(generator, effects, *, seeds=3, seed_deviation=0.05, deviation=0.01):
    """Trainings of designs with these true losses: every seed shifts all designs alike, and each training by itself."""
    shifts = [generator.gauss(0, seed_deviation) for _ in range(seeds)]
    return [
        Score(f"design {index}", seed, loss := 1 + effect + shift + generator.gauss(0, deviation), 1 - loss / 4)
        for index, effect in enumerate(effects)
        for seed, shift in enumerate(shifts)
    ]


def test_intervals_of_differences_cover_the_truth_in_95_of_100_comparisons():
    generator = random.Random(1)
    covered = total = 0
    for _ in range(800):
        found = ranked(simulated(generator, (0.0, 0.01)))
        pair = found.pairs[0]
        truth = -0.01 if pair.one == "design 0" else 0.01
        covered += pair.loss.low <= truth <= pair.loss.high
        total += 1
    assert 0.93 <= covered / total <= 0.97


def test_intervals_cover_also_where_seeds_are_missing():
    generator = random.Random(2)
    effects = (0.0, 0.01, 0.03)
    covered = total = 0
    for _ in range(500):
        scores = simulated(generator, effects, seeds=3)
        del scores[generator.randrange(len(scores))]
        for pair in ranked(scores).pairs:
            truth = effects[int(pair.one[-1])] - effects[int(pair.other[-1])]
            covered += pair.loss.low <= truth <= pair.loss.high
            total += 1
    assert 0.93 <= covered / total <= 0.97


def test_equal_designs_are_told_apart_in_5_of_100_tests():
    generator = random.Random(3)
    rejected = sum(ranked(simulated(generator, (0.0, 0.0), seeds=4)).pairs[0].p < 0.05 for _ in range(800))
    assert 0.03 <= rejected / 800 <= 0.07


def test_no_two_of_many_equal_designs_are_told_apart_in_95_of_100_rankings():
    generator = random.Random(4)
    wrong = sum(any(pair.differs for pair in ranked(simulated(generator, (0.0,) * 6)).pairs) for _ in range(200))
    assert wrong / 200 <= 0.06


@pytest.mark.parametrize("seed_deviation", [0.0, 0.05])
def test_intervals_of_means_cover_what_other_seeds_would_come_to(seed_deviation):
    generator = random.Random(12)
    covered = total = 0
    for _ in range(400):
        for place in ranked(simulated(generator, (0.0, 0.01, 0.02), seed_deviation=seed_deviation)).places:
            covered += place.loss.low <= 1 + 0.01 * int(place.name[-1]) <= place.loss.high
            total += 1
    assert 0.92 <= covered / total <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("count", [2, 4, 8])
@pytest.mark.parametrize("seed_deviation", [0.0, 0.05])
def test_intervals_and_tests_keep_their_promise_for_few_and_many(count, seeds, seed_deviation):
    generator = random.Random(100 * count + seeds)
    covered = of_means = rejected = wrong = rounds = 0
    while rounds < 800:
        found = ranked(simulated(generator, (0.0,) * count, seeds=seeds, seed_deviation=seed_deviation))
        covered += statistics.mean(pair.loss.low <= 0 <= pair.loss.high for pair in found.pairs)
        rejected += statistics.mean(pair.p < 0.05 for pair in found.pairs)
        wrong += any(pair.differs for pair in found.pairs)
        of_means += statistics.mean(place.loss.low <= 1 <= place.loss.high for place in found.places)
        rounds += 1
    assert 0.92 <= covered / rounds <= 0.98
    assert 0.03 <= rejected / rounds <= 0.07
    assert wrong / rounds <= 0.065
    # With two seeds nobody can tell how much of what varies is shared by all designs: the interval is too wide or, at worst, too narrow.
    assert (0.88 if seeds == 2 else 0.92) <= of_means / rounds


def test_pairing_by_seed_tells_designs_apart_that_means_alone_would_not():
    scores = simulated(random.Random(5), (0.0, 0.05), seeds=3, seed_deviation=0.3)
    losses = [[score.loss for score in scores if score.name == f"design {index}"] for index in range(2)]
    assert statistics.stdev(losses[0]) > 2 * 0.05
    found = ranked(scores)
    assert found.pairs[0].differs
    assert [place.name for place in found.places] == ["design 0", "design 1"]


def test_means_differences_and_deviation_are_those_of_the_textbook():
    losses = {"a": (1.0, 1.2, 1.1), "b": (1.1, 1.35, 1.2)}
    found = ranked([Score(name, seed, loss, 0.5) for name, row in losses.items() for seed, loss in enumerate(row)])
    differences = [b - a for a, b in zip(losses["a"], losses["b"], strict=True)]
    half = T_QUANTILE[2] * statistics.stdev(differences) / math.sqrt(3)
    pair = found.pairs[0]
    assert (pair.one, pair.other) == ("a", "b")
    assert pair.loss.mean == pytest.approx(-statistics.mean(differences))
    assert pair.loss.high - pair.loss.low == pytest.approx(2 * half, rel=1e-3)
    assert found.places[0].loss.mean == pytest.approx(1.1)
    assert found.loss_deviation == pytest.approx(statistics.stdev(differences) / math.sqrt(2))
    assert found.freedom == 2


def test_one_design_has_the_interval_of_its_seeds():
    found = ranked([Score("a", seed, loss, 0.5) for seed, loss in enumerate((1.0, 1.2, 1.1))])
    half = T_QUANTILE[2] * statistics.stdev((1.0, 1.2, 1.1)) / math.sqrt(3)
    assert found.places[0].loss.high == pytest.approx(1.1 + half, rel=1e-3)
    assert found.groups == (("a",),)
    assert found.pairs == ()


def test_one_seed_ranks_without_intervals_and_says_so():
    found = ranked([Score("a", 0, 1.0, 0.7), Score("b", 0, 1.1, 0.6), Score("c", 0, 1.0, 0.8), Score("d", 0, 2.0, 0.1)])
    assert [place.name for place in found.places] == ["c", "a", "b", "d"]
    assert all(math.isnan(place.loss.low) for place in found.places)
    assert found.groups == ()
    assert all(math.isnan(pair.p) and math.isnan(pair.adjusted_p) and not pair.differs for pair in found.pairs)
    assert math.isnan(found.optimism)
    assert found.notes == (
        "with one seed there are no intervals and no ties: a lead may be luck; train with --seeds 3 to tell",
    )


def test_ties_are_said_as_ties():
    found = ranked(simulated(random.Random(6), (0.0, 0.0001, 0.5, 0.5001), seeds=4))
    assert {frozenset(group) for group in found.groups} == {
        frozenset({"design 0", "design 1"}),
        frozenset({"design 2", "design 3"}),
    }
    assert sum("are tied: 4 seeds do not tell them apart" in note for note in found.notes) == 2
    assert found.pair("design 3", "design 0").differs
    assert found.pair("nobody", "design 0") is None


def test_what_has_no_result_has_no_place():
    scores = [Score("a", 0, 1.0, 0.5), Score("a", 1, 1.1, 0.5), Score("b", 0, math.nan, math.nan)]
    found = ranked(scores, unranked={"c": "it is a after shrinking"})
    assert [place.name for place in found.places] == ["a"]
    assert found.unranked == {"b": "no training of it came to a result", "c": "it is a after shrinking"}
    assert ranked([]).places == ()
    assert ranked(scores, unranked={"a": "another reason"}).places == ()


def test_a_design_that_diverged_with_a_seed_is_not_ranked_by_the_others():
    losses = {"a": (1.0, 1.1, 1.0), "b": (0.5, math.nan, 0.5), "c": (math.nan, math.nan, 0.4), "d": (1.2, 1.3, 1.4)}
    found = ranked(rows(losses))
    assert [place.name for place in found.places] == ["a", "d"]
    assert found.unranked == {
        "b": "it diverged with 1 of 3 seeds: the other 2 alone would flatter it",
        "c": "it diverged with 2 of 3 seeds: the other one alone would flatter it",
    }
    assert found == dataclasses.replace(ranked(rows({"a": losses["a"], "d": losses["d"]})), unranked=found.unranked)


def rows(losses):
    """Scores from losses by design and seed; None where a training has none."""
    return [
        Score(name, seed, loss, 1 - loss / 4)
        for name, some in losses.items()
        for seed, loss in enumerate(some)
        if loss is not None
    ]


APART = {"a": (1.0, 1.1, 1.2), "b": (2.0, 2.1, 2.21)}
ALIKE = {"a": (1.0, 1.1, 1.05), "b": (1.05, 1.08, 1.1)}
CHAIN = {"a": (1.0, 1.01, 1.03), "b": (1.02, 1.01, 1.05), "c": (1.05, 1.03, 1.06)}
BEST = "a is the best of 4, and the best of many is partly luck: if all were equally good, the best would on average still seem"


@pytest.mark.parametrize(
    ("losses", "groups", "sentences"),
    [
        ({"a": (1.0,)}, "", ["with one seed there is no interval: how much another seed would change is not known;"]),
        ({"a": (1.0, 1.1, 1.05)}, "a", []),
        ({"a": (1.0,), "b": (1.1,)}, "", ["with one seed there are no intervals and no ties: a lead may be luck;"]),
        (
            {"a": (1.0, 1.1), "b": (1.2, None)},
            "",
            ["too few results share a seed for intervals and ties", "b has results of only 1 of 2 seeds"],
        ),
        (APART, "a b", []),
        (ALIKE, "ab", ["a and b are tied: 3 seeds do not tell them apart"]),
        (
            ALIKE | {"c": (1.1, 1.06, 1.07), "d": (1.12, None, None), "e": (1.13, None, None)},
            "abcde",
            [
                "a, b, c, d and e are tied: 3 seeds do not tell them apart",
                BEST.replace("4", "5"),
                "d and e have results of only 1 of 3 seeds",
            ],
        ),
        (
            CHAIN,
            "ab bc",
            [
                "a and b are tied: 3 seeds do not tell them apart",
                "b and c are tied: 3 seeds do not tell them apart",
                "a tie does not carry over: b is tied with a and with c, though a is better than c",
            ],
        ),
    ],
)
def test_what_is_said_of_few_and_many_designs_and_seeds(losses, groups, sentences):
    found = ranked(rows(losses))
    assert " ".join(map("".join, found.groups)) == groups
    assert len(found.notes) == len(sentences), found.notes
    for note, start in zip(found.notes, sentences, strict=True):
        assert note.startswith(start)


def test_an_interval_without_0_is_explained_where_the_pair_is_tied():
    generator = random.Random(0)
    losses = {
        name: tuple(1 + 0.012 * index + generator.gauss(0, 0.01) for _ in range(3)) for index, name in enumerate("abcd")
    }
    found = ranked(rows(losses))
    best = found.places[0].name
    pair = next(pair for pair in found.pairs if pair.one == best and pair.loss.high < 0 and not pair.differs)
    assert any({pair.one, pair.other} <= {*group} for group in found.groups)
    assert any("an interval behind the best that leaves out 0 does not yet break a tie" in note for note in found.notes)


def test_groups_are_the_largest_in_which_nothing_is_apart():
    assert tied("abc", []) == (("a", "b", "c"),)
    assert tied("abcd", [("a", "c"), ("a", "d"), ("b", "d")]) == (("a", "b"), ("b", "c"), ("c", "d"))
    assert tied("abc", [("a", "b")]) == (("a", "c"), ("b", "c"))
    assert tied("abc", combinations("abc", 2)) == (("a",), ("b",), ("c",))
    generator = random.Random(13)
    for _ in range(50):
        apart = {pair for pair in combinations("abcdefg", 2) if generator.random() < 0.4}
        groups = tied("abcdefg", apart)
        for pair in combinations("abcdefg", 2):
            assert any({*pair} <= {*group} for group in groups) is (pair not in apart)


def test_identical_results_are_a_tie_without_a_warning():
    found = ranked([Score(name, seed, 1.0, 0.5) for name in "ab" for seed in range(2)])
    assert found.groups == (("a", "b"),)
    assert found.pairs[0].p == 1


def test_the_best_of_many_is_too_good_by_what_the_note_says():
    generator = random.Random(7)
    luck, said = [], []
    for _ in range(150):
        found = ranked(simulated(generator, (0.0,) * 8, seeds=2, seed_deviation=0.0))
        mean = statistics.mean(place.loss.mean for place in found.places)
        luck.append(mean - found.places[0].loss.mean)
        said.append(found.optimism)
    assert statistics.mean(said) == pytest.approx(statistics.mean(luck), rel=0.1)
    assert any("partly luck" in note for note in found.notes)
    few = ranked(simulated(generator, (0.0,) * 3))
    assert math.isnan(few.optimism)
    assert not any("partly luck" in note for note in few.notes)


def test_holm_is_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_student_is_the_printed_table():
    for freedom, t in T_QUANTILE.items():
        assert quantile(0.95, freedom) == pytest.approx(t, rel=5e-4)
    assert quantile(0.99, 10) == pytest.approx(3.1693, abs=1e-4)
    assert two_sided(1.0, 1) == pytest.approx(0.5)
    assert two_sided(0.0, 5) == 1
    assert two_sided(1.959964, 1e7) == pytest.approx(0.05, abs=1e-5)
    assert two_sided(math.inf, 3) == 0
    assert math.isnan(two_sided(math.nan, 3))


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 30])
@pytest.mark.parametrize("t", [0.1, 0.7, 2.0, 9.0])
def test_student_is_the_integral_of_its_density(t, freedom):
    constant = math.gamma((freedom + 1) / 2) / math.sqrt(freedom * math.pi) / math.gamma(freedom / 2)
    x = np.linspace(0, t, 20_001)
    inside = 2 * np.trapezoid(constant * (1 + x * x / freedom) ** (-(freedom + 1) / 2), x)
    assert two_sided(t, freedom) == pytest.approx(1 - inside, abs=1e-7)


def test_the_largest_of_normal_numbers():
    assert expected_largest(1) == pytest.approx(0, abs=1e-12)
    assert expected_largest(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert expected_largest(3) == pytest.approx(1.5 / math.sqrt(math.pi))
    assert expected_largest(10) == pytest.approx(1.53875, abs=1e-5)


def tau_by_counting(ones, others):
    """Kendall's tau-b by its definition."""
    agree = one_ties = other_ties = 0
    for i, j in combinations(range(len(ones)), 2):
        x, y = ones[i] - ones[j], others[i] - others[j]
        agree += (x * y > 0) - (x * y < 0)
        one_ties += x == 0
        other_ties += y == 0
    pairs = len(ones) * (len(ones) - 1) / 2
    return agree / math.sqrt((pairs - one_ties) * (pairs - other_ties))


def rho_by_ranks(ones, others):
    """Spearman's rho: Pearson's correlation of ranks, those of ties averaged."""
    ranks = [
        [statistics.mean(k + 1 for k, u in enumerate(sorted(row)) if u == v) for v in row] for row in (ones, others)
    ]
    return statistics.correlation(*ranks)


def test_correlations_are_those_of_the_definitions_with_and_without_ties():
    generator = random.Random(8)
    for _ in range(200):
        count = generator.randrange(3, 12)
        ones = [generator.randrange(6) for _ in range(count)]
        others = [generator.gauss(value, 2) if generator.random() < 0.7 else 1 for value in ones]
        if len(set(ones)) == 1 or len(set(others)) == 1:
            continue
        assert kendall(ones, others) == pytest.approx(tau_by_counting(ones, others))
        assert spearman(ones, others) == pytest.approx(rho_by_ranks(ones, others))


def test_correlations_are_scipys():
    stats = pytest.importorskip("scipy.stats")
    generator = random.Random(9)
    for _ in range(50):
        ones, others = ([generator.randrange(9) for _ in range(12)] for _ in range(2))
        assert kendall(ones, others) == pytest.approx(stats.kendalltau(ones, others).statistic)
        assert spearman(ones, others) == pytest.approx(stats.spearmanr(ones, others).statistic)


def test_the_worst_there_is_has_a_place_and_two_of_them_tie():
    ones, others = [1, 2, 3, 4, -math.inf], [1, 3, 2, 4, -math.inf]
    finite = [-9 if one == -math.inf else one for one in ones], [-9 if one == -math.inf else one for one in others]
    assert agreement(ones, others) == agreement(*finite)
    assert kendall([-math.inf, -math.inf, 1, 2], [0, 0, 1, 2]) == pytest.approx(1)


def test_an_agreement_has_an_interval_that_holds_it_and_is_the_same_every_time():
    generator = random.Random(10)
    ones = [generator.gauss(0, 1) for _ in range(16)]
    others = [value + generator.gauss(0, 0.7) for value in ones]
    found = agreement(ones, others)
    assert -1 <= found.low < found.tau < found.high <= 1
    assert found == agreement(ones, others)
    assert found.n == 16
    perfect = agreement([1, 2, 3, 4], [10, 20, 30, 40])
    assert (perfect.tau, perfect.low, perfect.high, perfect.spearman) == (1, 1, 1, 1)
    assert math.isnan(agreement([1, 1, 1], [1, 2, 3]).tau)
    assert math.isnan(agreement([1, 2], [1, 2]).low)


@pytest.mark.slow
def test_the_interval_of_tau_covers_the_truth_in_95_of_100_samples():
    generator = random.Random(11)
    rho, covered = 0.7, 0
    truth = 2 / math.pi * math.asin(rho)
    for seed in range(1000):
        ones = [generator.gauss(0, 1) for _ in range(13)]
        others = [rho * value + math.sqrt(1 - rho * rho) * generator.gauss(0, 1) for value in ones]
        found = agreement(ones, others, seed=seed)
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / 1000 <= 0.98


def test_designs_that_share_no_seed_are_not_compared():
    pairs = [("a", 0, 1.0), ("a", 1, 1.1), ("b", 0, 1.2), ("b", 1, 1.3), ("c", 2, 3.0)]
    found = ranked([Score(name, seed, loss, 0.5) for name, seed, loss in pairs])
    assert [place.name for place in found.places] == ["a", "b"]
    assert found.unranked == {"c": "it shares no seed with the others"}
    assert found.places[0].loss.mean == pytest.approx(1.05)
    alone = ranked([Score("a", 1, 5.0, 0.1), Score("b", 0, 1.0, 0.5)])
    assert [(place.name, place.loss.mean) for place in alone.places] == [("a", 5.0)]
    linked = ranked([Score(name, seed, loss, 0.5) for name, seed, loss in [*pairs, ("c", 0, 2.0)]])
    assert {place.name for place in linked.places} == {"a", "b", "c"}
