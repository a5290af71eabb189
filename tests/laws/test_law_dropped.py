"""Law: the rows and columns that are told to be dropped are those at the end of a map that torch's layer never reads."""

import dataclasses

import pytest
import torch
from designs import PRESETS, SWEEP, designs, small, swept
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convlab import load, profile
from convlab.layers import AveragePool, Convolution, Depthwise, MaxPool, Shape

WINDOWED = (Convolution, Depthwise, MaxPool, AveragePool)


def never_read(layer, x):
    """Rows and columns at the end of a map of ones whose gradient is zero; windows are without the gaps that dilation leaves."""
    if isinstance(layer, Convolution | Depthwise):
        layer = dataclasses.replace(layer, kernel_size=layer.span, dilation=1)
    module = layer.module(x).double()
    if isinstance(layer, MaxPool):
        module = nn.AvgPool2d(module.kernel_size, module.stride, module.padding)
    for parameter in module.parameters():
        nn.init.ones_(parameter)
    ones = torch.ones(1, *x, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(module(ones).sum(), ones)
    read = gradient[0].sum(0) != 0
    return tuple(x[1 + axis] - 1 - int(read.any(1 - axis).nonzero().max()) for axis in (0, 1))


def check(design, done):
    costs = profile(design)
    told = {row.path: (rows, columns) for row, rows, columns in costs.dropped}
    for row in costs.rows:
        if isinstance(row.layer, WINDOWED):
            key = (str(row.layer), row.input)
            if key not in done:
                done[key] = never_read(row.layer, row.input)
            assert told.pop(row.path, (0, 0)) == done[key] == row.layer.dropped(row.input), row.path
    assert not told


def test_sweep():
    done = {}
    for name in SWEEP:
        check(swept(name), done)
    assert sum(any(lost) for lost in done.values()) > 40


@given(designs())
def test_random_designs(design):
    check(design, {})


@given(
    size=st.integers(1, 9),
    stride=st.integers(1, 5),
    dilation=st.integers(1, 3),
    kind=st.sampled_from(("same", "valid", "depthwise", "pool")),
    height=st.integers(9, 40),
    width=st.integers(25, 40),
)
def test_windows(size, stride, dilation, kind, height, width):
    layers = {
        "same": Convolution(2, size, stride, dilation),
        "valid": Convolution(2, size, stride, 1, same=False),
        "depthwise": Depthwise(size, stride, dilation),
        "pool": AveragePool(size, stride),
    }
    x = Shape(2, height, width)
    assert layers[kind].dropped(x) == never_read(layers[kind], x)


def test_presets_lose_nothing_at_their_own_size():
    """A 1x1 convolution of stride 2 leaves pixels out everywhere, and means to."""
    for name in PRESETS:
        lost = [row for row, _, _ in profile(load(name)).dropped if row.layer.field().widest.size > 1]
        assert not lost, name


def test_an_odd_image_loses_its_end():
    lost = profile(load("convnext_t"), image=226).dropped
    assert [(row.path, rows, columns) for row, rows, columns in lost] == [("stem.0", 2, 2)]
    assert profile(small("convnext_t"), image=(71, 64)).dropped[0][1:] == (3, 0)


@pytest.mark.parametrize("size", [32, 33, 35, 224, 225])
def test_same_padding_gives_the_rounded_up_quotient(size):
    for kernel_size in range(1, 8):
        for stride in range(1, 5):
            for layer in (Convolution(4, kernel_size, stride), Depthwise(kernel_size, stride)):
                assert layer.output(Shape(4, size, size)).height == -(-size // stride)


@pytest.mark.parametrize("size", [32, 33])
def test_even_pools_tile_the_map_and_odd_ones_are_padded(size):
    for pool in (MaxPool, AveragePool):
        assert pool(2, 2).output(Shape(4, size, size)).height == size // 2
        assert pool(3, 2).output(Shape(4, size, size)).height == -(-size // 2)
        assert pool(3, 1).output(Shape(4, size, size)).height == size
