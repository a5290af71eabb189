"""Published figures: every preset that stands for a published network has its parameters and multiply-adds, to the unit or digit."""

import pytest

from convlab import facts, load, profile
from convlab.presets import preset_names

PUBLISHED = {
    "convnext_t": ("ConvNeXt-T", "torchvision convnext_tiny"),
    "convnext_s": ("ConvNeXt-S", "torchvision convnext_small"),
    "convnext_b": ("ConvNeXt-B", "torchvision convnext_base"),
    "convnext_l": ("ConvNeXt-L", "torchvision convnext_large"),
    "convnext_xl": ("ConvNeXt-XL",),
    "convnext_iso_s": ("ConvNeXt-S (iso.)",),
    "convnext_iso_b": ("ConvNeXt-B (iso.)",),
    "convnext_iso_l": ("ConvNeXt-L (iso.)",),
    "convnext_v2_atto": ("ConvNeXt V2-Atto",),
    "convnext_v2_femto": ("ConvNeXt V2-Femto",),
    "convnext_v2_pico": ("ConvNeXt V2-Pico",),
    "convnext_v2_nano": ("ConvNeXt V2-Nano",),
    "convnext_v2_t": ("ConvNeXt V2-Tiny",),
    "convnext_v2_b": ("ConvNeXt V2-Base",),
    "convnext_v2_l": ("ConvNeXt V2-Large",),
    "convnext_v2_h": ("ConvNeXt V2-Huge",),
    "resnet50": ("ResNet-50",),
    "resnet101": ("ResNet-101",),
    "resnet152": ("ResNet-152",),
    "resnet200": ("ResNet-200",),
    "resnext50_32x4d": ("ResNeXt-50 32x4d",),
}
WITHOUT_ROWS = {
    "convnext_atto": (3_695_520, None),
    "convnext_femto": (5_220_000, 10_000),
    "convnext_pico": (9_050_000, 10_000),
    "convnext_nano": (15_590_000, 10_000),
    "convnext_rep_t": (28_589_128 + 3 * 10 * (96 + 192 + 3 * 384 + 768), None),  # a 3x3 and its bias beside each 7x7
    "resnet18": (11_689_512, None),
    "resnet34": (21_797_672, None),
    "resnext101_32x4d": (44_177_704, None),
    "resnext101_32x8d": (88_791_336, None),
}
"""Parameters of presets that no table of the papers holds: timm's and torchvision's, and how far they may be off as printed."""

STEPS = {step.order: step for step in facts.roadmap() if 1 <= step.order <= 16}
WALK = {int(name.split("/")[1][:2]): name for name in preset_names("roadmap")}


def rows_of(name):
    return [row for row in facts.models() if row.model in PUBLISHED[name]]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models(name):
    rows = rows_of(name)
    assert any(row.params is not None for row in rows)
    assert any(row.gmacs is not None for row in rows)
    for row in rows:
        costs = profile(load(name), image=row.image_size)
        assert row.params in (None, costs.params)
        if row.gmacs is not None:
            digits = len(str(row.gmacs).partition(".")[2])
            assert abs(costs.macs / 1e9 - row.gmacs) <= 0.5 * 10**-digits + 1e-9, (row.gmacs, costs.macs)
        if row.printed_params_millions is not None:
            assert abs(costs.params / 1e6 - row.printed_params_millions) <= 1.0


def test_every_preset_has_a_published_figure():
    ours = {"convnext_swin_t"}
    assert set(PUBLISHED) | set(WITHOUT_ROWS) | ours == {
        name for name in preset_names() if name.startswith(("convnext", "resne"))
    }


@pytest.mark.parametrize("name", WITHOUT_ROWS)
def test_parameters_of_the_others(name):
    params, off = WITHOUT_ROWS[name]
    assert abs(profile(load(name)).params - params) <= (off or 0)


def test_the_hybrid_is_made_of_its_parents():
    """Layer by layer: the blocks of the last two stages are Swin-T's, all else is ConvNeXt-T's."""
    hybrid, convnext, swin = map(layers_of, ("convnext_swin_t", "convnext_t", "swin_t"))
    for path, layer in hybrid.items():
        assert layer == (swin if path.startswith(("stages.2.blocks", "stages.3.blocks")) else convnext)[path]
    attention = [path for path in hybrid if path.endswith("attn")]
    assert attention == [path for path in swin if path.endswith("attn")][-len(attention) :] != []


def layers_of(name):
    rows = profile(load(name)).rows
    return {row.path: (row.layer.label(), row.layer.params(row.input), row.input, row.count) for row in rows}


def test_the_walk_has_all_its_steps():
    assert sorted(WALK) == sorted(STEPS) == list(range(1, 17))


@pytest.mark.parametrize("order", STEPS)
def test_the_walk(order):
    step, costs = STEPS[order], profile(load(WALK[order]))
    assert costs.macs == step.macs
    assert costs.params == step.params
    assert costs.design.depths == step.depths


@pytest.mark.parametrize("order", STEPS)
def test_layers_of_the_walk(order):
    """Convolutions, norms and activation calls are those of the settled walk."""
    step, rows = STEPS[order], profile(load(WALK[order])).rows

    def calls(*kinds):
        return sum(row.count for row in rows if type(row.layer).__name__ in kinds)

    assert calls("Convolution", "Depthwise", "Pointwise") == step.convolutions
    assert calls("BatchNorm") == step.batch_norms
    assert calls("LayerNorm") == step.layer_norms
    assert calls("Activation") == step.activation_calls


GOLDEN = [
    ("convnext_t", 224, 28_589_128, 4.4555),
    ("convnext_t", 384, 28_589_128, 13.0923),
    ("convnext_s", 224, 50_223_688, 8.6837),
    ("convnext_s", 384, 50_223_688, 25.5180),
    ("convnext_b", 224, 88_591_464, 15.3547),
    ("convnext_b", 384, 88_591_464, 45.1221),
    ("convnext_l", 224, 197_767_336, 34.3614),
    ("convnext_l", 384, 197_767_336, 100.9776),
    ("convnext_xl", 224, 350_196_968, 60.9210),
    ("convnext_xl", 384, 350_196_968, 179.0293),
    ("convnext_v2_t", 224, 28_635_496, 4.4555),
    ("convnext_v2_atto", 224, 3_708_400, 0.5473),
    ("resnet50", 224, 25_557_032, 4.0892),
    ("resnext50_32x4d", 224, 25_028_904, 4.2305),
    ("convnext_iso_s", 224, 22_308_712, 4.2864),
    ("convnext_iso_b", 224, 87_083_752, 16.8963),
    ("convnext_iso_l", 224, 305_942_504, 59.6992),
]


@pytest.mark.parametrize(("name", "size", "params", "gmacs"), GOLDEN)
def test_golden_numbers(name, size, params, gmacs):
    costs = profile(load(name), image=size)
    assert costs.params == params
    assert round(costs.macs / 1e9, 4) == gmacs


def test_stride_on_the_first_convolution():
    """The original ResNet-50: stride on the 1x1 convolution."""
    costs = profile(load("resnet50", sets=["block.stride_at='expand'"]))
    assert round(costs.macs / 1e9, 4) == 3.8580
    assert round(costs.activations / 1e6, 3) == 10.588


@pytest.mark.parametrize(
    ("name", "millions"), [("resnet50", 11.115), ("resnext50_32x4d", 14.402), ("convnext_t", 13.436)]
)
def test_activations(name, millions):
    assert round(profile(load(name)).activations / 1e6, 3) == millions


@pytest.mark.parametrize(
    ("name", "millions"), [("convnext_s", 21.6), ("convnext_b", 28.8), ("convnext_l", 43.1), ("convnext_xl", 57.5)]
)
def test_activations_as_printed(name, millions):
    assert round(profile(load(name)).activations / 1e6, 1) == millions


def test_activations_with_pools_are_those_of_pycls():
    assert profile(load("resnet50")).total("activations_with_pools") == 11_315_688


@pytest.mark.parametrize(("name", "gflops"), [("convnext_t", 26.704), ("resnet50", 24.299)])
def test_training(name, gflops):
    """Floating-point operations of forward and backward, without the gradient of the image."""
    assert round(2 * profile(load(name)).training_macs / 1e9, 3) == gflops


def test_isotropic_l_without_layer_scale():
    assert profile(load("convnext_iso_l", sets=["block.layer_scale=0"])).params == 305_905_640


def test_costs_of_timm():
    """Parameters are those of timm; its multiply-adds hold norms as well and are never fewer than ours."""
    names = {
        "convnext_t": "convnext_tiny",
        "convnext_s": "convnext_small",
        "convnext_b": "convnext_base",
        "convnext_l": "convnext_large",
    }
    names |= {name: name for name in preset_names() if name.startswith("resne")}
    names |= {f"convnext_{size}": f"convnext_{size}" for size in ("atto", "femto", "pico", "nano")}
    names |= {f"convnext_v2_{size}": f"convnextv2_{size}" for size in ("atto", "femto", "pico", "nano")}
    names |= {
        "convnext_v2_t": "convnextv2_tiny",
        "convnext_v2_b": "convnextv2_base",
        "convnext_v2_l": "convnextv2_large",
    }
    found = [(ours, row) for ours, theirs in names.items() for row in facts.timm_costs() if row.model == theirs]
    assert len({ours for ours, _ in found}) >= 10
    for ours, row in found:
        costs = profile(load(ours), image=row.image_size)
        assert costs.params == row.params, ours
        assert 0.98 * row.gmacs <= costs.macs / 1e9 <= row.gmacs + 0.006, ours
