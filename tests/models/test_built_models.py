"""A built model is an ordinary torch model: it runs in every precision and layout, trains, compiles, exports, copies and tells itself."""

import copy
import io
import pickle

import pytest
import torch
from designs import SWEEP, design_of, swept
from torch import nn

from convlab import build, load, turn
from convlab.modules import DropPath, GlobalResponseNorm2d

NAMES = (
    "small convnext_t",
    "small convnext_v2_atto",
    "small resnext50_32x4d",
    "custom2-in_block",
    "custom10-separate",
    next(name for name in SWEEP if name.endswith("-convnext_v2")),
    "attention-swin",
    "attention-swin-shift",
    "attention-vit",
    "attention-hybrid-attention",
    "small efficientnet_b0",
)
TINY = design_of(
    {
        "depths": [1, 2],
        "widths": [16, 32],
        "drop_path": 0.2,
        "image": {"size": 32},
        "head": {"classes": 10},
        "block": {"kind": "convnext_v2", "layer_scale": 0.1, "kernel_size": [7, 4], "squeeze_ratio": 0.25},
    }
)


def image_of(model, batch=2, dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(batch, *model.design.image.shape, dtype=dtype)


@pytest.mark.parametrize("name", NAMES)
def test_layouts_give_the_same(name):
    design = swept(name)
    last, contiguous = build(design, seed=0).eval(), build(design, channels_last=False, seed=0).eval()
    assert all(torch.equal(one, other) for one, other in zip(last.parameters(), contiguous.parameters(), strict=True))
    kernels = [module.weight for module in last.modules() if type(module) is nn.Conv2d]
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    image = image_of(last)
    with torch.no_grad():
        outputs = [
            model(x) for model in (last, contiguous) for x in (image, image.to(memory_format=torch.channels_last))
        ]
    for output in outputs[1:]:
        assert torch.allclose(output, outputs[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_and_autocast_are_near_float32(name):
    design = swept(name)
    model, half = build(design, seed=0).eval(), build(design, dtype=torch.bfloat16, seed=0).eval()
    assert {tensor.dtype for tensor in half.state_dict().values() if tensor.is_floating_point()} == {torch.bfloat16}
    image = image_of(model)
    with torch.no_grad():
        expected = model(image)
        found = half(image.bfloat16()).float()
        with torch.autocast("cpu", torch.bfloat16):
            autocast = model(image).float()
    spread = expected.abs().max()
    assert (found - expected).abs().max() < 0.06 * spread
    assert (autocast - expected).abs().max() < 0.06 * spread


@pytest.mark.parametrize("name", NAMES)
def test_a_train_step_changes_the_parameters(name):
    model = build(swept(name), seed=0)
    assert model.training
    if hasattr(model.head, "drop"):
        model.head.drop.p = 0.0
    for module in model.modules():
        if isinstance(module, DropPath):
            module.rate = 0.0
    before = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)  # moves by the sign of a gradient, however small
    for _ in range(3):  # silent last norms and GRN's weights of 0 block the gradient of a branch in the first step
        optimizer.zero_grad()
        model(image_of(model, 4)).square().sum().backward()
        optimizer.step()
    assert all(parameter.grad is not None and torch.isfinite(parameter.grad).all() for parameter in model.parameters())
    unmoved = {key for key, parameter in model.named_parameters() if torch.equal(parameter, before[key])}
    assert not unmoved


@pytest.mark.parametrize("name", NAMES)
def test_copies_give_the_same(name):
    model = build(swept(name), seed=0).eval()
    image = image_of(model)
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    buffer.seek(0)
    empty = build(swept(name), initialized=False).eval()
    empty.load_state_dict(torch.load(buffer, weights_only=True))
    with torch.no_grad():
        for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), empty):
            assert torch.equal(other(image), model(image))
            assert other.design == model.design


@pytest.mark.parametrize("name", ["small convnext_t", "small resnext50_32x4d", "custom10-separate"])
def test_export_gives_the_same(name):
    model = build(swept(name), seed=0).eval()
    image = image_of(model)
    exported = torch.export.export(model, (image,)).module()
    with torch.no_grad():
        assert torch.allclose(exported(image), model(image), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # inductor's own
@pytest.mark.parametrize("design", [TINY, swept("small resnet18")], ids=["tiny", "resnet18"])
def test_compiled_gives_the_same(design):
    model = build(design, seed=0).eval()
    image = image_of(model)
    compiled = torch.compile(model, fullgraph=True)
    with torch.no_grad():
        assert torch.allclose(compiled(image), model(image), rtol=1e-4, atol=1e-5)


def test_traced_by_dynamo_in_one_graph():
    torch._dynamo.reset()
    model = build(TINY, seed=0).eval()
    image = image_of(model)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    with torch.no_grad():
        assert torch.allclose(compiled(image), model(image), rtol=1e-5, atol=1e-6)


def test_it_tells_itself():
    text = repr(build(load("convnext_t"), device="meta"))
    assert text.startswith("ConvNet(\n  convnext_t: convnext; depths [3, 3, 9, 3], widths [96, 192, 384, 768]")
    assert text.count("          convnext\n") == 18
    assert "(drop_path): DropPath(rate=0.1000)" in text
    mixed = repr(build(swept("hybrid"), device="meta"))
    assert "bottleneck, custom, convnext_v2; depths [1, 1, 1]" in mixed
    assert swept("hybrid").key in mixed
    assert "PaddedConv2d(" in repr(build(TINY, device="meta"))
    assert "before=1, after=2" in repr(build(TINY, device="meta"))
    assert "GlobalResponseNorm2d(64, eps=1e-06)" in repr(build(TINY, device="meta"))
    norms = repr(build(turn(TINY, "block.norm", "rms_norm"), device="meta"))
    assert "RMSNorm2d(16, eps=1e-06)" in norms


def test_drop_path_drops_whole_images_and_keeps_the_mean():
    torch.manual_seed(0)
    path = DropPath(0.25)
    x = torch.ones(4000, 2, 3, 3)
    dropped = path(x)
    kept = dropped[:, 0, 0, 0]
    assert kept.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert torch.equal(dropped, kept.view(-1, 1, 1, 1).expand_as(dropped))
    assert float((kept == 0).float().mean()) == pytest.approx(0.25, abs=0.03)
    assert path.eval()(x) is x
    assert DropPath(0.0).train()(x) is x


def test_drop_path_acts_in_a_model_only_while_training():
    model = build(TINY, seed=0)
    image = image_of(model, 8)
    torch.manual_seed(0)
    assert not torch.equal(model(image), model(image))
    model.eval()
    assert torch.equal(model(image), model(image))


def test_response_norm_is_the_papers():
    """The sum x + weight * x * n + bias, n = |x| / mean |x| (Woo et al., 2023, algorithm 1)."""
    torch.manual_seed(0)
    x, norm = torch.randn(2, 6, 5, 4), GlobalResponseNorm2d(6)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    size = x.square().sum((2, 3), keepdim=True).sqrt()
    expected = (
        norm.weight.view(1, -1, 1, 1) * (x * size / (size.mean(1, keepdim=True) + 1e-6))
        + norm.bias.view(1, -1, 1, 1)
        + x
    )
    assert torch.allclose(norm(x), expected, atol=1e-6)


def test_even_kernels_pad_one_more_after():
    model = build(design_of({"depths": [1], "widths": [8], "block": {"kernel_size": 4, "kind": "convnext"}}))
    convolution = model.get_submodule("stages.0.blocks.0.conv_dw")
    x = torch.randn(1, 8, 9, 7)
    padded = nn.functional.pad(x, (1, 2, 1, 2))
    expected = nn.functional.conv2d(padded, convolution.weight, convolution.bias, groups=8)
    assert torch.allclose(convolution(x), expected, atol=1e-6)
    assert convolution(x).shape == x.shape
