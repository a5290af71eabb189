"""Law: twice the multiply-adds of a design are what torch's counter counts in a forward pass, to the unit, layer by layer."""

import dataclasses

import pytest
import torch
from designs import SHALLOWEST, SWEEP, designs, preset, shallow, swept
from hypothesis import given
from oracles import BATCH, image_of, observed_design, observed_sweep, observed_without_memory, on_cpu
from torch.utils.flop_counter import FlopCounterMode

from convlab import build, profile
from convlab.language.design import lower


def counted(model, image):
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image)
    return counter.get_total_flops()


def check(design, found):
    costs = profile(design)
    assert BATCH * 2 * costs.macs == found.flops
    assert costs.flops == 2 * costs.macs == costs.total("flops")
    assert costs.macs == costs.total("macs") == sum(part.macs for part in costs.parts)
    assert lower(design).tree.macs(costs.image) == costs.macs
    for row in costs.rows:
        assert row.layer.multiplies or not row.layer.macs(row.input)
        for path in row.paths if row.layer.multiplies else ():
            assert BATCH * 2 * row.layer.macs(row.input) == found.flops_by_path[path], path


@pytest.mark.parametrize("name", SHALLOWEST)
def test_presets(name):
    """At full width and image size, two blocks a stage: the others repeat the second, and shifted windows take turns."""
    design = shallow(preset(name))
    check(design, observed_without_memory(design))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHALLOWEST)
def test_presets_in_full(name):
    check(preset(name), observed_without_memory(preset(name)))


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name):
    check(swept(name), observed_sweep(name))


@given(designs())
def test_random_designs(design):
    check(design, observed_design(design))


@pytest.mark.parametrize("name", [name for index, name in enumerate(SWEEP) if index % 7 == 0])
def test_macs_are_linear_in_the_batch(name):
    design = swept(name)
    for batch in (1, 3):
        assert counted(on_cpu(name), image_of(design, batch)) == batch * 2 * profile(design).macs


def realised(design, pointwise):
    stages = tuple(
        dataclasses.replace(stage, block=dataclasses.replace(stage.block, pointwise=pointwise))
        for stage in design.stages
    )
    return dataclasses.replace(design, stages=stages)


@pytest.mark.parametrize("name", [name for index, name in enumerate(SWEEP) if index % 3 == 0])
def test_pointwise_as_linear_or_as_convolution_is_one_network(name):
    design = swept(name)
    linear, convolution = realised(design, "linear"), realised(design, "conv")
    assert linear.key == convolution.key == design.key
    one, other = profile(linear), profile(convolution)
    assert (one.macs, one.params, one.peak_elements) == (other.macs, other.params, other.peak_elements)
    assert [row.path for row in one.rows] == [row.path for row in other.rows]
    for other in {linear, convolution} - {design}:  # the design itself is under the law above
        assert counted(build(other, initialized=False).eval(), image_of(other)) == 2 * one.macs
