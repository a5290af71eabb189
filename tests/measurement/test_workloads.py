"""The workloads: a step does everything that it says, and takes the time that it takes."""

import statistics
import time

import pytest
import torch
from designs import design_of
from torch import nn

import convlab
from convlab.layers import Shape
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import module_subject, subject
from convlab.measurement.running.workloads import workload

TINY = subject("convnext_atto", image=(32, 32))


class Sleeper(nn.Module):
    """A network that sleeps a known time."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        time.sleep(self.seconds)
        return images.flatten(1)[:, :2] * self.scale


def sleeper(seconds):
    return module_subject(lambda: Sleeper(seconds), name=f"sleeps {seconds} s", image=Shape(3, 4, 4))


def conditions(**given):
    return checked(Conditions(threads=1, **given))


@pytest.mark.parametrize("seconds", [0.01, 0.04])
@pytest.mark.parametrize("task", ["inference", "training"])
def test_a_sleep_of_known_length_is_measured_right(seconds, task):
    found = workload(sleeper(seconds), conditions(task=task))
    measured = statistics.median(found.run(2)[0] for _ in range(5))
    slept = []
    for _ in range(10):
        began = time.perf_counter()
        time.sleep(seconds)
        slept.append(time.perf_counter() - began)
    assert seconds <= measured <= 1.25 * statistics.median(slept) + 0.005


def test_the_parts_make_up_the_step():
    """Seen from outside, forward, backward and optimizer take what the step takes, up to 3 %."""
    found = workload(TINY, conditions(task="training", batch=4))
    shares = []
    for _ in range(10):
        began = time.perf_counter()
        parts = found.run(3)
        shares.append(3 * sum(parts) / (time.perf_counter() - began))
    assert found.parts == ("forward", "backward", "optimizer")
    assert min(parts) > 0
    assert 0.97 <= statistics.median(shares) <= 1


def test_a_training_step_changes_every_parameter():
    found = workload(TINY, conditions(task="training", batch=2))
    before = {name: value.detach().clone() for name, value in found.model.named_parameters()}
    found.step()
    assert all(not torch.equal(before[name], value) for name, value in found.model.named_parameters())
    assert all(value.grad is None for value in found.model.parameters())


def test_inference_leaves_the_network_alone():
    found = workload(TINY, conditions(batch=2))
    before = {name: value.clone() for name, value in found.model.state_dict().items()}
    found.run(2)
    assert not found.model.training
    assert not found.output.requires_grad
    assert all(torch.equal(before[name], value) for name, value in found.model.state_dict().items())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("channels_last", [True, False])
def test_the_dtype_and_layout_are_those_asked_for(dtype, channels_last):
    found = workload(TINY, conditions(dtype=dtype, channels_last=channels_last, batch=2))
    assert found.output.dtype == getattr(torch, dtype)
    assert {value.dtype for value in found.model.parameters()} == {getattr(torch, dtype)}
    weight = found.model.get_parameter("stages.1.downsample.1.weight")
    assert weight.is_contiguous(memory_format=found.conditions.memory_format)
    assert found.model.get_parameter("stages.0.blocks.0.conv_dw.weight").shape[0] == 40


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_training_in_a_smaller_dtype_keeps_the_weights_in_float32(dtype):
    found = workload(TINY, conditions(task="training", dtype=dtype, batch=2))
    assert {value.dtype for value in found.model.parameters()} == {torch.float32}
    assert all(torch.isfinite(value).all() for value in found.model.parameters())


def test_inputs_are_random():
    found = workload(TINY, conditions(batch=2))
    images = found.images
    assert images.std() > 0.9
    assert not torch.equal(images[0], images[1])


def test_images_of_one_shape_are_the_same_for_every_network():
    other = subject("resnet18", image=(32, 32))
    ones, others = (workload(each, conditions(batch=2)).images for each in (TINY, other))
    assert torch.equal(ones, others)


def test_training_is_without_dropout_and_stochastic_depth():
    design = convlab.turn(convlab.turn(TINY.design, "drop_path", 0.5), "head.dropout", 0.5)
    given = module_subject(
        lambda: nn.Sequential(nn.Dropout(0.5), nn.Flatten(), nn.Linear(48, 2)), name="dropout", image=Shape(3, 4, 4)
    )
    for each in (subject(design), given):
        model = workload(each, conditions(task="training", batch=2)).model
        assert model.training
        torch.manual_seed(0)
        images = torch.randn(2, *each.image)
        assert torch.equal(model(images), model(images))


def test_threads_are_those_asked_for_and_then_as_before():
    seen = []

    class Counter(Sleeper):
        def forward(self, images):
            seen.append(torch.get_num_threads())
            return super().forward(images)

    before = torch.get_num_threads()
    given = module_subject(lambda: Counter(0.0), name="counts threads", image=Shape(3, 4, 4))
    workload(given, checked(Conditions(threads=2))).run(3)
    assert set(seen) == {2}
    assert torch.get_num_threads() == before


def test_eager_takes_no_time_to_compile():
    assert workload(TINY, conditions()).compile_s == 0.0


def one_stage(depth, width):
    """A design that compiles quickly."""
    table = {"depths": [depth], "widths": [width], "image": {"size": 32}, "head": {"classes": 4}}
    return design_of(table | {"block": {"kind": "convnext"}})


@pytest.mark.slow
@pytest.mark.parametrize("task", ["inference", "training"])
def test_a_compiled_network_computes_the_same_and_tells_the_time_to_compile(task):
    given = subject(one_stage(1, 16))
    eager, compiled = (workload(given, conditions(task=task, mode=mode, batch=2)) for mode in ("eager", "compiled"))
    assert compiled.compile_s > 10 * sum(compiled.run(3))
    if task == "inference":
        compiled.model.load_state_dict(eager.model.state_dict())
        compiled.images.copy_(eager.images)
        compiled.run(), eager.run()
        torch.testing.assert_close(compiled.output, eager.output, rtol=1e-4, atol=1e-4)


class Linear(nn.Module):
    """A network that compiles quickly."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(48, 2)

    def forward(self, images):
        return torch.relu(self.linear(images.flatten(1)))


class InTwo(Linear):
    """One that cannot be compiled in one piece."""

    def forward(self, images):
        images = torch.relu(images)
        torch._dynamo.graph_break()
        return super().forward(images)


@pytest.mark.slow
def test_whether_a_cache_served_a_compile_is_told():
    from torch._inductor.utils import fresh_inductor_cache

    given = module_subject(Linear, name="linear", image=Shape(3, 4, 4))
    caches = []
    with fresh_inductor_cache():
        for _ in range(2):
            torch.compiler.reset()  # what this process has is left out: the second finds what is on the disk
            found = workload(given, conditions(mode="compiled")).compilation
            caches.append((found.graphs, found.cache))
    assert caches == [(1, "cold"), (1, "warm")]


@pytest.mark.slow
def test_graph_breaks_are_told():
    torch.compiler.reset()
    given = module_subject(InTwo, name="in two", image=Shape(3, 4, 4))
    found = workload(given, conditions(mode="compiled")).compilation
    assert (found.graphs, found.breaks) == (2, 1)


@pytest.mark.slow
def test_many_compiled_networks_in_one_process_stay_compiled():
    """Torch by itself gives up in silence after eight networks of one class."""
    torch.compiler.reset()
    for number in range(1, 11):
        found = workload(subject(one_stage(1 + number % 2, 8 * number)), conditions(mode="compiled"))
        assert found.compilation.graphs == 1
        assert found.compilation.breaks == 0
        assert found.compilation.cache in ("cold", "warm")
        found.close()
