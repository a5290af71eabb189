"""What the commands show people: results on stdout, notes on stderr, nothing cut off where nobody is looking."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import convlab
from convlab.presets import preset_folder, preset_names


def test_profile_shows_where_the_costs_lie(shell: Callable) -> None:
    ran = shell("profile", "convnext_t")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("convnext_t: ConvNeXt-T")
    assert lines[2].split()[:5] == ["path", "layers", "output", "params", "MACs"]
    assert [line.split()[0] for line in lines[3:9]] == ["stem", "stages.0", "stages.1", "stages.2", "stages.3", "head"]
    assert "28,589,128 parameters" in ran.out
    assert "4,455,531,264 multiply-adds" in ran.out
    assert not any(line.endswith(" ") for line in lines)
    assert "\x1b" not in ran.out


def test_notes_go_to_stderr_and_quiet_silences_them(shell: Callable) -> None:
    ran = shell("profile", "convnext_t", "--image", "226")
    assert "note: Convolution 4x4, stride 4 at stem.0 leaves out 2 rows and 2 columns" in ran.err
    assert "an image of 224 px avoids it" in ran.err
    assert "leaves out" not in ran.out
    assert shell("profile", "convnext_t", "--image", "226", "--quiet").err == ""


def test_deltas_have_sign_arrow_and_percent(shell: Callable) -> None:
    ran = shell("profile", "resnet50", "--against", "convnext_t")
    assert "▼ -10.6 %" in ran.out
    assert "▲ +11.9 %" in shell("compare", "resnet50", "convnext_t").out


def test_compare_names_the_knobs_that_differ(shell: Callable) -> None:
    ran = shell("compare", "convnext_t", "convnext_s")
    assert [line.split()[0] for line in ran.out.splitlines()[-3:]] == ["knob", "drop_path", "depths"]
    assert "No knob differs." in shell("compare", "convnext_t", "convnext_t").out
    assert "Name a second design" in shell("compare", "convnext_t").out


def test_roadmap_shows_every_step_and_where_the_paper_disagrees(shell: Callable) -> None:
    ran = shell("roadmap")
    rows = [line.split()[0] for line in ran.out.splitlines() if line[:2].strip().isdigit()]
    assert rows == [str(number) for number in range(1, 17)]
    assert ran.err.count("note: step") == 2
    assert "leave --image out" in shell("roadmap", "--image", "256").err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kernel_size", "stem.kernel_size (knob)"),
        ("stages.2.block.kernel_size", "block.kernel_size (knob)"),
        ("stages.2.depth", "depths (knob)"),
        ("block.groups", "from 1 to 65536"),
        ("block.norm_after", "--set 'stages.2.block.norm_after=[\"expand\"]'"),
        ("convnext", "convnext (kind of block)"),
        ("separate", "separate (kind of downsample)"),
        ("block", "block (section)"),
        ("unknown-key", "unknown-key (error code)"),
        ("macs", "macs (metric)"),
        ("receptive_field", "receptive_field (figure)"),
        ("depthwise(7)", "depthwise(7) (layer)"),
        ("identity", "identity (layer)"),
        (
            "gelu",
            "A choice of stem.activation, block.activation, downsample.activation, head.convolution_activation, head.activation.",
        ),
        ("layer_norm", "arXiv:1607.06450"),
        ("device", "CONVLAB_DEVICE"),
        ("resnet50", "Nearest preset: "),
    ],
)
def test_explain(name: str, said: str, shell: Callable) -> None:
    ran = shell("explain", name)
    assert ran.code == 0
    assert said in ran.out


def test_turned_knobs_are_announced(shell: Callable) -> None:
    for command in (("profile",), ("explain",), ("compare", "resnet50")):
        ran = shell(*command, "convnext_t", "--set", "stages.2.depth=8")
        assert "turned: stages.2.depth=8\n" in ran.out
    assert shell("profile", "convnext_t", "--set", "stages.2.depth=8", "--json").json["sets"] == ["stages.2.depth=8"]


def test_explain_describes_a_turned_design(shell: Callable) -> None:
    ran = shell("explain", "convnext_t", "--set", "stages.2.block.kernel_size=11")
    assert "Block of stages 0, 1, 3: convnext" in ran.out
    assert "Block of stage 2: convnext" in ran.out
    assert "kernel 11x11" in ran.out
    shown = shell("explain", "roadmap/16_separate_downsampling", "--json").json
    assert shown["nearest"] == {"preset": "convnext_t", "same_network": True, "knobs": shown["nearest"]["knobs"]}


def test_presets_lists_all_of_them(shell: Callable) -> None:
    ran = shell("presets")
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == list(preset_names())
    rows = shell("presets", "--spaces", "--json").json["presets"]
    assert [row["name"] for row in rows] == list(preset_names("spaces"))


@pytest.mark.parametrize("options", [(), ("--every-knob",), ("--on", "resnet50")])
def test_resolve_prints_a_file_that_loads_to_the_same_design(options: tuple[str, ...], shell: Callable) -> None:
    ran = shell("resolve", "convnext_v2_t", "--set", "stages.-1.block.kernel_size=3", *options)
    Path("mine.toml").write_text(ran.out)
    assert convlab.load("mine.toml") == convlab.load("convnext_v2_t", sets=["stages.3.block.kernel_size=3"])
    assert tomllib.loads(ran.out).get("base") == ("resnet50" if options[:1] == ("--on",) else None)


def test_schema_prints_or_writes(shell: Callable) -> None:
    printed = shell("schema")
    assert json.loads(printed.out)["title"] == "convlab design"
    assert shell("schema", "-o", "here.json").out == ""
    assert Path("here.json").read_text() == printed.out == (preset_folder() / "design.schema.json").read_text()
    assert shell("schema", "--space", "--json").json["schema"]["title"] == "convlab space"


def test_config_shows_origins(shell: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("convlab.toml").write_text('dtype = "bfloat16"\n')
    monkeypatch.setenv("CONVLAB_DEVICE", "cpu")
    monkeypatch.setenv("CONVLAB_DEVISE", "cpu")
    ran = shell("config")
    rows = [line.split(maxsplit=2) for line in ran.out.splitlines()[1:5]]
    assert rows[0] == ["color", "auto", "default"]
    assert rows[1] == ["device", "cpu", "environment (CONVLAB_DEVICE)"]
    assert rows[2][1] == "bfloat16"
    assert rows[2][2].endswith("convlab.toml:1")
    assert "there is no setting for CONVLAB_DEVISE" in ran.err


def test_text_of_a_design_cannot_write_to_the_terminal(shell: Callable) -> None:
    Path("evil\x1b[31m.toml").write_text('base = "convnext_t"\nsummary = "[bold]not markup[/]"\n')
    ran = shell("profile", "evil\x1b[31m.toml")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "evil\\x1b[31m" in ran.out
    assert "[bold]not markup[/]" in ran.out
