"""Measurement on an NVIDIA GPU: its clock, memory against the prediction, out of memory for real, energy, CUDA graphs, the matrix."""

import dataclasses
import math
import time
from contextlib import contextmanager

import pynvml
import pytest
import torch

from convlab import profile
from convlab.measurement.batches import sweep
from convlab.measurement.benchmarking import benchmark
from convlab.measurement.by_layer.gaps import gap
from convlab.measurement.by_layer.times import layer_times
from convlab.measurement.energy import BoardPower, Energy, energy
from convlab.measurement.latency import latency
from convlab.measurement.machine.disturbances import disturbances
from convlab.measurement.machine.environment import environment
from convlab.measurement.machine.nvml import gpu_handle
from convlab.measurement.matrix import matrix
from convlab.measurement.memory.attempts import attempt
from convlab.measurement.memory.capacity import capacity
from convlab.measurement.memory.peaks import peak_memory
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.precision import arithmetic
from convlab.measurement.running.subjects import subject
from convlab.measurement.running.workloads import Workload, workload
from convlab.progress import finished

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU"),
]

DEVICE = torch.device("cuda", 0)
QUICK = Protocol(seconds=1.0, least_rounds=6)
NETWORKS = ("convnext_t", "convnext_v2_atto", "resnet50", "swin_t")


def conditions(**given):
    return checked(Conditions(device="cuda:0", **given))


@contextmanager
def ready(name, **given):
    """A workload, closed afterwards so that the next test finds the GPU empty."""
    found = workload(subject(name), conditions(**given))
    try:
        yield found
    finally:
        found.close()


@contextmanager
def little_memory(size):
    """A GPU of which this process may use so many bytes."""
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(size / torch.cuda.get_device_properties(0).total_memory, 0)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, 0)


@pytest.mark.parametrize("task", ["inference", "training"])
def test_events_and_the_host_tell_the_same_time(task):
    with ready("convnext_t", batch=64, task=task) as found:
        found.run(10)
        by_events = 30 * sum(found.run(30))
        torch.cuda.synchronize()
        began = time.perf_counter()
        found.run(30)
        torch.cuda.synchronize()
        by_host = time.perf_counter() - began
    assert by_events == pytest.approx(by_host, rel=0.05)


def test_the_environment_is_that_of_the_gpu():
    found = environment("cuda:0")
    properties = torch.cuda.get_device_properties(0)
    assert found.device.name == properties.name
    assert found.device.compute_capability == f"{properties.major}.{properties.minor}"
    assert found.device.cuda == torch.version.cuda
    assert found.device.driver
    assert found.device.clock_max_mhz >= found.moment.gpu.clock_mhz > 0
    assert found.device.power_limit_w > 0
    assert found.digest == environment("cuda:0").digest
    with gpu_handle(DEVICE) as handle:
        assert pynvml.nvmlDeviceGetMemoryInfo(handle).total == pytest.approx(properties.total_memory, rel=0.1)


def test_a_busy_gpu_is_not_told_of_itself():
    """Our own work is no other process, and does not count as a disturbance."""
    before = environment("cuda:0")
    with ready("convnext_t", batch=32) as found:
        found.run(20)
    assert not any("other process" in sentence for sentence in disturbances(before, environment("cuda:0")))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("batch", [16, 64])
def test_memory_at_inference_is_within_15_percent_of_the_prediction(name, batch):
    with ready(name, batch=batch) as found:
        memory = peak_memory(found)
    costs = profile(subject(name).design)
    assert memory.maps == pytest.approx(costs.peak_bytes(batch), rel=0.15)
    assert memory.reserved >= memory.step


@pytest.mark.parametrize("name", ["convnext_t", "convnext_v2_atto", "resnet50"])
def test_memory_of_training_is_within_10_percent_of_the_prediction(name):
    """Weights, AdamW's two moments and what autograd keeps at the end of the forward pass, where the most is held at a large batch."""
    batch = 64
    costs = profile(subject(name).design)
    with ready(name, batch=batch, task="training") as found:
        memory = peak_memory(found)
    assert memory.peak == pytest.approx(3 * 4 * costs.params + costs.saved_bytes(batch), rel=0.10)


@pytest.mark.parametrize("task", ["inference", "training"])
def test_memory_rises_with_the_batch(task):
    peaks = []
    for batch in (8, 16, 32, 64):
        with ready("convnext_atto", batch=batch, task=task) as found:
            peaks.append(peak_memory(found).peak)
    assert peaks == sorted(set(peaks))


@pytest.mark.parametrize("task", ["inference", "training"])
def test_the_largest_batch_fits_and_the_next_does_not(task):
    given, asked = subject("resnet18"), conditions(task=task)
    with little_memory(2 * 2**30):
        found = finished(capacity(given, asked))
        assert found.why == "out of memory"
        assert found.too_large - found.batch <= max(1, found.batch // 32)
        fits = attempt(given, dataclasses.replace(asked, batch=found.batch))
        assert isinstance(fits, Workload)
        fits.run()
        fits.close()
        assert attempt(given, dataclasses.replace(asked, batch=2 * found.too_large)) == "out of memory"
    assert finished(capacity(given, asked, most=4)).too_large is None, "the GPU is usable afterwards"


def test_out_of_memory_is_a_row_without_figures():
    with little_memory(2 * 2**30):
        found = finished(benchmark(["resnet18"], conditions=conditions(batch=4096), protocol=QUICK))
        assert found.rows[0].step is None
        assert "out of memory" in found.rows[0].failure
        small = finished(benchmark(["resnet18"], conditions=conditions(batch=4), protocol=QUICK))
        assert small.rows[0].step is not None


def test_a_sweep_rises_to_its_knee():
    found = finished(sweep(subject("convnext_t"), conditions(), batches=[1, 4, 16, 64], protocol=QUICK))
    speeds = [row.images_per_second.median for row in found.rows]
    assert speeds[0] < speeds[-1]
    assert found.knee.batch > 1


def test_energy_is_what_a_gpu_takes():
    with ready("convnext_t", batch=64) as found:
        taken = energy(found, seconds=2.0)
    assert isinstance(taken, Energy)
    assert taken.joules_per_image > 0
    assert 10 < taken.watts < 1.2 * environment("cuda:0").device.power_limit_w


def test_samples_of_power_agree_with_the_counter():
    with gpu_handle(DEVICE) as handle, ready("convnext_t", batch=64) as found:
        found.run(20)
        meter = BoardPower(handle)
        before = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        began, sampled = time.monotonic(), meter.joules()
        while time.monotonic() - began < 3:
            found.run()
        counted = (pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) - before) / 1e3
        sampled = meter.joules() - sampled
        meter.stop()
    assert sampled == pytest.approx(counted, rel=0.2)


@pytest.mark.parametrize("name", ["convnext_t", "resnet50", "swin_t"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_graph_computes_what_eager_computes(name, dtype):
    with ready(name, batch=8, dtype=dtype, cuda_graphs=True) as found:
        found.run(3)
        images = torch.randn_like(found.images)
        found.images.copy_(images)
        found.run()
        with arithmetic(found.conditions), torch.inference_mode():
            expected = found.model(images)
        scale = expected.float().abs().max()
        assert (found.output - expected).float().abs().max() <= (1e-4 if dtype == "float32" else 2e-2) * scale


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_graph_of_a_training_step_trains(dtype):
    with ready("convnext_atto", batch=8, task="training", dtype=dtype, cuda_graphs=True) as found:
        before = [parameter.detach().clone() for parameter in found.model.parameters()]
        found.run(5)
        after = list(found.model.parameters())
        assert any(not torch.equal(one, other) for one, other in zip(before, after, strict=True))
        assert all(torch.isfinite(parameter).all() for parameter in after)


def test_a_graph_of_small_steps_is_faster():
    """One launch in the place of hundreds: at batch 1 the host is what is waited for."""
    times = {}
    for graphs in (False, True):
        with ready("convnext_t", dtype="bfloat16", cuda_graphs=graphs) as found:
            found.run(20)
            times[graphs] = min(sum(found.run(20)) for _ in range(5))
    assert times[True] < times[False]


@pytest.mark.parametrize("task", ["inference", "training"])
def test_layers_make_up_the_step(task):
    with ready("convnext_t", batch=64, task=task) as found:
        (times,) = finished(layer_times([found], protocol=QUICK))
    forward = times.parts["forward"].median
    assert abs(times.outside["forward"]) < 0.15 * forward
    by_kind = {}
    for layer in times.layers:
        by_kind[layer.kind] = by_kind.get(layer.kind, 0.0) + layer.forward.median
    assert max(by_kind, key=by_kind.get) == "Pointwise"
    if task == "training":
        assert abs(times.outside["backward"]) < 0.25 * times.parts["backward"].median
    peak = environment("cuda:0").device.multiprocessors * 2e12  # more than any GPU's multiprocessor does in float32
    assert all(times.flops_per_second(layer) < peak for layer in times.layers)


def test_a_gap_between_two_networks_is_explained():
    with ready("convnext_t", batch=32) as one, ready("timm:resnet50", batch=32) as other:
        found = gap(*finished(layer_times([one, other], protocol=QUICK)))
    assert found.explained >= 0.8
    assert 0 < found.explaining < len(found.roles)


def test_latency_is_what_the_caller_waits_for():
    with ready("convnext_t") as found:
        waited = finished(latency(found, samples=400))
        by_events = sum(found.run(50))
    half, _, most = (one.value for one in waited.percentiles)
    assert waited.percentiles[-1].certain
    assert 0.9 * by_events <= half <= most


def test_the_matrix_runs():
    kept = conditions(batch=16)
    found = finished(
        matrix([subject("convnext_atto"), subject("resnet18")], conditions=kept, fixed=("mode",), protocol=QUICK)
    )
    assert len(found.settings) == 4 * 2 * 2
    for setting in found.settings:
        for row in setting.rows:
            assert row.step is not None, (setting.conditions, row.failure)
            assert math.isclose(row.images_per_second.median, 16 / row.step.median)
