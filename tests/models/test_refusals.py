"""What is not built, and what is said of it: designs that do not fit or are not valid, devices that are not there."""

import resource

import pytest
import torch

from convlab import ConvlabError, build, load, profile, turn
from convlab.models.memory import free_bytes


def test_a_design_that_does_not_fit_is_refused_before_anything_is_allocated():
    design = load("convnext_xl", sets=["widths=[8192, 16384, 32768, 65536]", "stages.*.depth=100"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ConvlabError) as error:
        build(design)
    problem = error.value.problems[0]
    assert problem.code == "too-big"
    assert "TB" in problem.message or "TiB" in problem.message
    assert "parameters" in problem.help
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_an_image_that_does_not_fit_is_refused():
    with pytest.raises(ConvlabError) as error:
        build(turn(load("convnext_atto"), "image.size", 65_536))
    assert error.value.problems[0].code == "too-big"


def test_meta_holds_anything():
    design = load("convnext_xl", sets=["widths=[8192, 16384, 32768, 65536]"])
    model = build(design, device="meta")
    assert sum(parameter.numel() for parameter in model.parameters()) == profile(design).params > 2e11
    assert free_bytes(torch.device("meta")) is None


def test_free_memory_of_the_cpu_is_told():
    assert 0 < free_bytes(torch.device("cpu")) < 2**60


@pytest.mark.parametrize("device", ["nonsense", "cpu:1", "cuda:99", "cuda:x", "mps", "xpu"])
def test_a_device_that_is_not_there(device):
    with pytest.raises(ConvlabError) as error:
        build(load("convnext_atto"), device=device)
    problem = error.value.problems[0]
    assert (problem.code, error.value.exit_code) == ("usage", 2)
    assert device in problem.message
    assert "cpu" in problem.help


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_where_there_is_none():
    with pytest.raises(ConvlabError, match="there is no device"):
        build(load("convnext_atto"), device="cuda")


def test_auto_takes_what_is_there():
    model = build(load("convnext_atto"), device="auto")
    there = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert next(model.parameters()).device.type == there


def test_an_invalid_design_is_refused():
    with pytest.raises(ConvlabError) as error:
        build(turn(load("resnet50"), "block.groups", 7))
    assert {problem.code for problem in error.value.problems} == {"groups-do-not-divide"}
