"""Swin, DeiT and ViT are the published networks: parameters, multiply-adds and, with the same weights, outputs."""

import pytest
import timm
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.swin_transformer import SwinTransformerBlock
from weights import assert_close, images, randomized, renamed

from convlab import build, load, profile
from convlab.modules import WindowAttention2d
from convlab.presets import preset_names

THEIRS = {
    "swin_t": "swin_tiny_patch4_window7_224",
    "swin_s": "swin_small_patch4_window7_224",
    "swin_b": "swin_base_patch4_window7_224",
    "swin_l": "swin_large_patch4_window7_224",
    "swin_b_384": "swin_base_patch4_window12_384",
    "swin_l_384": "swin_large_patch4_window12_384",
    "deit_s": "deit_small_patch16_224",
    "deit_b": "deit_base_patch16_224",
    "vit_s16": "vit_small_patch16_224",
    "vit_b16": "vit_base_patch16_224",
    "vit_l16": "vit_large_patch16_224",
}
SMALL = ["swin_t", "deit_s", "vit_s16"]
MIDDLE = ["swin_s", "swin_b", "swin_b_384", "vit_b16"]

COMMON = [
    (r"\.attention\.norm\.", ".norm1."),
    (r"\.attention\.attn\.relative_position_bias$", ".attn.relative_position_bias_table"),
    (r"\.attention\.attn\.", ".attn."),
    (r"\.mlp\.norm\.", ".norm2."),
    (r"^norm_pre\.", "norm."),
    (r"^stem\.0\.", "patch_embed.proj."),
]
SWIN = [
    (r"^stages\.(\d)\.downsample\.1\.", r"layers.\1.downsample.norm."),
    (r"^stages\.(\d)\.downsample\.2\.", r"layers.\1.downsample.reduction."),
    (r"^stages\.", "layers."),
    (r"^stem\.1\.", "patch_embed.norm."),
]
VIT = [
    (r"^stages\.0\.", ""),
    (r"^stem\.1\.class_token$", "cls_token"),
    (r"^stem\.1\.position_embedding$", "pos_embed"),
    (r"^head\.fc\.", "head."),
]


def theirs_of(name, device="cpu"):
    with torch.device(device):
        return timm.create_model(THEIRS[name], pretrained=False).eval()


def test_all_presets_of_the_families_are_compared():
    families = ("swin", "vit", "deit")
    assert {name for name in preset_names() if name.startswith(families)} == set(THEIRS)


@pytest.mark.parametrize("name", THEIRS)
def test_parameters(name):
    theirs = theirs_of(name, "meta")
    assert profile(load(name)).params == sum(parameter.numel() for parameter in theirs.parameters())


@pytest.mark.parametrize("name", THEIRS)
def test_macs(name):
    design = load(name)
    theirs = theirs_of(name, "meta")
    with FlopCounterMode(display=False) as counter:
        theirs(torch.empty(1, *design.image.shape, device="meta"))
    assert profile(design).flops == counter.get_total_flops()


def compare_outputs(name):
    design = load(name)
    ours = randomized(build(design, initialized=False))
    theirs = theirs_of(name)
    state = renamed(ours.state_dict(), COMMON + (SWIN if name.startswith("swin") else VIT))
    theirs.load_state_dict(state)
    image = images(size=design.image.size)
    with torch.no_grad():
        assert_close(ours(image), theirs(image))


@pytest.mark.parametrize("name", SMALL)
def test_outputs(name):
    compare_outputs(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", MIDDLE)
def test_outputs_of_larger_models(name):
    compare_outputs(name)


@pytest.mark.parametrize("size", [(14, 14), (7, 7), (16, 9), (9, 23), (8, 7)])
@pytest.mark.parametrize("shift", [0, 2])
def test_windows_that_do_not_tile_the_map(size, shift):
    """Padding and shifts as published; torchvision pads a map that is smaller than a window too, so windows are smaller here."""
    ours = randomized(WindowAttention2d(24, 3, 5, size, bool(shift), True, True))
    theirs = SwinTransformerBlock(24, 3, [5, 5], [shift, shift]).attn.eval()
    names = {"relative_position_bias": "relative_position_bias_table"}
    state = {names.get(name, name): tensor for name, tensor in ours.state_dict().items()}
    theirs.load_state_dict(state | {"relative_position_index": theirs.relative_position_index})
    x = torch.randn(2, 24, *size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert_close(ours(x), theirs(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


@pytest.mark.parametrize("size", [(10, 12), (3, 9), (4, 4)])
def test_maps_of_other_sizes_than_that_of_the_construction(size):
    """The orders and masks that are made on the way are those that are kept."""
    kept = randomized(WindowAttention2d(8, 2, 4, size, True, True, True))
    made = WindowAttention2d(8, 2, 4, (16, 16), True, True, True).eval()
    made.load_state_dict(kept.state_dict())
    x = torch.randn(2, 8, *size)
    with torch.no_grad():
        assert torch.equal(kept(x), made(x))


def test_a_map_smaller_than_a_window_is_one_window():
    module = randomized(WindowAttention2d(8, 2, 7, (3, 5), True, True, True))
    x = torch.randn(1, 8, 3, 5)
    with torch.no_grad():
        y = module(x)
        x[:, :, 0, 0] += 1
        assert ((module(x) - y).abs().amax(1) > 1e-6).all()
