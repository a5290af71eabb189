"""Built models on an NVIDIA GPU: eager and compiled, float32, bfloat16 and autocast, contiguous and channels-last."""

import dataclasses

import pytest
import torch

from convlab import ConvlabError, build, load, profile

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU"),
]

PRESETS = (
    "convnext_atto",
    "convnext_v2_atto",
    "resnet18",
    "resnext50_32x4d",
    "efficientnet_b0",
    "regnety_400mf",
    "swin_t",
    "deit_s",
)


def image_for(model, batch=2):
    return torch.randn(batch, *model.design.image.shape, device="cuda").to(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("channels_last", [False, True])
def test_cuda_equals_cpu(name, channels_last):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    on_cpu = build(load(name), seed=0).eval()
    on_cuda = build(load(name), device="cuda", channels_last=channels_last).eval()
    on_cuda.load_state_dict(on_cpu.state_dict())
    image = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        expected, found = on_cpu(image), on_cuda(image.cuda()).cpu()
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.abs().max())


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_forward_and_backward(name, dtype):
    model = build(load(name), device="cuda", dtype=dtype)
    loss = model(image_for(model).to(dtype)).square().mean()
    loss.backward()
    assert torch.isfinite(loss)
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("name", PRESETS)
def test_autocast(name):
    model = build(load(name), device="cuda").eval()
    with torch.no_grad(), torch.autocast("cuda", torch.bfloat16):
        assert torch.isfinite(model(image_for(model))).all()


@pytest.mark.parametrize("name", PRESETS)
def test_compiled_equals_eager(name):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    model = build(load(name), device="cuda", seed=0).eval()
    image = image_for(model)
    with torch.no_grad():
        expected, found = model(image), torch.compile(model)(image)
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.abs().max())


@pytest.mark.parametrize("name", PRESETS)
def test_peak_memory_at_inference_is_near_the_prediction(name):
    model = build(load(name), device="cuda").eval()
    image = image_for(model, 32)
    with torch.no_grad():
        model(image)
        before = torch.cuda.memory_allocated() - image.nbytes
        torch.cuda.reset_peak_memory_stats()
        model(image)
    found = torch.cuda.max_memory_allocated() - before
    assert found == pytest.approx(profile(model.design).peak_bytes(32), rel=0.15)


def test_seed_gives_identical_weights():
    one, other = (build(load("convnext_atto"), device="cuda", seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_design_that_does_not_fit_is_refused():
    free = torch.cuda.mem_get_info()[0]
    design = load("convnext_v2_h")
    stages = tuple(dataclasses.replace(stage, width=65536, depth=10_000) for stage in design.stages)
    with pytest.raises(ConvlabError, match="the model needs"):
        build(dataclasses.replace(design, stages=stages), device="cuda")
    assert torch.cuda.mem_get_info()[0] == free


def test_a_device_that_is_not_there():
    with pytest.raises(ConvlabError, match="there is no device"):
        build(load("convnext_atto"), device="cuda:99")
