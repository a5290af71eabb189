"""A build gives what it is asked for, whatever torch's defaults are, and refuses what it cannot."""

import pytest
import torch

from convlab import ConvlabError, build, load, profile
from convlab.models import memory

SMALL = ["depths=[1, 1]", "widths=[16, 32]", "image.size=32", "head.classes=5"]


def test_torchs_default_dtype_is_not_the_builds():
    torch.set_default_dtype(torch.float64)
    try:
        model = build(load("convnext_t", sets=SMALL), dtype=torch.float32)
    finally:
        torch.set_default_dtype(torch.float32)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_torchs_default_device_is_not_the_builds():
    with torch.device("meta"):
        model = build(load("convnext_t", sets=SMALL), device="cpu")
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}


@pytest.mark.parametrize("dtype", [torch.int32, "float16"])
def test_weights_are_floating(dtype):
    with pytest.raises(ConvlabError, match="weights cannot be"):
        build(load("convnext_t", sets=SMALL), dtype=dtype)


@pytest.mark.parametrize(
    "places", [["head.norm=group_norm"], ["block.norm=group_norm", "widths=[16, 16]", "image.size=8"]]
)
def test_group_norm_of_one_number_a_group(places):
    model = build(load("convnext_t", sets=[*SMALL, *places])).eval()
    shape = model.design.image.shape
    assert torch.isfinite(model(torch.randn(1, *shape))).all()


def test_a_batch_that_does_not_fit_is_refused(monkeypatch):
    costs = profile(load("convnext_t", sets=SMALL))
    monkeypatch.setattr(memory, "free_bytes", lambda device: 4 * costs.params + costs.peak_bytes(10))
    memory.refuse_too_big(costs, torch.device("cpu"), torch.float32, 10)
    with pytest.raises(ConvlabError, match="11 images"):
        memory.refuse_too_big(costs, torch.device("cpu"), torch.float32, 11)
