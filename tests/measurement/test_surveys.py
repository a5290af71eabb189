"""Surveys: latencies, layers and sweeps of several networks, with reasons where there is nothing, and what is there when stopped."""

import time

import pytest
import torch
from torch import nn

from convlab.errors import ConvlabError
from convlab.layers import Shape
from convlab.measurement.recording import latency_row, layer_rows, throughput_row
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import module_subject, subject
from convlab.measurement.surroundings import Surroundings
from convlab.measurement.surveys import latencies, layers, sweeps
from convlab.progress import finished
from convlab.views.latencies import latency_notes, latency_table, plain_latency
from convlab.views.layer_times import layer_table, plain_layers
from convlab.views.sweeps import knee_words, sweep_table

TINY = subject("convnext_atto", image=(32, 32))
HUGE = subject("convnext_atto", image=(40_000, 40_000), name="huge")
SHORT = Protocol(seconds=0.1, least_rounds=3, most_rounds=3, sample_s=0.001, window=1, warm_up_s=0.1)
ONE = checked(Conditions(threads=1))


def test_latencies_and_their_rows():
    put = []
    found = finished(latencies([HUGE, TINY], conditions=ONE, protocol=SHORT, put=put.append))
    ((subject, latency),) = found.found
    assert [(each.position, each.subject, each.found) for each in put] == [(1, subject, latency)]
    assert len(latency.samples) == 3
    assert [(each.name, why[:13]) for each, why in found.failures] == [("huge", "out of memory")]
    row = latency_row(subject, latency, put[0].around)
    assert row.details["device_name"] == found.environment.device.name
    assert row.details["moment"]["elapsed_s"] < row.details["moment_after"]["elapsed_s"]
    assert row.details["disturbances"] == list(put[0].around.disturbances)
    assert (row.kind, row.unit, row.n, row.batch) == ("latency", "s", 3, 1)
    assert row.median == latency.percentiles[0].value
    assert [column.title for column in latency_table(found).columns] == ["network", "n", "p50 ms", "p95 ms", "p99 ms"]
    assert "it takes 368" in latency_notes(found)[0].message
    assert plain_latency(subject, latency)["samples_s"] == list(latency.samples)


def test_layers_are_those_of_the_layer_table():
    found = finished(layers([TINY], conditions=ONE, protocol=SHORT))
    ((_, times),) = found.found
    shown = layer_table(times)
    paths = [row[0].value for row in shown.rows]
    assert "stages.2.blocks.0.mlp.fc1" in paths
    assert paths[-2:] == ["between layers", "outside layers, forward"]
    assert dict(zip(paths, (row[1].value for row in shown.rows), strict=True))["stem.1"] == "LayerNorm"
    shares = [row[5].value for row in shown.rows]
    assert sum(shares) == pytest.approx(1)
    step, *rows = layer_rows(times, Surroundings(found.environment))
    assert step.median == times.step_s
    assert all(row.low <= row.median <= row.high and row.n == 3 for row in (step, *rows))
    assert all(row.details["environment"] == found.environment.digest for row in (step, *rows))
    assert {row.details["path"] for row in rows} == {layer.path for layer in times.layers}
    assert plain_layers(times)["layers"][0]["path"] == times.layers[0].path


def test_fused_layers_cannot_be_told_apart():
    with pytest.raises(ConvlabError, match="layers are fused"):
        finished(layers([TINY], conditions=checked(Conditions(mode="compiled")), protocol=SHORT))


@pytest.mark.parametrize("verb", [latencies, layers, sweeps])
def test_stopping_keeps_what_there_is(verb):
    work = verb([TINY], conditions=ONE, protocol=SHORT)
    next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    assert end.value.value.stopped


class Slow(nn.Module):
    """A network that takes as long for each image: no batch is better than another."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        if images.device.type != "meta":
            time.sleep(5e-3 * len(images))
        return images.flatten(1)[:, :2] * self.scale


@pytest.mark.slow
def test_sweeps_have_a_knee():
    short = Protocol(seconds=1.0, least_rounds=2, most_rounds=2, sample_s=0.001, window=1, warm_up_s=0.05)
    put = []
    slow = module_subject(Slow, name="slow", image=Shape(3, 4, 4))
    found = finished(sweeps([slow], conditions=ONE, protocol=short, put=put.append))
    ((subject, sweep),) = found.found
    assert [row.conditions.batch for row in sweep.rows][:3] == [1, 2, 4]
    assert len(sweep.rows) < 10
    assert len(put) >= 3
    assert (put[-1].position, put[-1].subject, put[-1].found) == (0, subject, sweep)
    assert f"batch {sweep.knee.batch} " in knee_words(subject, sweep)
    marks = [row[-1].text for row in sweep_table(sweep).rows]
    assert marks.count("<- knee") == 1
    row = throughput_row(sweep.rows[1], put[-1].around)
    assert row.batch == 2
    assert row.details["device_name"] == found.environment.device.name
