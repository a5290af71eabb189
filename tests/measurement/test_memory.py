"""P8: memory is measured to the byte where the allocator keeps count, and is what the profile predicts."""

import dataclasses

import pytest
import torch
from torch import nn

from convlab import build, profile, turn
from convlab.layers import Shape
from convlab.measurement.memory.peaks import peak_memory, saved_bytes
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import module_subject, subject
from convlab.measurement.running.workloads import workload
from convlab.measurement.unmeasured import Unmeasured

WITHOUT_WORKSPACE = ("convnext_atto", "convnext_v2_atto")
"""Networks whose kernels on the CPU work in nothing but what they return."""


def small(name):
    """A preset at a small image."""
    return subject(name, image=(64, 64))


def measured(given, **conditions):
    found = workload(given, checked(Conditions(threads=1, **conditions)))
    memory = peak_memory(found)
    found.close()
    return memory


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", WITHOUT_WORKSPACE)
def test_the_peak_at_inference_is_the_predicted_one(name, batch):
    memory = measured(small(name), batch=batch)
    assert memory.maps == profile(small(name).design).peak_bytes(batch)


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "regnety_400mf"])
def test_kernels_may_work_in_more(name):
    given = small(name)
    predicted = profile(given.design).peak_bytes(8)
    assert predicted <= measured(given, batch=8).maps <= 2 * predicted + 8 * 2**20


@pytest.mark.parametrize("name", ["convnext_atto", "convnext_v2_atto", "resnet18", "swin_t", "efficientnet_b0"])
def test_saved_bytes_are_the_predicted_ones(name):
    design = dataclasses.replace(subject(name).design, drop_path=0.0)
    model = build(design, seed=0).train()
    for batch in (2, 3):
        images = torch.randn(batch, *design.image.shape).to(memory_format=torch.channels_last)
        assert saved_bytes(model, images) == profile(design).saved_bytes(batch)


def test_saved_bytes_of_a_frozen_model_are_none():
    model = build(small("convnext_atto").design).requires_grad_(False).eval()
    assert saved_bytes(model, torch.randn(1, 3, 64, 64)) == 0


def test_training_holds_what_autograd_keeps_beside_weights_and_optimizer():
    given = small("convnext_atto")
    costs = profile(given.design)
    for batch in (2, 8):
        memory = measured(given, task="training", batch=batch)
        assert memory.weights == 4 * costs.params
        adam = 2 * memory.weights  # beside one count of steps a parameter
        assert memory.weights + adam + memory.images <= memory.held <= memory.weights + adam + memory.images + 4096
        assert memory.maps >= costs.saved_bytes(batch)
        assert memory.step >= memory.weights, "the gradients"


@pytest.mark.parametrize("task", ["inference", "training"])
def test_counting_gives_the_same_each_time(task):
    found = workload(small("convnext_atto"), checked(Conditions(threads=1, task=task, batch=2)))
    assert peak_memory(found) == peak_memory(found)


@pytest.mark.parametrize("task", ["inference", "training"])
def test_memory_rises_with_the_batch(task):
    peaks = [measured(subject("convnext_atto", image=(32, 32)), task=task, batch=batch).peak for batch in (1, 2, 9)]
    assert peaks == sorted(set(peaks))


def test_bfloat16_takes_less():
    one, other = (measured(small("convnext_atto"), batch=4, dtype=dtype) for dtype in ("float32", "bfloat16"))
    assert other.weights == one.weights // 2
    assert other.images == one.images // 2
    assert other.maps < one.maps


class Twice(nn.Module):
    """A network that holds two maps beside its input, or three."""

    def __init__(self, more):
        super().__init__()
        self.more = more

    def forward(self, images):
        kept = images.relu()
        other = images.sigmoid()
        total = kept + other if self.more else other
        return total[:, :2, 0, 0].clone()


@pytest.mark.parametrize(("more", "maps"), [(False, 3), (True, 4)])
def test_one_map_more_is_seen(more, maps):
    shape = Shape(3, 40, 40)
    memory = measured(module_subject(lambda: Twice(more), name="twice", image=shape))
    assert memory.maps == 4 * (maps * shape.elements + 2)


def test_a_cuda_graph_has_no_peak_of_its_own():
    found = workload(small("convnext_atto"), checked(Conditions(threads=1)))
    found.conditions = dataclasses.replace(found.conditions, cuda_graphs=True)
    assert isinstance(peak_memory(found), Unmeasured)


@pytest.mark.slow
def test_fused_operations_hold_less():
    given = subject(turn(small("convnext_atto").design, "depths", [1, 1, 1, 1]))
    eager, fused = (measured(given, batch=4, mode=mode) for mode in ("eager", "compiled"))
    assert fused.weights == eager.weights
    assert 0 < fused.maps < eager.maps
