"""Law: twice the multiply-adds of a design are what torch's counter counts in a forward pass, to the unit, layer by layer."""

import dataclasses

import pytest
import torch
from designs import SHALLOWEST, SWEEP, designs, preset, swept
from hypothesis import given
from oracles import image_of, on_meta
from torch.utils.flop_counter import FlopCounterMode

from convlab import profile
from convlab.language.design import lower


def counted(design, batch=1):
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        on_meta(design)(image_of(design, batch, device="meta"))
    return counter


def check(design):
    costs, counter = profile(design), counted(design)
    assert 2 * costs.macs == counter.get_total_flops()
    assert costs.flops == 2 * costs.macs == costs.total("flops")
    assert costs.macs == costs.total("macs") == sum(part.macs for part in costs.parts)
    assert lower(design).tree.macs(costs.image) == costs.macs
    by_path = {path.removeprefix("ConvNet."): sum(found.values()) for path, found in counter.get_flop_counts().items()}
    for row in costs.rows:
        assert row.layer.multiplies or not row.layer.macs(row.input)
        for path in row.paths if row.layer.multiplies else ():
            assert 2 * row.layer.macs(row.input) == by_path[path], path


@pytest.mark.parametrize("name", SHALLOWEST)
def test_presets(name):
    check(preset(name))


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name):
    check(swept(name))


@given(designs())
def test_random_designs(design):
    check(design)


@pytest.mark.parametrize("name", [name for index, name in enumerate(SWEEP) if index % 7 == 0])
def test_macs_are_linear_in_the_batch(name):
    design = swept(name)
    assert counted(design, 3).get_total_flops() == 3 * 2 * profile(design).macs


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
        assert counted(other).get_total_flops() == 2 * one.macs
