"""The Python of a design: it runs without convlab, it is the network that is built, and it is what a person would have written."""

import ast
import builtins
import dataclasses
import os
import subprocess
import sys
from functools import cache

import black
import pytest
import torch
from designs import PRESETS, SWEEP, design_of, designs, preset, small, swept
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from convlab import ConvlabError, build
from convlab.exports.python import python_source
from convlab.language.design import Design, lower
from convlab.language.knobs import knobs_of
from convlab.models.builder import assembled

ALLOWED = {"torch", "math", "collections"}
NAMES = sorted(SWEEP)
EVERY_EIGHTH = NAMES[::8]
SYSTEMS = (
    "convnext_t",
    "convnext_v2_atto",
    "convnext_iso_s",
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "regnetx_400mf",
    "regnety_4gf",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "mobilenet_v2",
    "swin_t",
    "vit_b16",
    "repvgg_a0",
    "replknet_31b",
)
LEAST = {"depths": [2, 3], "widths": [16, 32], "image": {"size": [40, 33]}, "drop_path": 0.1, "head": {"classes": 5}}
OWN_TOKENS = {"kind": "patchify", "patch_size": 8, "norm": "none"}
MIXED = {
    "kinds by turns": {
        "depths": [2, 1, 3, 2],
        "widths": [16, 16, 32, 48],
        "stages": {
            "1": {"block": {"kind": "mbconv"}, "downsample": {"kind": "in_block"}},
            "2": {"block": {"kind": "swin", "window": 2, "head_width": 8}},
            "3": {"block": {"kind": "vit", "heads": 2}},
        },
    },
    "squeeze-excite and activations by stage": {
        "depths": [1, 2, 2],
        "widths": [16, 24, 32],
        "block": {"kind": "mbconv", "activation": ["relu", "relu", "hardswish"], "squeeze_ratio": [0, 0.25, 0]},
        "downsample": {"kind": "in_block"},
    },
    "expansion by stage": {
        "depths": [2, 2, 2],
        "widths": [16, 24, 40],
        "block": {"kind": "mbconv", "expansion_ratio": [2, 4, 4], "kernel_size": [3, 5, 4]},
        "downsample": {"kind": "in_block"},
    },
    "blocks without a residual before blocks with one": {
        "block": {"kind": "bottleneck", "shortcut": "none"},
        "stages": {"1": {"block": {"kind": "convnext"}}},
    },
    "layer scale in one stage": {"block": {"kind": "convnext", "layer_scale": [0, 1e-4]}},
    "odd depths of shifted windows": {
        "depths": [1, 3],
        "block": {"kind": "swin", "window": 3, "heads": [2, 4], "layer_scale": 0.1},
        "downsample": {"kind": "patch_merging"},
    },
    "windows larger than the map": {
        "block": {"kind": "swin", "window": 7, "head_width": 8, "relative_position": False, "bias": False}
    },
    "tokens": {
        "depths": [3],
        "widths": [16],
        "block": {"kind": "vit", "heads": 2, "grn": True},
        "stem": {**OWN_TOKENS, "class_token": True, "position_embedding": True},
        "head": {"pool": "token", "norm_at": "before_pool", "classes": 3},
    },
    "positions": {
        "depths": [2],
        "widths": [16],
        "block": {"kind": "vit", "heads": 2},
        "stem": {**OWN_TOKENS, "position_embedding": True},
    },
    "layers written in the file everywhere": {
        "stem": {"kind": "custom", "branch": ["conv(3, 24, stride=2)", "squeeze_excite(0.5)", "norm", "conv(3, 1x)"]},
        "block": {
            "kind": "custom",
            "branches": [["norm", "window_attention(3)", "layer_scale"], ["pointwise(1x)"]],
            "heads": 2,
        },
        "downsample": {"kind": "custom", "branch": ["squeeze_excite(0.25)", "conv(2, 1x)", "norm"]},
    },
    "facebookresearch's names": {
        "depths": [4],
        "widths": [16],
        "names": "facebookresearch",
        "stem": {"kind": "patchify", "patch_size": 4, "width": 8},
        "head": {"hidden": 12, "dropout": 0.2, "norm_at": "before_pool"},
    },
    "one stage of a wider stem": {
        "depths": [4],
        "widths": [16],
        "stem": {"kind": "conv", "width": 24},
        "downsample": {"kind": "in_block"},
        "block": {"kind": "bottleneck"},
    },
    "dilated": {
        "depths": [1, 2, 2],
        "widths": [16, 16, 24],
        "strides": [1, 2, 2],
        "output_stride": 8,
        "block": {"kind": "convnext", "kernel_size": [3, 4, 6]},
        "downsample": {"kind": "in_block"},
    },
    "many stages": {"depths": [1] * 12, "widths": [16] * 12, "strides": [1] * 12},
    "norms of their own eps": {"norm_eps": 1e-3, "block": {"kind": "convnext", "norm": "group_norm"}},
}


@cache
def mixed(name):
    return design_of(LEAST | MIXED[name])


def loaded(text):
    """The names of a source, which may import torch and the standard library's few alone."""

    def guarded(name, *arguments, **options):
        assert name.partition(".")[0] in ALLOWED, f"imports {name}"
        return __import__(name, *arguments, **options)

    namespace = {"__name__": "exported", "__builtins__": {**vars(builtins), "__import__": guarded}}
    exec(compile(text, "exported.py", "exec"), namespace)
    return namespace


def made(design, **options):
    """The model that a design's source makes."""
    namespace = loaded(python_source(design))
    title, function = namespace["__all__"]
    model = namespace[function](**options)
    assert type(model) is namespace[title]
    return model


def scattered(state):
    """Weights that are nowhere those of a start, variances above 0."""
    draw = torch.Generator().manual_seed(0)
    found = {}
    for key, value in state.items():
        noise = torch.randn(value.shape, generator=draw) * 0.1
        floating = value.is_floating_point()
        found[key] = (value + noise).abs() + 0.1 if "running_var" in key else value + noise if floating else value
    return found


def same_network(design):
    """Assert that the source makes the network that convlab builds, and that it trains."""
    model, ours = made(design), build(design, seed=0)
    state = ours.state_dict()
    assert list(model.state_dict()) == list(state)
    assert [value.shape for value in model.state_dict().values()] == [value.shape for value in state.values()]
    state = scattered(state)
    model.load_state_dict(state, strict=True)
    ours.load_state_dict(state)
    images = torch.randn(2, *design.image.shape, generator=torch.Generator().manual_seed(1))
    model.train()(images).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.load_state_dict(state)  # training has moved the statistics of batch norms
    model, ours, images = model.eval().double(), ours.eval().double(), images.double()
    with torch.no_grad():
        one, other, features = model(images), ours(images), model.forward_features(images)
    assert torch.allclose(one, other, rtol=1e-6, atol=1e-9 * max(1.0, other.abs().max().item()))
    assert features.shape[1:] == tuple(ours.forward_features(images).shape[1:])
    assert rates(model) == pytest.approx(rates(ours))


def rates(model):
    """The rates of drop path, those that do anything."""
    found = [module.rate for module in model.modules() if type(module).__name__ == "DropPath"]
    return [rate for rate in found if rate]


def well_written(text):
    """Assert that black leaves a source as it is, and that no class stands there twice."""
    assert black.format_str(text, mode=black.Mode()) == text
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    plain = [ast.dump(ast.Module(node.bases + node.body[isinstance(node.body[0], ast.Expr) :], [])) for node in classes]
    assert len(set(plain)) == len(plain)


def linted(folder, texts):
    """What ruff says of sources."""
    for index, text in enumerate(texts):
        (folder / f"source_{index}.py").write_text(text)
    rules = ["--isolated", "--select", "F,E,W,I,B,UP,SIM,C4", "--ignore", "E501,UP038", "--target-version", "py311"]
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", *rules, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@pytest.mark.parametrize("name", EVERY_EIGHTH)
def test_source_is_the_network(name):
    same_network(swept(name))
    well_written(python_source(swept(name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NAMES) - set(EVERY_EIGHTH)))
def test_every_source_is_the_network(name):
    same_network(swept(name))
    well_written(python_source(swept(name)))


@pytest.mark.parametrize("name", MIXED)
def test_source_of_mixed_stages_is_the_network(name):
    same_network(mixed(name))
    well_written(python_source(mixed(name)))


@settings(max_examples=15)
@given(designs())
def test_source_of_a_random_design_is_the_network(design):
    same_network(design)
    well_written(python_source(design))


@pytest.mark.slow
@settings(max_examples=100)
@given(designs())
def test_source_of_many_random_designs_is_the_network(design):
    same_network(design)
    well_written(python_source(design))


def test_ruff_has_nothing_to_say(tmp_path):
    texts = [python_source(swept(name)) for name in EVERY_EIGHTH]
    texts += [python_source(mixed(name)) for name in MIXED]
    assert linted(tmp_path, texts) == "All checks passed!"


def full_depth(name):
    """Assert that a preset's source has the keys and shapes of the model, at its published size."""
    design = preset(name)
    with torch.device("meta"):
        model = made(design)
        ours = assembled(design, lower(design), torch.device("meta"))
    one, other = model.state_dict(), ours.state_dict()
    assert list(one) == list(other)
    assert all(one[key].shape == other[key].shape for key in one)
    assert rates(model) == pytest.approx(rates(ours))
    well_written(python_source(design))


@pytest.mark.parametrize("name", SYSTEMS)
def test_keys_and_shapes_at_full_depth(name):
    full_depth(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PRESETS) - set(SYSTEMS)))
def test_keys_and_shapes_of_every_preset(name):
    full_depth(name)


@pytest.mark.parametrize("name", ["small swin_t", "tokens", "positions", "odd depths of shifted windows"])
@pytest.mark.parametrize("size", [(48, 64), (56, 40)])
def test_maps_of_another_size(name, size):
    design = swept(name) if name in SWEEP else mixed(name) if name in MIXED else small(name.removeprefix("small "))
    model, ours = made(design).eval(), build(design, seed=0).eval()
    state = scattered(ours.state_dict())
    model.load_state_dict(state)
    ours.load_state_dict(state)
    images = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(model(images), ours(images), rtol=1e-4, atol=1e-4)


INITIALIZATIONS = knobs_of(Design)["initialization"].choices


@pytest.mark.parametrize("kind", INITIALIZATIONS)
@pytest.mark.parametrize("name", ["resnext50_32x4d", "convnext_v2_atto", "efficientnet_b0", "swin_t"])
def test_weights_start_as_the_design_says(name, kind):
    design = dataclasses.replace(small(name), initialization=kind)
    model, ours = made(design).state_dict(), build(design).state_dict()
    for key, other in ours.items():
        if not other.is_floating_point():
            continue
        one = model[key]
        if other.numel() == 1 or other.std() == 0:
            assert torch.equal(one, other), key  # zeros, ones and layer scale are the same
        elif other.numel() >= 512:
            assert one.std() == pytest.approx(other.std().item(), rel=0.2), key
            assert abs(one.mean() - other.mean()) < 6 * other.std() / other.numel() ** 0.5, key
            bounded = other.abs().max() < 1.9 * other.std()  # uniform: the largest is sqrt(3) deviations
            assert bounded == (one.abs().max() < 1.9 * one.std()), key


SCRIPT = """
import sys
from convlab import load
from convlab.exports.python import python_source

for name in ("convnext_t", "efficientnet_v2_s", "swin_t"):
    print(python_source(load(name)))
assert "torch" not in sys.modules
"""


def test_text_is_the_same_in_every_process_and_needs_no_torch():
    texts = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1")
    ]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("name", "most"), [("convnext_t", 170), ("resnet50", 140), ("efficientnet_b0", 250), ("swin_t", 320)]
)
def test_files_are_short(name, most):
    assert len(python_source(preset(name)).splitlines()) <= most


def test_length_does_not_grow_with_depth():
    design = preset("resnet50")
    deep = dataclasses.replace(design, stages=tuple(dataclasses.replace(stage, depth=50) for stage in design.stages))
    assert len(python_source(deep).splitlines()) == len(python_source(design).splitlines())


def test_only_what_is_used_is_there():
    text = python_source(preset("resnet50"))
    for word in (
        "GlobalResponseNorm",
        "LayerNorm",
        "DropPath",
        "Linear2d",
        "SqueezeExcite",
        "UnevenConv2d",
        "functional",
    ):
        assert word not in text
    assert "DropPath" in python_source(preset("convnext_t"))
    quoted = dataclasses.replace(preset("resnet50"), summary="Attention DropPath WindowAttention")
    assert "class WindowAttention" not in python_source(quoted)


def test_blocks_and_stages_are_loops():
    text = python_source(preset("convnext_t"))
    assert text.count("class ConvNeXtBlock") == text.count("class Stage(") == 1
    assert "for width, rates in zip(widths, schedule, strict=True):" in text
    assert "[ConvNeXtBlock(width, drop_path=rate) for rate in rates]" in text
    text = python_source(preset("resnet50"))
    assert "def __init__(self, width_in: int, width: int, stride: int = 1) -> None:" in text
    assert "hidden = width // 4" in text
    assert "if stride != 1 or width_in != width:" in text


def test_names_and_classes():
    model = made(small("convnext_t"), classes=7)
    assert model.head.fc.out_features == 7
    assert model(torch.randn(2, 3, 64, 64)).shape == (2, 7)
    assert type(model).__name__ == "ConvNeXt"


ODD_NAMES = (
    "",
    "torch",
    "class",
    "match",
    "sum",
    "Stage",
    "stage",
    "ConvNet",
    "convnext-t.v2",
    "9_lives",
    "roadmap/05_width",
    "sequence",
    "nn",
    "x",
    "ネット",
    "drop_path_rates",
    "ConvNeXtBlock",
    "print",
    "_",
    "__init__",
)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_of_a_design_makes_a_function(name):
    design = dataclasses.replace(small("convnext_t"), name=name)
    assert made(design)(torch.randn(1, 3, 64, 64)).shape == (1, 10)
    well_written(python_source(design))


@given(st.text(max_size=300))
@example('"')
@example('"""')
@example("\\")
@example("a" * 90 + '\\"')
@example("\\N{x} \\x \x00 \x85")
def test_any_summary_is_a_docstring(summary):
    text = python_source(dataclasses.replace(small("resnet18"), summary=summary))
    compile(text, "exported.py", "exec")  # warnings of escapes are errors here
    assert black.format_str(text, mode=black.Mode()) == text


def test_costs_and_use_are_told():
    doc = ast.get_docstring(ast.parse(python_source(preset("convnext_t"))))
    assert doc.startswith(
        "ConvNeXt-T (Liu et al., 2022, arXiv:2201.03545)\n\n28.59 M parameters, 4.456 G multiply-adds"
    )
    assert "model = convnext_t()\n    scores = model(images)  # (N, 3, 224, 224) to (N, 1000)" in doc
    assert preset("convnext_t").key in doc


def test_an_invalid_design_is_refused():
    design = preset("resnext50_32x4d")
    stages = tuple(dataclasses.replace(stage, width=stage.width + 2) for stage in design.stages)
    with pytest.raises(ConvlabError):
        python_source(dataclasses.replace(design, stages=stages))


def test_half_precision_and_a_checkpoint_of_the_built_model(tmp_path):
    design = small("convnext_v2_t")
    ours = build(design, seed=0)
    torch.save(ours.state_dict(), tmp_path / "weights.pt")
    model = made(design)
    model.load_state_dict(torch.load(tmp_path / "weights.pt"))
    assert model.bfloat16()(torch.randn(2, 3, 64, 64).bfloat16()).dtype == torch.bfloat16
    assert isinstance(model, nn.Module)


@pytest.mark.parametrize("branches", ["depthwise(7)", "depthwise(7), depthwise(3)"])
def test_a_sum_of_one_branch_is_that_branch(branches):
    text = f"parallel({branches})"
    block = {"kind": "custom", "branch": [text, "norm", "pointwise(1x)"]}
    design = design_of({**LEAST, "block": block})
    same_network(design)
    several = "," in branches
    assert ("class Sum(" in python_source(design), "sum of two branches" in python_source(design)) == (several, several)
    assert "a branches" not in python_source(design)
