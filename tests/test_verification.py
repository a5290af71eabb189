"""Every difference between our counts and those of torch, fvcore and torchinfo has a cause and an amount, exact to the unit."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path

import pytest

import convlab
from convlab import verification
from convlab.cli.app import run
from convlab.verification import METRICS, UNEXPLAINED, Reconciliation, verify

torchinfo = pytest.importorskip("torchinfo")

CUSTOM = """\
depths = [1, 2]
widths = [16, 32]

[block]
kind = "custom"
bias = true
pointwise = "linear"
branch = [
  "depthwise(4)", "norm(rms_norm)", "pointwise(2x)", "activation(gelu)", "grn", "squeeze_excite(0.25)",
  "parallel(conv(3, 1x, groups=4), chain(norm(group_norm), pointwise(1x)))", "dropout(0.1)", "layer_scale",
]

[head]
hidden = 40
classes = 10
"""

DESIGNS: dict[str, tuple[str, ...]] = {
    "convnext_t": (),
    "convnext_v2_atto": (),
    "resnet18": (),
    "resnet50": (),
    "convnext_iso_s": ("image.size=[64, 96]",),
    "roadmap/07_moved_up": ("image.size=96",),
    "regnety_400mf": ("image.size=96",),
    "efficientnet_v2_s": ("image.size=96",),
}


@cache
def verified(name: str) -> Reconciliation:
    """What is found of a preset, under the changes that go with it."""
    return verify(convlab.load(name, sets=DESIGNS[name]))


@pytest.mark.parametrize("name", DESIGNS)
def test_every_difference_of_a_preset_is_explained(name: str) -> None:
    assert_adds_up(verified(name))


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm", "group_norm", "rms_norm", "none"])
def test_every_difference_of_squeeze_excite_and_any_norm_is_explained(norm: str) -> None:
    sets = [
        "block.kind=regnet_y",
        f"block.norm={norm}",
        f"stem.norm={norm}",
        "image.size=75",
        "downsample.kind=max_pool",
    ]
    assert_adds_up(verify(convlab.load("resnet18", sets=sets)))


def test_every_difference_of_a_custom_design_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CUSTOM)
    found = verify(convlab.load(path), image=(40, 64))
    assert (found.image.height, found.image.width) == (40, 64)
    assert_adds_up(found)
    assert len(found.differences) > 4


def assert_adds_up(found: Reconciliation) -> None:
    assert found.agrees
    torch, fvcore, torchinfo = found.tools
    assert (torch.params, torch.macs) == (found.ours.params, found.ours.macs)
    assert (fvcore.params, fvcore.activations) == (found.ours.params, found.ours.activations)
    assert torchinfo.params == found.ours.params
    for tool in found.tools:
        assert tool.version
        for metric in METRICS:
            causes = [each for each in found.differences if (each.tool, each.metric) == (tool.name, metric)]
            assert all(each.amount for each in causes)
            if getattr(tool, metric) is not None:
                explained = sum(each.amount for each in causes)
                assert getattr(found.ours, metric) + explained == getattr(tool, metric)


def test_convnext_t_to_the_unit() -> None:
    found = verified("convnext_t")
    assert (found.ours.params, found.ours.macs, found.ours.activations) == (28_589_128, 4_455_531_264, 13_435_624)
    fvcore = [(each.amount, each.cause) for each in found.differences if each.tool == "fvcore"]
    assert fvcore == [(14_868_480, "layer norms: 5 operations an element")]


def test_resnet_50_to_the_unit() -> None:
    found = verified("resnet50")
    fvcore = [(each.amount, each.cause) for each in found.differences if each.tool == "fvcore"]
    assert fvcore == [(22_227_968, "batch norms: 2 operations an element")]
    assert found.tools[1].macs == 4_111_412_224  # the 4.1115 G that papers quote


@pytest.mark.skipif(torchinfo.__version__ != "1.8.0", reason="the wrong value is that of torchinfo 1.8.0")
def test_torchinfo_still_loses_linear_layers_over_maps() -> None:
    """Where this fails, torchinfo has been mended, and ``_CAUSES`` wants another look."""
    found = verified("convnext_t")
    assert found.tools[2].macs == 322_371_592
    lost = [each.amount for each in found.differences if each.cause.startswith("linear layers over maps")]
    assert lost == [-4_135_919_616]


def test_counts_do_not_hang_on_how_a_pointwise_layer_is_realised() -> None:
    linear = verify(convlab.load("convnext_v2_atto", sets=["block.pointwise=linear", "image.size=64"]))
    conv = verify(convlab.load("convnext_v2_atto", sets=["block.pointwise=conv", "image.size=64"]))
    assert linear.ours == conv.ours
    assert linear.tools[0] == conv.tools[0]
    assert linear.tools[2].macs != conv.tools[2].macs


def test_what_is_not_explained_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_CAUSES", {})
    found = verify(convlab.load("convnext_v2_atto"), image=32)
    assert not found.agrees
    assert {each.cause for each in found.differences} == {UNEXPLAINED}


def test_the_tools_warnings_do_not_get_out() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        verify(convlab.load("convnext_v2_atto"), image=32)
    assert not told


def test_a_design_that_is_not_valid_is_refused() -> None:
    with pytest.raises(convlab.ConvlabError, match="the map vanishes"):
        verify(convlab.load("convnext_t"), image=8)
    with pytest.raises(convlab.ConvlabError, match="size = 0 is out of range"):
        verify(convlab.load("convnext_t"), image=0)


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["verify", "convnext_v2_atto", "--image", "32"]) == 0
    shown = capsys.readouterr().out
    assert "layer norms: 5 operations an element" in shown
    assert max(map(len, shown.split("\n")[:7])) <= 80
    assert run(["verify", "convnext_v2_atto", "--image", "32", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["agrees"]
    assert [tool["name"] for tool in told["tools"]] == ["convlab", "torch", "fvcore", "torchinfo"]
    monkeypatch.setattr(verification, "_CAUSES", {})
    assert run(["verify", "convnext_v2_atto", "--image", "32"]) == 1
    assert "unexplained" in capsys.readouterr().out
