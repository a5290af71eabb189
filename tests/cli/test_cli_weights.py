"""weights: checkpoints are checked, converted and described; what does not fit is refused, and nothing is half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from convlab import build, load
from convlab.weights.layouts import from_convlab

SETS = ("--set", "depths=1", "--set", "widths=[8, 16, 24, 32]", "--set", "head.classes=10")


@pytest.fixture
def checkpoint() -> str:
    """The name of a checkpoint of a small ConvNeXt in torchvision's layout, in the current folder."""
    design = load("convnext_t", sets=SETS[1::2])
    state = from_convlab(build(design, seed=0).state_dict(), design, "torchvision")
    torch.save(state, "theirs.pth")
    return "theirs.pth"


def test_check_says_what_goes_where(shell: Callable, checkpoint: str) -> None:
    ran = shell("weights", "check", checkpoint, "--design", "convnext_t", *SETS)
    assert (ran.code, ran.err) == (0, "")
    assert "theirs.pth fits convnext_t" in ran.out
    assert "turned: depths=1" in ran.out
    assert "layout torchvision: 56 tensors loaded" in ran.out
    assert "stages.0.blocks.0.gamma 8 <- features.1.0.layer_scale 8x1x1" in ran.out


def test_check_as_json(shell: Callable, checkpoint: str) -> None:
    found = shell("weights", "check", checkpoint, "--design", "convnext_t", *SETS, "--json").json
    assert (found["design"], found["layout"], len(found["loaded"]), len(found["reshaped"])) == (
        "convnext_t",
        "torchvision",
        56,
        4,
    )
    assert found["missing"] == found["unexpected"] == found["cast"] == []
    assert found["loaded"][0] == {
        "path": "stem.0.weight",
        "names": ["features.0.0.weight"],
        "shape": [8, 3, 4, 4],
        "their_shapes": [[8, 3, 4, 4]],
        "dtype": "float32",
        "their_dtype": "float32",
    }


def test_check_finds_the_design(shell: Callable) -> None:
    design = load("resnet18")
    save_file(from_convlab(build(design, seed=0).state_dict(), design, "transformers"), "a.safetensors")
    ran = shell("weights", "check", "a.safetensors")
    assert ran.code == 0
    assert "a.safetensors fits resnet18" in ran.out
    assert "layout transformers: 122 tensors loaded" in ran.out
    save_file({"a": torch.zeros(1)}, "b.safetensors")
    ran = shell("weights", "check", "b.safetensors")
    assert ran.code == 1
    assert "no preset has weights like those" in ran.err


def test_check_of_what_does_not_fit(shell: Callable, checkpoint: str) -> None:
    ran = shell("weights", "check", checkpoint, "--design", "convnext_t", *SETS, "--set", "head.classes=7")
    assert ran.code == 1
    assert "the classifier of convnext_t is not that of these weights" in ran.err
    again = shell(
        "weights",
        "check",
        checkpoint,
        "--design",
        "convnext_t",
        *SETS,
        "--set",
        "head.classes=7",
        "--ignore",
        "head.fc",
    )
    assert again.code == 0
    assert "2 ignored:" in again.out
    assert "missing" not in again.out
    as_json = shell("weights", "check", "nowhere.pth", "--design", "convnext_t", "--json")
    assert as_json.code == 2
    assert as_json.json["error"]["problems"][0]["code"] == "unreadable-file"


def test_convert_writes_a_file_that_knows_its_design(shell: Callable, checkpoint: str) -> None:
    ran = shell("weights", "convert", checkpoint, "--design", "convnext_t", "--to", "facebookresearch", *SETS)
    assert (ran.code, ran.err) == (0, "")
    assert (
        "theirs.pth (torchvision) written to convnext_t_facebookresearch.safetensors (facebookresearch): 56 tensors"
        in ran.out
    )
    written = load_file("convnext_t_facebookresearch.safetensors")
    theirs = torch.load(checkpoint, weights_only=True)
    assert torch.equal(written["stages.3.0.gamma"], theirs["features.7.0.layer_scale"].flatten())
    check = shell("weights", "check", "convnext_t_facebookresearch.safetensors", "--json").json
    assert (check["design"], check["layout"], len(check["loaded"])) == ("convnext_t", "facebookresearch", 56)


def test_convert_as_json_and_back(shell: Callable, checkpoint: str) -> None:
    design = ("--design", "convnext_t", *SETS)
    found = shell("weights", "convert", checkpoint, *design, "--to", "transformers", "-o", "a.pth", "--json").json
    assert (found["from"], found["to"], found["path"], found["tensors"]) == ("torchvision", "transformers", "a.pth", 56)
    assert found["left_out"] == []
    assert shell("weights", "convert", "a.pth", *design, "--to", "torchvision", "-o", "back.pth").code == 0
    back, theirs = torch.load("back.pth", weights_only=True), torch.load(checkpoint, weights_only=True)
    assert list(back) == list(theirs)
    assert all(torch.equal(tensor, theirs[key]) for key, tensor in back.items())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--to", "torchvison"), 2, 'did you mean "torchvision"?'),
        (("--to", "transformers_5"), 1, "knows no names of transformers_5's for convnext_t"),
        (("--to", "timm", "-o", "weights.txt"), 2, "no name of a checkpoint"),
        (("--to", "timm", "-o", "nowhere/weights.safetensors"), 2, "its folder is not there"),
        (("--to", "timm", "-o", "theirs.pth"), 2, "--force overwrites it"),
        (("--to", "timm", "--from", "transformers"), 1, "in layout transformers"),
    ],
)
def test_convert_refuses(arguments: tuple[str, ...], code: int, message: str, shell: Callable, checkpoint: str) -> None:
    ran = shell("weights", "convert", checkpoint, "--design", "convnext_t", *SETS, *arguments)
    assert ran.code == code
    assert message in ran.err
    assert [file.name for file in Path.cwd().iterdir()] == [checkpoint]


def test_force_writes_over_a_file(shell: Callable, checkpoint: str) -> None:
    arguments = ("weights", "convert", checkpoint, "--design", "convnext_t", *SETS, "--to", "timm", "-o", checkpoint)
    assert shell(*arguments, "--force").code == 0
    assert "stem.0.weight" in torch.load(checkpoint, weights_only=True)


def test_layouts_of_a_design(shell: Callable) -> None:
    ran = shell("weights", "layouts", "swin_t")
    assert (ran.code, ran.err) == (0, "")
    rows = [line.split() for line in ran.out.splitlines()[1:]]
    assert [row[0] for row in rows if row] == [
        "timm",
        "torchvision",
        "facebookresearch",
        "transformers",
        "transformers_5",
        "convlab",
    ]
    found = shell("weights", "layouts", "convnext_v2_atto", "--json").json["layouts"]
    assert [row["layout"] for row in found] == ["timm", "facebookresearch", "fcmae", "transformers", "convlab"]
    assert found[2] == {
        "layout": "fcmae",
        "tensors": 136,
        "first": "encoder.downsample_layers.0.0.weight",
        "last": "encoder.stages.3.1.pwconv2.linear.bias",
    }


def test_completion_of_layouts_and_checkpoints(shell: Callable, checkpoint: str) -> None:
    from convlab.cli.completion import complete_layout, complete_source

    Path("notes.txt").write_text("")
    assert complete_layout("t") == ["timm", "torchvision", "transformers", "transformers_5"]
    assert complete_source("") == [checkpoint]


def test_check_says_how_the_design_inside_differs_from_its_preset(shell: Callable) -> None:
    small = ("resnet18", "--set", "head.classes=3")
    assert shell("export", *small, "--to", "safetensors", "-o", "a.safetensors").code == 0
    ran = shell("weights", "check", "a.safetensors")
    assert "a.safetensors fits the design inside the file: resnet18 with head.classes=3" in ran.out
    assert shell("export", "resnet18", "--to", "safetensors", "-o", "b.safetensors").code == 0
    assert "fits the design inside the file: resnet18\n" in shell("weights", "check", "b.safetensors").out
    Path("mine.toml").write_text('base = "resnet18"')
    assert shell("export", "mine.toml", "--to", "safetensors", "-o", "c.safetensors").code == 0
    key = load("mine.toml").key
    assert f"fits the design inside the file: mine, key {key}" in shell("weights", "check", "c.safetensors").out
    named = shell("weights", "check", "a.safetensors", "--design", *small)
    assert "a.safetensors fits resnet18\n" in named.out
