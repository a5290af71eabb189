"""``--folded``: what a design costs, and what is built, with norms and branches inside convolutions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import load_file


def test_profile_folded_is_set_against_the_design_as_it_trains(shell: Callable) -> None:
    ran = shell("profile", "repvgg_a0", "--folded", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert (ran.json["folded"], ran.json["against"]) == (True, "repvgg_a0")
    cards = ran.json["cards"]
    assert cards["params"]["value"] == 8_309_384
    assert cards["params"]["delta"]["baseline"] == 9_108_968
    assert cards["macs"]["delta"]["difference"] == 1_361_451_008 - 1_512_581_120
    assert sum(row["params"] for row in ran.json["rows"]) == 8_309_384


def test_profile_folded_against_another_design_folds_both(shell: Callable) -> None:
    ran = shell("profile", "repvgg_a0", "--folded", "--against", "resnet50")
    assert ran.code == 0
    assert "folded, against resnet50, folded\n" in ran.out
    assert "as it trains\n" not in ran.out
    plain = shell("profile", "repvgg_a0", "--folded", "--against", "resnet50", "--json").json
    assert plain["cards"]["params"]["delta"]["baseline"] == 25_530_472


def test_the_title_says_the_form(shell: Callable) -> None:
    assert ", folded, against itself as it trains\n" in shell("profile", "resnet18", "--folded").out
    assert "folded" not in shell("profile", "resnet18").out
    assert shell("profile", "resnet18", "--json").json["folded"] is False


def test_compare_tells_both_forms(shell: Callable) -> None:
    lines = shell("compare", "repvgg_a0", "resnet50").out.splitlines()
    shown = {line[:14].strip(): line[15:].split()[:2] for line in lines[:6]}
    assert shown["params"] == ["9.109", "M"]
    assert shown["params, folded"] == ["8.309", "M"]
    assert shown["MACs, folded"] == ["1.361", "G"]


def test_compare_tells_one_form_where_there_is_one(shell: Callable) -> None:
    ran = shell("compare", "vit_s16", "vit_b16")
    assert ran.code == 0
    assert "folded" not in ran.out
    first, _ = shell("compare", "vit_s16", "vit_b16", "--json").json["designs"]
    assert {name: first["folded"][name]["value"] for name in ("params", "macs")} == {
        name: first["cards"][name]["value"] for name in ("params", "macs")
    }


@pytest.mark.parametrize("folded", [True, False])
def test_build_folded_writes_folded_weights(shell: Callable, folded: bool) -> None:
    ran = shell("build", "resnet18", "--image", "32", "--save", "weights.safetensors", *["--folded"] * folded, "--json")
    assert ran.code == 0
    assert ran.json["run"]["folded"] is folded
    weights = load_file(Path("weights.safetensors"))
    assert any("norm1" in name for name in weights) is not folded
    assert ("stages.0.blocks.0.conv1.bias" in weights) is folded
