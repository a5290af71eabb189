"""Layouts: the names of the published maps, the authors' own conversions as oracles, and bits that survive every round trip."""

import csv
import dataclasses
from importlib.resources import files

import pytest
import timm
import torch
from designs import design_of, one_of_each_structure, preset, small
from timm.models.convnext import checkpoint_filter_fn as convnext_of_the_authors
from timm.models.swin_transformer import checkpoint_filter_fn as swin_of_the_authors
from torchvision.models.swin_transformer import ShiftedWindowAttention

from convlab import ConvlabError, build, load, turn
from convlab.presets import preset_names
from convlab.weights import LAYOUTS
from convlab.weights.converting import to_convlab
from convlab.weights.layouts import detect, from_convlab, layouts_of, naming, paths_of

FAMILIES = {
    "convnext": ("timm", "torchvision", "facebookresearch", "transformers", "convlab"),
    "convnext_v2": ("timm", "facebookresearch", "fcmae", "transformers", "convlab"),
    "convnext_rep": ("convlab",),
    "convnext_swin": ("convlab",),
    "convnext_iso": ("facebookresearch", "convlab"),
    "resnet": ("timm", "torchvision", "transformers", "convlab"),
    "resnext": ("timm", "torchvision", "convlab"),
    "regnetx": ("timm", "torchvision", "transformers", "convlab"),
    "regnety": ("timm", "torchvision", "transformers", "convlab"),
    "efficientnet": ("timm", "torchvision", "convlab"),
    "mobilenet": ("timm", "torchvision", "convlab"),
    "swin": ("timm", "torchvision", "facebookresearch", "transformers", "transformers_5", "convlab"),
    "vit": ("timm", "torchvision", "facebookresearch", "transformers", "transformers_5", "convlab"),
    "deit": ("timm", "torchvision", "facebookresearch", "transformers", "transformers_5", "convlab"),
}


def family(name):
    return max((start for start in FAMILIES if name.startswith(start)), key=len, default="")


PRESETS = [name for name in preset_names() if family(name)]


def weights_of(design, seed=0):
    """Random numbers in every tensor, counters included."""
    generator = torch.Generator().manual_seed(seed)
    state = build(design, initialized=False).state_dict()
    for tensor in state.values():
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * 100)
    return state


def equal(one, other):
    assert list(one) == list(other)
    for key, tensor in one.items():
        assert tensor.shape == other[key].shape, key
        assert torch.equal(tensor, other[key]), key


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_the_layouts_of_its_family(name):
    """At full size: names are unique, and none is empty but those that a layout's files leave out."""
    design = preset(name)
    assert layouts_of(design) == FAMILIES[family(name)]
    weights = paths_of(design)
    for layout in layouts_of(design):
        names = naming(design, layout, weights)
        flat = [name for item in names.values() for name in item.names]
        assert len(flat) == len(set(flat))
        left_out = {path for path, item in names.items() if not item.names}
        assert left_out == ({path for path in names if path.startswith("head.")} if layout == "fcmae" else set())


@pytest.mark.parametrize("name", one_of_each_structure(PRESETS))
def test_round_trips_keep_every_bit(name):
    design = small(name)
    ours = weights_of(design)
    for layout in layouts_of(design):
        theirs = from_convlab(ours, design, layout)
        back = to_convlab(theirs, design, layout)
        expected = {path: tensor for path, tensor in ours.items() if layout != "fcmae" or not path.startswith("head.")}
        equal(back, expected)
        equal(from_convlab(back, design, layout), theirs)


ONE_OF_EACH = (
    "convnext_t",
    "convnext_v2_atto",
    "convnext_iso_s",
    "resnet18",
    "resnext50_32x4d",
    "regnetx_400mf",
    "regnety_400mf",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "mobilenet_v2",
    "swin_t",
    "deit_s",
)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_layouts_are_told_apart_by_their_names(name):
    design = load(name)
    weights = paths_of(design)
    for layout in layouts_of(design):
        found = detect(from_convlab(weights, design, layout), design)
        assert naming(design, found) == naming(design, layout)


@pytest.mark.parametrize("name", ["convnext_t", "convnext_v2_atto", "resnet50", "deit_s"])
def test_round_trips_at_full_size(name):
    design = load(name)
    ours = weights_of(design)
    for layout in layouts_of(design):
        if layout != "fcmae":
            equal(to_convlab(from_convlab(ours, design, layout), design), ours)


@pytest.mark.parametrize(("name", "table"), [("convnext_t", "convnext_tiny"), ("convnext_v2_t", "convnextv2_tiny")])
def test_names_and_shapes_are_those_of_the_published_maps(name, table):
    text = (files("convlab.facts") / f"statedict_map_{table}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    design = load(name)
    ours = paths_of(design)
    for layout in ("facebookresearch", "torchvision", "transformers"):
        if layout in rows[0]:
            names = naming(design, layout)
            assert {path: item.names for path, item in names.items()} == {row["timm"]: (row[layout],) for row in rows}
            shapes = {
                key: "x".join(map(str, tensor.shape)) for key, tensor in from_convlab(ours, design, layout).items()
            }
            shape = "shape" if layout == "facebookresearch" else f"{layout}_shape"
            assert shapes == {row[layout]: row[shape] for row in rows}


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("convnext_atto", "convnext_atto"), ("convnext_t", "convnext_tiny"), ("convnext_v2_atto", "convnextv2_atto")],
)
def test_convnexts_of_the_authors_as_timm_reads_them(name, theirs):
    design = load(name)
    ours = weights_of(design)
    with torch.device("meta"):
        model = timm.create_model(theirs)
    read = convnext_of_the_authors({"model": from_convlab(ours, design, "facebookresearch")}, model)
    equal(dict(sorted(read.items())), dict(sorted(ours.items())))


def test_swins_of_the_authors_as_timm_reads_them():
    design = load("swin_t")
    ours = weights_of(design)
    model = timm.create_model("swin_tiny_patch4_window7_224")
    theirs = from_convlab(ours, design, "facebookresearch")
    assert "layers.0.downsample.reduction.weight" in theirs
    masks = {"layers.0.blocks.1.attn_mask": torch.zeros(64, 49, 49)}
    read = swin_of_the_authors(theirs, model)
    equal(dict(sorted(read.items())), dict(sorted(from_convlab(ours, design, "timm").items())))
    equal(to_convlab(theirs | masks, design), ours)
    with_buffers = (
        from_convlab(ours, design, "timm")
        | masks
        | {"layers.0.blocks.0.attn.relative_position_index": torch.zeros(49, 49)}
    )
    equal(to_convlab(with_buffers, design), ours)


@pytest.mark.parametrize("window", [2, 7, 12])
def test_the_index_of_relative_positions(window):
    design = turn(load("swin_t"), "block.window", window)
    attention = ShiftedWindowAttention(96, [window, window], [0, 0], 3)
    theirs = from_convlab(paths_of(design), design, "torchvision")
    assert (
        theirs["features.1.0.attn.relative_position_bias_table"].shape == attention.relative_position_bias_table.shape
    )
    assert torch.equal(theirs["features.1.0.attn.relative_position_index"], attention.relative_position_index)
    square = from_convlab(paths_of(design), design, "facebookresearch")[
        "layers.0.blocks.0.attn.relative_position_index"
    ]
    assert torch.equal(square, attention.relative_position_index.view(window**2, window**2))


def sparse(key, tensor):
    """A weight of the authors' dense ConvNeXt V2 as its sparse pre-training has it: the inverse of their conversion."""
    where, _, kind = key.rpartition(".")
    if key.startswith("downsample_layers.0."):
        return f"encoder.{key}", tensor
    if where.endswith(("dwconv", "downsample_layers.1.1", "downsample_layers.2.1", "downsample_layers.3.1")):
        if kind == "bias":
            return f"encoder.{key}", tensor[None]
        turned = torch.einsum("oihw->whio", tensor).flatten(
            0, 1
        )  # positions column by column, then inputs, then outputs
        return f"encoder.{where}.kernel", turned[:, 0] if where.endswith("dwconv") else turned
    if where.endswith("grn"):
        return f"encoder.{key}", tensor.flatten()[None]
    inner = "linear" if "pwconv" in where else "ln"
    return f"encoder.{where}.{inner}.{kind}", tensor


def test_masked_autoencoders_of_the_authors():
    design = load("convnext_v2_atto")
    ours = weights_of(design)
    dense = from_convlab(ours, design, "facebookresearch")
    theirs = dict(sparse(key, tensor) for key, tensor in dense.items() if not key.startswith(("norm.", "head.")))
    assert theirs["encoder.stages.2.5.dwconv.kernel"].shape == (49, 160)
    assert theirs["encoder.downsample_layers.3.1.kernel"].shape == (4, 160, 320)
    decoder = {"mask_token": torch.zeros(1, 512, 1, 1), "proj.weight": torch.zeros(512, 320, 1, 1)}
    decoder |= {"decoder.0.dwconv.weight": torch.zeros(512, 1, 7, 7), "pred.bias": torch.zeros(3072)}
    assert detect(theirs | decoder, design) == "fcmae"
    equal(
        to_convlab(theirs | decoder, design),
        {key: tensor for key, tensor in ours.items() if not key.startswith("head.")},
    )
    again = from_convlab(ours, design, "fcmae")
    equal(dict(sorted(again.items())), dict(sorted(theirs.items())))


def test_older_names_of_torchvisions_vision_transformers():
    design = load("deit_s")
    ours = weights_of(design)
    theirs = from_convlab(ours, design, "torchvision")
    published = {
        key.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): tensor
        for key, tensor in theirs.items()
    }
    assert published.keys() != theirs.keys()
    equal(to_convlab(published, design), ours)


def test_kernels_and_matrices():
    """A 1x1 convolution of ours is a matrix in layouts that keep it so, and the other way round."""
    convolutions = load("convnext_atto")
    assert paths_of(convolutions)["stages.0.blocks.0.mlp.fc1.weight"].shape == (160, 40, 1, 1)
    assert from_convlab(paths_of(convolutions), convolutions, "facebookresearch")[
        "stages.0.0.pwconv1.weight"
    ].shape == (160, 40)
    linear = turn(load("resnet50"), "block.pointwise", "linear")
    assert paths_of(linear)["stages.0.blocks.0.conv1.weight"].shape == (64, 64)
    assert from_convlab(paths_of(linear), linear, "timm")["layer1.0.conv1.weight"].shape == (64, 64, 1, 1)
    ours = weights_of(linear)
    equal(to_convlab(from_convlab(ours, linear, "torchvision"), linear), ours)


@pytest.mark.parametrize(
    ("name", "path", "value", "gone"),
    [
        ("convnext_t", "block.squeeze_ratio", 0.25, {"timm", "torchvision", "facebookresearch", "transformers"}),
        ("convnext_t", "block.grn", True, {"torchvision"}),
        ("convnext_v2_t", "block.layer_scale", 1e-6, {"fcmae"}),
        ("resnet50", "block.squeeze_ratio", 0.25, {"torchvision", "transformers"}),
        ("deit_s", "block.layer_scale", 1e-6, {"torchvision", "transformers", "transformers_5"}),
        ("resnet50", "stages.2.block", {"kind": "convnext"}, set(LAYOUTS) - {"convlab"}),
    ],
)
def test_a_layout_that_lacks_a_layer_has_no_such_design(name, path, value, gone):
    design = turn(load(name), path, value)
    assert not gone & set(layouts_of(design))
    for layout in gone:
        with pytest.raises(ConvlabError, match="knows no names of"):
            naming(design, layout)


def test_the_steps_of_the_walk_are_ours_alone_up_to_the_last():
    steps = {name: layouts_of(load(name)) for name in preset_names("roadmap")}
    assert steps["roadmap/16_separate_downsampling"] == FAMILIES["convnext"]
    assert steps["roadmap/09_kernel_7"] == ("convlab",)
    assert steps["roadmap/01_baseline"] == FAMILIES["resnet"]


def test_an_unknown_layout_is_told():
    with pytest.raises(ConvlabError, match='did you mean "torchvision"') as told:
        naming(load("convnext_t"), "torchvison")
    assert told.value.exit_code == 2


def test_a_design_of_other_sizes_has_its_familys_layouts():
    design = design_of({"depths": [1, 2, 1], "widths": [8, 16, 24], "block": {"kind": "convnext"}})
    assert layouts_of(design) == FAMILIES["convnext"]
    assert naming(design, "torchvision")["stages.2.blocks.0.norm.bias"].names == ("features.5.0.block.2.bias",)
    assert dataclasses.replace(design, name="other").key == design.key
