"""Tables of names: what their notation means, and that every one of them can be read and inverted."""

import re
from importlib.resources import files

import pytest
import torch

from convlab.weights import LAYOUTS
from convlab.weights.families import FAMILIES
from convlab.weights.tables import read_table
from convlab.weights.transforms import TRANSFORMS

NAMES = files("convlab.weights") / "names"
EFFICIENTNET = read_table("efficientnet", {})


def names(table, path, layout, order="", **numbers):
    found = table.names(path, layout, numbers, order)
    return found if found is None else found.names


def test_every_text_is_a_family():
    texts = {file.name.removesuffix(".txt") for file in NAMES.iterdir() if file.name.endswith(".txt")}
    assert texts == {family.file for family in FAMILIES.values()}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_table_knows_its_layouts_and_transforms(family):
    file, parts, without = FAMILIES[family]
    table = read_table(file, dict(parts), without)
    assert set(table.layouts) <= set(LAYOUTS)
    assert set(table.drops) | set(table.aliases) <= set(LAYOUTS)
    for row in table.rows:
        for cell in row.cells.values():
            assert "{p}" not in cell
            assert "{c}" not in cell
            assert cell.partition(":")[2] in TRANSFORMS


def test_lines_of_a_text_end_without_spaces():
    for file in NAMES.iterdir():
        if file.name.endswith(".txt"):
            assert not re.search(r"[ \t]+$", file.read_text(encoding="utf-8"), re.MULTILINE)


def test_numbers_and_arithmetic():
    convnext = read_table("convnext", {"p": "convnext"})
    path = "stages.2.blocks.7.mlp.fc1.weight"
    assert names(convnext, path, "torchvision", s=2, b=7) == ("features.5.7.block.3.weight",)
    assert names(convnext, "stages.3.downsample.0.bias", "torchvision", s=3) == ("features.6.0.bias",)
    regnet = read_table("regnet", {"c": "3"})
    assert names(regnet, "stages.0.blocks.2.conv3.weight", "timm", s=0, b=2) == ("s1.b3.conv3.conv.weight",)
    assert names(EFFICIENTNET, "conv_head.weight", "torchvision", t=7, n=16) == ("features.8.0.weight",)


def test_rows_for_blocks_of_one_order():
    path = "stages.1.blocks.0.conv1.weight"
    assert names(EFFICIENTNET, path, "timm", "middle", s=1, b=0) == ("blocks.1.0.conv_pw.weight",)
    assert names(EFFICIENTNET, path, "timm", "fused", s=1, b=0) == ("blocks.1.0.conv_exp.weight",)
    assert names(EFFICIENTNET, path, "timm", "both", s=1, b=0) is None


def test_a_beginning_of_paths_is_no_layer():
    assert names(EFFICIENTNET, "stages.1.blocks.0.other.weight", "timm", "middle", s=1, b=0) is None


def test_layers_that_a_layout_lacks_and_those_that_it_leaves_out():
    convnext = read_table("convnext", {"p": "convnextv2"})
    assert names(convnext, "stages.0.blocks.0.mlp.grn.weight", "torchvision", s=0, b=0) is None
    assert names(convnext, "head.fc.weight", "fcmae") == ()
    assert names(convnext, "head.fc.weight", "timm") == ("head.fc.weight",)


def test_pieces_and_ditto_marks():
    vit = read_table("vit", {})
    found = vit.names("stages.0.blocks.3.attention.attn.qkv.bias", "transformers_5", {"s": 0, "b": 3, "g": 3}, "middle")
    assert found.names == tuple(f"vit.layers.3.attention.{piece}_proj.bias" for piece in "qkv")
    assert found.needed == found.names
    assert found.transform == "thirds"
    assert names(vit, "stem.0.bias", "transformers_5") == ("vit.embeddings.patch_embeddings.projection.bias",)


def test_a_layout_can_be_left_out():
    assert "transformers" in read_table("resnet", {}).layouts
    assert "transformers" not in read_table("resnet", {}, ["transformers"]).layouts


ANY = ((6,), (6, 4), (6, 4, 1, 1), (6, 1, 3, 3))
FITTING = {
    "column": ((6,),),
    "row": ((6,),),
    "map": ((6,),),
    "indexed": ((25, 4),),
    "flat_indexed": ((25, 4),),
    "sparse_depthwise": ((6, 1, 3, 3),),
    "sparse_convolution": ((6, 4, 2, 2), (4, 1, 2, 2)),
}


@pytest.mark.parametrize(("name", "shape"), [(name, shape) for name in TRANSFORMS for shape in FITTING.get(name, ANY)])
def test_every_transform_is_inverted(name, shape):
    transform, ours = TRANSFORMS[name], torch.randn(shape)
    pieces = transform.theirs(ours)
    assert torch.equal(transform.ours(pieces[: transform.needed], shape), ours)
    empty = transform.theirs(torch.empty(shape, device="meta"))
    assert [piece.shape for piece in empty] == [piece.shape for piece in pieces]
