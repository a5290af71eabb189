"""Times of layers: every stretch of a step belongs to one layer, under the path of the layer table; gaps name what explains them."""

import dataclasses
import time

import pytest
import torch
from torch import nn

from convlab import ConvlabError, profile
from convlab.layers import Shape
from convlab.measurement.by_layer.gaps import OUTSIDE_LAYERS, gap, in_words
from convlab.measurement.by_layer.marks import Marks
from convlab.measurement.by_layer.places import BETWEEN, places
from convlab.measurement.by_layer.times import layer_times
from convlab.measurement.rounds import Protocol
from convlab.measurement.running.clocks import HostClock
from convlab.measurement.running.conditions import Conditions, checked
from convlab.measurement.running.subjects import module_subject, subject
from convlab.measurement.running.workloads import workload
from convlab.progress import finished

QUICK = Protocol(seconds=0.05, least_rounds=3, warm_up_s=0.05)
SHAPE = Shape(3, 8, 8)


def ready(given, **conditions):
    return workload(given, checked(Conditions(threads=1, **conditions)))


def small(name):
    return subject(name, image=(32, 32))


def timed(*given, **conditions):
    return finished(layer_times([ready(each, **conditions) for each in given], protocol=QUICK))


class Waiting(torch.autograd.Function):
    """The identity, which takes its time on the way back."""

    @staticmethod
    def forward(context, x, seconds):
        context.seconds = seconds
        return x * 1

    @staticmethod
    def backward(context, gradient):
        time.sleep(context.seconds)
        return gradient * 1, None


class Sleeper(nn.Module):
    """A layer that sleeps forward and backward."""

    def __init__(self, forward, backward=0.0):
        super().__init__()
        self.seconds = forward, backward

    def forward(self, x):
        time.sleep(self.seconds[0])
        return Waiting.apply(x, self.seconds[1])


class Block(nn.Module):
    """A layer, and some time between layers."""

    def __init__(self, seconds, between=0.0):
        super().__init__()
        self.layer = Sleeper(*seconds)
        self.between = between

    def forward(self, x):
        y = self.layer(x)
        time.sleep(self.between)
        return Waiting.apply(x + y, self.between)


class Network(nn.Module):
    """A stem, blocks and a head of known times."""

    def __init__(self, *blocks):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(4, 2)

    def forward(self, images):
        return self.head(self.blocks(self.stem(images)).mean((2, 3)))


def network(*blocks, name="network"):
    return module_subject(lambda: Network(*blocks), name=name, image=SHAPE)


def test_known_times_are_found_where_they_are_spent():
    (found,) = timed(network(Block((0.004, 0.008), between=0.006), Block((0.004, 0.008))), task="training")
    by_path = {layer.path: layer for layer in found.layers}
    layers, first, second = by_path["blocks.0.layer"], by_path["blocks.0"], by_path.get("blocks.1")
    assert second is None, "blocks that repeat each other are one row"
    assert layers.count == 2
    assert layers.forward.median >= 0.008
    assert layers.backward.median >= 0.016
    assert first.kind == BETWEEN
    assert min(first.forward.median, first.backward.median) >= 0.006
    for part in ("forward", "backward"):
        slept = sum(getattr(layer, part).median for layer in (layers, first))
        others = sum(getattr(layer, part).median for layer in found.layers if getattr(layer, part)) - slept
        assert slept > 2 * others, "what does not sleep takes next to nothing"


@pytest.mark.parametrize("task", ["inference", "training"])
def test_layers_and_the_rest_make_up_the_step(task):
    (found,) = timed(small("convnext_atto"), task=task, batch=2)
    inside = sum(layer.seconds for layer in found.layers)
    assert inside + sum(found.outside.values()) == pytest.approx(found.step_s)
    assert sum(found.share(layer) for layer in found.layers) == pytest.approx(inside / found.step_s)
    assert set(found.outside) == set(found.parts)


@pytest.mark.parametrize("name", ["convnext_atto", "resnet18", "efficientnet_b0", "repvgg_a0"])
def test_every_row_of_the_layer_table_has_its_time(name):
    given = small(name)
    (found,) = timed(given)
    rows = profile(given.design).rows
    modules = dict(given.build().named_modules())
    timed_paths = {layer.path: layer for layer in found.layers}
    for row in rows:
        if row.path in modules:
            layer = timed_paths[row.path]
            assert (layer.count, layer.kind) == (row.count, type(row.layer).__name__)
            assert layer.macs == row.count * row.layer.macs(row.input)
    assert sum(layer.macs for layer in found.layers) == profile(given.design).macs


def test_attention_is_one_layer():
    (found,) = timed(subject("swin_t", image=(224, 224)))
    attention = [layer for layer in found.layers if layer.kind == "Attention"]
    assert sum(layer.count for layer in attention) == 12
    assert not any("qkv" in layer.path for layer in found.layers)


def test_a_network_without_a_design_is_timed_by_its_modules():
    """A ConvNeXt of timm has the layers of ours: of one kind at one resolution, as many, with as many multiply-adds."""
    ours, theirs = timed(small("convnext_atto"), subject("timm:convnext_atto", image=(32, 32)))

    def census(times):
        found = {}
        for layer in times.layers:
            if layer.macs:
                count, macs = found.get((layer.kind, layer.stride), (0, 0))
                found[layer.kind, layer.stride] = count + layer.count, macs + layer.macs
        return found

    assert census(ours) == census(theirs)


def test_the_hooks_leave_nothing_behind():
    given = ready(small("convnext_atto"), task="training", batch=2)
    finished(layer_times([given], protocol=QUICK))
    for module in given.model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_every_stretch_has_an_owner():
    """The stretches of forward and backward are the steps' times: nothing is lost between two marks."""
    given = ready(small("convnext_atto"), task="training", batch=2)
    marks = Marks(given.model, HostClock(), HostClock())
    with marks.hooked():
        forward, backward, _ = given.run()
    for seen, part in ((marks.forward, forward), (marks.backward, backward)):
        owners, seconds = seen.seconds()
        assert len(owners) == len(seconds) > 100
        assert 0.5 * part < sum(seconds) <= part


def test_gradients_are_the_same_with_hooks():
    given = ready(small("convnext_atto"), task="training", batch=2)
    given.model.eval()

    def gradients():
        given.model.zero_grad()
        given.model(given.images).square().mean().backward()
        return [parameter.grad.clone() for parameter in given.model.parameters()]

    before = gradients()
    with Marks(given.model, HostClock(), HostClock()).hooked():
        after = gradients()
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_in_place_activations_are_no_obstacle():
    (found,) = timed(subject("torchvision:resnet18", image=(32, 32)), task="training", batch=2)
    assert {"Convolution", "BatchNorm", "Activation", "MaxPool", "Linear"} <= {layer.kind for layer in found.layers}
    assert next(layer for layer in found.layers if layer.path == "conv1").stride == 2


@pytest.mark.parametrize("given", [{"mode": "compiled"}, {"cuda_graphs": True}])
def test_fused_layers_have_no_times(given):
    one = ready(small("convnext_atto"))
    one.conditions = dataclasses.replace(one.conditions, **given)
    with pytest.raises(ConvlabError, match="layers are fused"):
        finished(layer_times([one]))


def test_stopped_it_keeps_what_it_has():
    work = layer_times([ready(small("convnext_atto"))], protocol=Protocol(seconds=60, warm_up_s=0.05))
    next(work)
    next(work)
    with pytest.raises(StopIteration) as end:
        work.throw(KeyboardInterrupt)
    (found,) = end.value.value
    assert found.stopped
    assert found.parts["forward"].n == 2


def test_the_gap_is_explained_by_what_is_slower():
    slow = network(Block((0.04,), between=0.002), name="slow")
    quick = network(Block((0.002,), between=0.015), name="quick")
    found = gap(*timed(quick, slow))
    assert (found.slower.name, found.faster.name) == ("slow", "quick")
    assert found.explaining == 1
    assert found.roles[0].kind == "Sleeper"
    assert found.roles[0].paths == ("blocks.0.layer",)
    assert found.explained > 1, "the time between layers narrows the gap again"
    assert found.roles[-1].difference < 0
    assert sum(role.difference for role in found.roles) == pytest.approx(found.seconds)


def test_a_gap_is_certain_only_beyond_the_noise():
    slow, quick = network(Block((0.06,))), network(Block((0.002,)))
    assert gap(*timed(slow, quick)).certain
    (one,) = timed(quick)
    assert not gap(one, one).certain
    assert gap(one, one).explaining == 0


def test_a_gap_asks_for_equal_conditions():
    (one,), (other,) = timed(network(Block((0.001,)))), timed(network(Block((0.001,))), batch=2)
    with pytest.raises(ConvlabError, match="different conditions"):
        gap(one, other)


def test_roles_in_words():
    found = gap(*timed(small("convnext_atto"), small("resnet18")))
    words = {in_words(role) for role in found.roles}
    assert {"Depthwise at 1/8", "Convolution at 1/4", "BatchNorm at 1/2", "Linear", OUTSIDE_LAYERS} <= words


def test_places_of_a_folded_design():
    given = subject("resnet18", image=(32, 32), folded=True)
    found = places(ready(given))
    assert "BatchNorm" not in {place.kind for place in found.values()}
    assert found["stem.0"].kind == "Convolution"
