"""The JSON of each command whose output is the same everywhere, to the character."""

from __future__ import annotations

from collections.abc import Callable

import pytest

COMMANDS = {
    "profile": ("profile", "convnext_t"),
    "profile_by_layer": ("profile", "roadmap/09_kernel_7", "--by", "layer", "--image", "65x130", "--batch", "2"),
    "profile_against": (
        "profile",
        "convnext_t",
        "--set",
        "stages.2.depth=27",
        "--against",
        "convnext_t",
        "--by",
        "block",
    ),
    "compare": ("compare", "resnet50", "convnext_v2_t"),
    "roadmap": ("roadmap",),
    "explain_knob": ("explain", "block.kernel_size"),
    "explain_code": ("explain", "map-vanishes"),
    "presets_roadmap": ("presets", "--roadmap"),
    "resolve": ("resolve", "roadmap/16_separate_downsampling"),
    "space_count": ("space", "count", "spaces/kernel_study"),
    "space_sample": ("space", "sample", "spaces/kernel_study", "-n", "2", "--seed", "1"),
    "space_cost": ("space", "cost", "spaces/kernel_study", "-n", "100"),
    "space_member": ("space", "member", "spaces/kernel_study", "1234"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_what_it_was(name: str, shell: Callable, golden: Callable[[str, str], None]) -> None:
    ran = shell(*COMMANDS[name], "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["schema_version"] == 1
    golden(f"{name}.json", ran.out)


def test_an_error_is_json_too(shell: Callable, golden: Callable[[str, str], None]) -> None:
    ran = shell("profile", "convnext_t", "--json", "--set", "block.kind=convnxt", "--set", "stages.9.depth=3")
    assert (ran.code, ran.err) == (1, "")
    golden("error.json", ran.out)


def test_config_is_json(shell: Callable) -> None:
    ran = shell("config", "--json", "--color", "never")
    assert ran.code == 0
    assert {item["name"]: (item["value"], item["origin"]) for item in ran.json["settings"]} == {
        "color": ("never", "command line (--color)"),
        "device": ("auto", "default"),
        "dtype": ("float32", "default"),
        "channels_last": (True, "default"),
        "store": ("auto", "default"),
        "progress": ("auto", "default"),
        "data_folder": ("auto", "default"),
    }
