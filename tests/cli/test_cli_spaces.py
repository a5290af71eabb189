"""The commands about spaces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import convlab


def test_count(shell: Callable) -> None:
    ran = shell("space", "count", "spaces/kernel_study")
    assert ran.out.startswith("kernel_study: 20,736 designs, before limits\n")
    assert "stages.3.block.kernel_size" in ran.out
    assert "macs" in shell("space", "count", "spaces/convnext_micro").out
    assert shell("space", "count", "convnext_t").out.startswith("convnext_t: 1 design, before limits")


def test_a_space_of_any_size_is_counted(shell: Callable) -> None:
    lines = [f'"stages.{index}.depth" = {{ low = 1, high = 10000, step = 1 }}' for index in range(4)]
    lines += [f'"stages.{index}.width" = {{ low = 1, high = 65536, step = 1 }}' for index in range(4)]
    Path("big.toml").write_text('base = "convnext_t"\n[vary]\n' + "\n".join(lines) + "\n")
    ran = shell("space", "count", "big.toml")
    assert "184,467,440,737,095,516,160,000,000,000,000,000 designs" in ran.out
    assert shell("space", "count", "big.toml", "--json").json["size"] == 10_000**4 * 65_536**4


def test_sample_is_within_the_limits_and_says_what_was_rejected(shell: Callable) -> None:
    ran = shell("space", "sample", "spaces/convnext_micro", "-n", "3", "--seed", "5", "--metric", "macs", "--json")
    members = ran.json["members"]
    assert len(members) == 3
    assert all(4.23e9 <= member["macs"] <= 4.68e9 for member in members)
    assert sum(ran.json["rejections"].values()) + 3 == ran.json["drawn"]
    space = convlab.load_space("spaces/convnext_micro")
    assert convlab.profile(space[members[0]["index"]]).macs == members[0]["macs"]
    text = shell("space", "sample", "spaces/convnext_micro", "-n", "3", "--seed", "5")
    assert "block.kernel_size [" in text.out
    assert "were taken" in text.out


def test_too_few_members_are_noted(shell: Callable) -> None:
    Path("few.toml").write_text('base = "convnext_t"\n[vary]\n"block.kernel_size" = [3, 5, 7]\n')
    ran = shell("space", "sample", "few.toml", "-n", "5")
    assert ran.code == 0
    assert "only 3 of 5 members were found" in ran.err


def test_no_member_is_a_failure(shell: Callable) -> None:
    lines = ['base = "convnext_t"', "[vary]", '"block.kernel_size" = [3, 5]', "[limits]", "macs = { high = 1 }"]
    Path("none.toml").write_text("\n".join(lines))
    ran = shell("space", "sample", "none.toml", "-n", "1")
    assert ran.code == 1
    assert "only 0 of 1 members" in ran.err


def test_a_knob_of_one_stage_keeps_its_path(shell: Callable) -> None:
    Path("one.toml").write_text('base = "convnext_t"\n[vary]\n"stages.2.depth" = [9]\n')
    assert "stages.2.depth 9" in shell("space", "sample", "one.toml", "-n", "1").out


def test_a_space_without_its_folder_is_suggested(shell: Callable) -> None:
    ran = shell("space", "count", "kernel_study")
    assert ran.code == 2
    assert 'did you mean "spaces/kernel_study"?' in ran.err


def test_cost_shows_the_distribution(shell: Callable) -> None:
    ran = shell("space", "cost", "spaces/kernel_study", "-n", "1000000", "--metric", "params", "--metric", "peak_bytes")
    assert "all members; 20,736 of them valid" in ran.out
    assert "MiB" in ran.out
    rows = shell("space", "cost", "spaces/kernel_study", "-n", "1000000", "--json").json["metrics"]
    least = convlab.profile(convlab.load("convnext_t", sets=["block.kernel_size=2"]))
    assert rows[0]["p0"] == least.params


def test_a_member_is_a_design(shell: Callable) -> None:
    Path("member.toml").write_text(shell("space", "member", "spaces/kernel_study", "20735").out)
    assert convlab.load("member.toml").stages[0].block.kernel_size == 13
    assert shell("space", "member", "spaces/kernel_study", "7", "--json").json["index"] == 7
