"""Spaces: counted and numbered exactly, each member a design and each design its number; files that are wrong say where."""

import dataclasses
import os
import random
from contextlib import chdir
from itertools import product
from math import comb, prod
from pathlib import Path

import pytest
from spaces import BASE, PRESETS, preset, random_space, space_of, varied

import convlab
from convlab.errors import ConvlabError
from convlab.language.files import load
from convlab.presets import preset_folder, preset_names
from convlab.spaces.limits import LIMITED
from convlab.spaces.reading import load_space

MESSAGES = Path(__file__).parent / "messages_spaces"
CASES = sorted(path.name for path in MESSAGES.glob("*.toml"))
RANDOM = range(40)


def indices(space, count, seed=0):
    draw = random.Random(seed)
    return [0, space.size - 1, *(draw.randrange(space.size) for _ in range(count))]


def assert_numbered(space, count):
    """Members have their index as their number; returns those that are designs at all."""
    members = {}
    told = set()
    for index in indices(space, count):
        try:
            member = space[index]
        except ConvlabError as error:  # a knob that a varied kind does not use
            told |= {problem.code for problem in error.problems}
            continue
        assert space.index(member) == index
        assert space[space.index(member)] == member
        assert space[index - space.size] == member
        members[index] = member
    assert told <= {"unknown-key"}
    assert len({dataclasses.replace(member, name="") for member in members.values()}) == len(members)
    return members


@pytest.mark.parametrize("name", PRESETS)
def test_members_of_presets_have_their_numbers(name):
    assert len(assert_numbered(preset(name), 100)) > 90


@pytest.mark.parametrize("seed", RANDOM)
def test_members_of_random_spaces_have_their_numbers(seed, tmp_path):
    assert_numbered(random_space(tmp_path, seed), 25)


@pytest.mark.parametrize("name", PRESETS)
def test_members_of_presets_are_written_and_loaded_again(name, tmp_path):
    space = preset(name)
    for index in indices(space, 15, seed=1):
        convlab.save(space[index], tmp_path / "member.toml")
        assert load(tmp_path / "member.toml") == space[index]
        assert space.index(load(tmp_path / "member.toml")) == index


def test_members_of_random_spaces_are_written_and_loaded_again(tmp_path):
    for seed in RANDOM:
        space = random_space(tmp_path, seed)
        for member in assert_numbered(space, 2).values():
            try:
                convlab.language.validation.validated(member)
            except ConvlabError:
                continue
            convlab.save(member, tmp_path / "member.toml")
            assert load(tmp_path / "member.toml") == member


SMALL = {
    "nothing": ({}, {}, lambda depths, widths: depths == (1, 2) and widths == (8, 16)),
    "depths": ({"depths": [1, 3, 2]}, {}, lambda depths, widths: widths == (8, 16) and set(depths) <= {1, 2, 3}),
    "one depth": ({"stages.1.depth": [1, 3]}, {}, lambda depths, widths: widths == (8, 16) and depths in {(1, 1), (1, 3)}),
    "last depth": ({"stages.-1.depth": [1, 3]}, {}, lambda depths, widths: widths == (8, 16) and depths in {(1, 1), (1, 3)}),
    "rising": (
        {"depths": [1, 2], "widths": [8, 16, 24]},
        {"widths": "nondecreasing"},
        lambda depths, widths: set(depths) <= {1, 2} and widths[0] <= widths[1],
    ),
    "falling strictly": (
        {"depths": [3, 1, 2], "widths": [24, 8, 16]},
        {"widths": "decreasing", "depths": "nonincreasing"},
        lambda depths, widths: depths[0] >= depths[1] and widths[0] > widths[1],
    ),
    "rising strictly, equal": (
        {"stages.*.depth": [1, 2, 3], "widths": {"low": 8, "high": 24, "step": 8}},
        {"depths": "equal", "stages.*.width": "increasing"},
        lambda depths, widths: depths[0] == depths[1] and widths[0] < widths[1],
    ),
    "lists": (
        {"widths": [[8, 16], [24, 8]], "depths": [[1, 1], [2, 3], [3, 2]]},
        {},
        lambda depths, widths: widths in {(8, 16), (24, 8)} and depths in {(1, 1), (2, 3), (3, 2)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_small_spaces_are_what_brute_force_finds(name, tmp_path):
    vary, rules, holds = SMALL[name]
    space = varied(tmp_path, vary, rules=rules)
    pairs = product(product((1, 2, 3), repeat=2), product((8, 16, 24), repeat=2))
    expected = {pair for pair in pairs if holds(*pair)}
    members = [(design.depths, design.widths) for design in space]
    assert len(members) == space.size == len(expected)
    assert set(members) == expected
    assert [space.index(design) for design in space] == list(range(space.size))


@pytest.mark.parametrize("seed", RANDOM)
def test_small_random_spaces_have_as_many_different_members_as_they_say(seed, tmp_path):
    space = random_space(tmp_path, seed)
    kept = []
    for factor in sorted(space.factors, key=lambda factor: factor.size):
        if factor.size * prod(other.size for other in kept) <= 200:
            kept.append(factor)
    space = dataclasses.replace(space, factors=tuple(kept))
    assert len(assert_every_member(space)) == space.size


def assert_every_member(space):
    found = set()
    for index in range(space.size):
        try:
            found.add(dataclasses.replace(space[index], name=""))
            assert space.index(space[index]) == index
        except ConvlabError:
            found.add(index)
    return found


def test_sizes_beyond_64_bits_are_exact(tmp_path):
    assert preset("spaces/anynet_x").size == (16 * 128 * 3 * 6) ** 4
    stages = {"depths": [1] * 6, "widths": [8] * 6, "strides": 1}
    vary = {"widths": {"low": 1, "high": 65536, "step": 1}, "depths": {"low": 1, "high": 10_000, "step": 1}}
    space = varied(tmp_path, vary, rules={"widths": "nondecreasing"}, **stages)
    assert space.size == comb(65536 + 5, 6) * 10_000**6 > 2**64
    for index in indices(space, 30):
        assert space.index(space[index]) == index


def test_a_design_is_a_space_with_nothing_to_vary():
    for name in preset_names():
        space = load_space(name)
        assert (space.size, space.paths, list(space)) == (1, (), [load(name)])
        assert space.index(load(name)) == 0


def test_an_index_that_there_is_not_is_an_index_error():
    space = preset("spaces/kernel_study")
    for index in (space.size, -space.size - 1, 10**30):
        with pytest.raises(IndexError, match="20736 members"):
            space[index]


@pytest.mark.parametrize(
    ("turns", "path"),
    [
        ({"stages.1.block.kernel_size": 14}, "stages.1.block.kernel_size"),
        ({"block.kernel_size": 1}, "stages.0.block.kernel_size"),
        ({"block.grn": True}, "stages.*.block.grn"),
        ({"stages.2.depth": 27}, "depths"),
        ({"stem.patch_size": 2}, "stem.patch_size"),
        ({"drop_path": 0.3}, "drop_path"),
    ],
)
def test_a_design_that_is_no_member_is_told_by_the_knob(turns, path):
    space = preset("spaces/kernel_study")
    design = space[100]
    for knob, value in turns.items():
        design = convlab.turn(design, knob, value)
    with pytest.raises(ConvlabError) as caught:
        space.index(design)
    (problem,) = caught.value.problems
    assert (problem.code, problem.path) == ("not-a-member", path)
    assert problem.help


def test_a_design_of_other_stages_or_of_a_broken_rule_is_no_member(tmp_path):
    space = varied(tmp_path, {"widths": [8, 16, 24]}, rules={"widths": "increasing"})
    for design in (load("convnext_t"), convlab.turn(space[0], "widths", [16, 8]), convlab.turn(space[0], "widths", 8)):
        with pytest.raises(ConvlabError) as caught:
            space.index(design)
        assert caught.value.problems[0].code == "not-a-member"
    shared = varied(tmp_path, {"block.kernel_size": [3, 5]})
    with pytest.raises(ConvlabError, match=r"block.kernel_size = \[3, 5\]"):
        shared.index(convlab.turn(shared[0], "stages.1.block.kernel_size", 5))


def test_a_kind_that_varies_comes_before_the_knobs_of_its_block(tmp_path):
    """A new kind sets the other knobs to its defaults; what varies has the last word, however the paths are written."""
    vary = {
        "block.kernel_size": [3, 5],
        "stages.1.block.kind": ["convnext", "bottleneck"],
        "stages.*.block.norm": ["layer_norm", "batch_norm"],
    }
    space = varied(tmp_path, vary)
    assert space.size == 16
    assert len(assert_every_member(space)) == 16
    for index in range(16):
        design = space[index]
        assert {stage.block.kernel_size for stage in design.stages} == {space.values(index)["block.kernel_size"]}


def test_paths_are_quoted_whole_or_written_as_tables(tmp_path):
    quoted = varied(tmp_path, {"stages.*.block.kernel_size": [3, 5], "image.size": [32, 48], "stages.0.depth": [1, 2]})
    tables = {"stages": {"*": {"block": {"kernel_size": [3, 5]}}, "0": {"depth": [1, 2]}}, "image": {"size": [32, 48]}}
    other = space_of(tmp_path, BASE | {"vary": tables})
    assert sorted(quoted.paths) == sorted(other.paths)
    assert {design.key for design in quoted} == {design.key for design in other}


def test_sets_reach_the_design_and_the_limits():
    space = load_space(
        "spaces/kernel_study", sets=["stages.2.depth=27", "limits.macs.high=5e9", "vary.block.grn=[true, false]"]
    )
    assert space.base.depths == (3, 3, 27, 3)
    assert space.size == 2 * preset("spaces/kernel_study").size
    assert [(limit.metric, limit.low, limit.high) for limit in space.limits] == [("macs", None, 5e9)]
    over = load_space("spaces/anynet_x", sets=["limits.macs.high=5e9"])
    assert [(limit.metric, limit.low, limit.high) for limit in over.limits] == [("macs", None, 5e9)]
    with pytest.raises(ConvlabError) as caught:
        load_space("spaces/kernel_study", sets=["limits.mac.high=5e9"])
    place = caught.value.problems[0].place
    assert (place.file, place.line) == ("--set", 1)


def test_every_metric_can_be_limited(tmp_path):
    space = varied(tmp_path, {"depths": [1, 2]}, limits={metric: {"low": 1, "high": 1e18} for metric in LIMITED})
    assert [limit.metric for limit in space.limits] == list(LIMITED)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_of_spaces_are_spaces_of_valid_designs(name):
    space = preset(name)
    assert space.size > 1
    assert space.base.summary
    assert convlab.profile(space[0]).macs > 0


def refusal(name):
    with chdir(MESSAGES), pytest.raises(ConvlabError) as caught:
        load_space(name)
    return caught.value


def expected(text):
    """What the comment that opens a file says."""
    lines = text.split("\n")
    count = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(line[2:] for line in lines[:count])


@pytest.mark.parametrize("name", CASES)
def test_a_file_gives_the_text_that_it_opens_with(name):
    error = refusal(name)
    assert str(error).replace(f"{preset_folder()}{os.sep}", "presets/") == expected((MESSAGES / name).read_text())
    for problem in error.problems:
        assert problem.label or problem.help
        assert problem.place is not None
        assert problem.place.line
    places = [(problem.place.line, problem.place.column, problem.message) for problem in error.problems]
    assert places == sorted(set(places))


def rewrite():
    """Write into every file what it gives now: for a change of wording. Read the difference before you keep it."""
    for name in CASES:
        text = (MESSAGES / name).read_text()
        body = "\n".join(line for line in text.split("\n") if not line.startswith("#"))
        for _ in range(4):  # the text holds line numbers, which hang on its length
            (MESSAGES / name).write_text(text)
            text = "\n".join([*(f"# {line}".rstrip() for line in str(refusal(name)).split("\n")), body])


if __name__ == "__main__":
    rewrite()
