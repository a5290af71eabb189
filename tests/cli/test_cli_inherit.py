"""weights inherit: a checkpoint comes in, a changed design's weights go out, and each tensor is told of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file

import convlab

OLD = ("build", "convnext_atto", "--image", "32", "--device", "cpu", "--save", "old.safetensors", "--quiet")
INHERIT = ("weights", "inherit", "old.safetensors", "--design", "convnext_atto", "--set", "block.kernel_size=9")


def test_the_file_holds_what_the_model_inherits(shell: Callable, tmp_path: Path) -> None:
    shell(*OLD)
    ran = shell(*INHERIT, "--set", "head.classes=10", "-o", "new.safetensors", "--seed", "3")
    assert (ran.code, ran.err) == (0, "")
    assert "padded 12: kernels with zeros around them" in ran.out
    assert "head.fc.bias 10 (10 classes instead of 1000)" in ran.out
    assert ran.out.endswith("written to new.safetensors; what is fresh was drawn with seed 3\n")
    model = convlab.build(convlab.load("convnext_atto", sets=["block.kernel_size=9", "head.classes=10"]), seed=3)
    convlab.inherit_weights(model, tmp_path / "old.safetensors")
    found = load_file(tmp_path / "new.safetensors")
    assert all(torch.equal(tensor, found[name]) for name, tensor in model.state_dict().items())


def test_its_file_can_be_inherited_from(shell: Callable) -> None:
    shell(*OLD)
    shell(*INHERIT, "--set", "stages.2.depth=8")
    again = shell("weights", "inherit", "convnext_atto_inherited.safetensors", "--design", "convnext_v2_atto", "--json")
    assert again.code == 0
    assert again.json["path"] == "convnext_v2_atto_inherited.safetensors"
    assert {tuple(item["how"]) for item in again.json["tensors"]} == {
        ("loaded",),
        ("cropped",),
        ("folded",),
        ("neutral",),
    }
    assert {item["path"].split(".")[3] for item in again.json["unused"]} == {"2", "5"}


def test_the_ending_of_the_name_says_what_is_written(shell: Callable, tmp_path: Path) -> None:
    shell(*OLD)
    assert shell(*INHERIT, "-o", "new.pth").code == shell(*INHERIT, "-o", "new.safetensors").code == 0
    pickled, other = torch.load("new.pth", weights_only=True), load_file("new.safetensors")
    assert list(pickled) == list(convlab.build(convlab.load("convnext_atto"), device="meta").state_dict())
    assert all(torch.equal(tensor, other[name]) for name, tensor in pickled.items())
    refused = shell(*INHERIT, "-o", "new.txt")
    assert refused.code == 2
    assert '"new.txt" is no name of a checkpoint' in refused.err
    assert not (tmp_path / "new.txt").exists()


def test_what_cannot_be_is_refused(shell: Callable) -> None:
    shell(*OLD)
    assert shell(*INHERIT, "--new-blocks", "clone").code == 2
    assert shell(*INHERIT, "--from", "resnet18").code == 1
    assert shell(*INHERIT).code == 0
    occupied = shell(*INHERIT)
    assert occupied.code == 2
    assert "--force" in occupied.err
    assert shell(*INHERIT, "--force").code == 0
