"""Law: the receptive field is the span of the non-zero gradient of one output pixel with respect to the image, along each axis.

The oracle is a twin in float64 with positive weights and no biases: norms over channels and activations are the identity, max pools are
average pools, layer scale is 1. Only what sees the whole map (squeeze-excite, GRN, GroupNorm) stays, where the analytic field is global.
"""

import dataclasses
import math
from copy import deepcopy
from functools import lru_cache

import pytest
import torch
from designs import PRESETS, SWEEP, designs, shallow, small, swept
from hypothesis import given, settings
from torch import nn

from convlab import build, load, profile
from convlab.language.blocks import ATTENTION_KINDS
from convlab.language.design import lower
from convlab.layers import ACTIVATIONS, Activation, Attention, Chain, Shape
from convlab.layers.shape import Interval
from convlab.models.containers import ChannelGate, ParallelSum, ResidualBlock
from convlab.modules import GlobalResponseNorm2d, LayerNorm2d, PaddedConv2d, RMSNorm2d

IDENTITIES = (
    nn.BatchNorm2d,
    LayerNorm2d,
    RMSNorm2d,
    *{type(Activation(kind).module(Shape(1, 1, 1))) for kind in ACTIVATIONS},
)
DIFFERENT = {
    **{
        (profile(small(name)).receptive_field, tuple(stage.block for stage in small(name).stages)): f"small {name}"
        for name in PRESETS
        if f"small {name}" in SWEEP
    },
    **{name: name for name in SWEEP if not name.startswith("small ")},
}.values()
"""The sweep, without presets that differ in widths only."""

SEES_ALL = (ChannelGate, GlobalResponseNorm2d, nn.GroupNorm)


class Nothing(nn.Module):
    """What comes in, times zero: a path that passes shape and no gradient."""

    def forward(self, x):
        return 0.0 * x


@lru_cache(maxsize=4)
def built(design):
    return build(design, initialized=False).double().eval()


def twin_of(design, axis=None, kept=()):
    """The model of a design, positive and linear but for what is kept of the layers that see all; with an axis (2 or 3), all
    windows are one pixel wide along the other, so that an image of one pixel there will do."""
    model = deepcopy(built(design))
    replace_layers(model, axis, kept)
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        with torch.no_grad():
            if name.endswith(".gamma"):
                parameter.fill_(1.0)
            elif "bias" in name:
                parameter.zero_()
            else:
                parameter.uniform_(0.5, 1.5, generator=generator).div_(max(1, parameter[0].numel()))
                if name.endswith("qkv.weight"):  # without queries and keys every pixel gives the same share
                    parameter[: len(parameter) * 2 // 3].zero_()
    return model


def replace_layers(module, axis, kept):
    for name, child in module.named_children():
        if isinstance(child, IDENTITIES) or (isinstance(child, SEES_ALL) and not isinstance(child, kept)):
            setattr(module, name, nn.Identity())
        elif isinstance(child, nn.MaxPool2d | nn.AvgPool2d):
            setattr(module, name, nn.AvgPool2d(*(along(size, axis, other) for size, other in pool_sizes(child))))
        elif isinstance(child, nn.Conv2d) and axis is not None:
            setattr(module, name, one_axis(child, axis))
        else:
            replace_layers(child, axis, kept)


def pool_sizes(pool):
    return (pool.kernel_size, 1), (pool.stride, 1), (pool.padding, 0)


def along(size, axis, other):
    return {None: (size, size), 2: (size, other), 3: (other, size)}[axis]


def one_axis(convolution, axis):
    kernel_size, stride, dilation, padding = (
        getattr(convolution, name)[axis - 2] for name in ("kernel_size", "stride", "dilation", "padding")
    )
    before, after = (
        (convolution.before, convolution.after) if isinstance(convolution, PaddedConv2d) else (padding, padding)
    )
    thin = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        along(kernel_size, axis, 1),
        along(stride, axis, 1),
        0,
        along(dilation, axis, 1),
        convolution.groups,
        bias=False,
        dtype=torch.float64,
    )
    return nn.Sequential(nn.ZeroPad2d((0, 0, before, after) if axis == 2 else (before, after, 0, 0)), thin)


def supports(model, shape, axis, pixels):
    """For each output pixel along an axis: the first and the last input pixel with a gradient, along that axis."""
    image = torch.rand(len(pixels), *shape, dtype=torch.float64).add_(0.5).requires_grad_()
    features = model.forward_features(image)
    middle = features.shape[5 - axis] // 2
    chosen = sum(features.select(5 - axis, middle)[index, :, pixel].sum() for index, pixel in enumerate(pixels))
    (gradient,) = torch.autograd.grad(chosen, image)
    seen = (gradient != 0).any(dim=1).any(dim=4 - axis)
    return [(int(line.nonzero().min()), int(line.nonzero().max())) if line.any() else None for line in seen]


def output_length(model, shape, axis):
    with torch.no_grad():
        return model.forward_features(torch.zeros(1, *shape, dtype=torch.float64)).shape[axis]


def line(design, length, axis):
    """The shape of an image of one pixel across an axis."""
    return (design.image.channels, length, 1) if axis == 2 else (design.image.channels, 1, length)


def whole_windows(window, count, length):
    """The output pixels whose window lies in the image."""
    starts = [window.start + index * window.stride for index in range(count)]
    return [index for index, start in enumerate(starts) if start >= 0 and start + window.size <= length]


def check_window(model, shape, window, axis):
    length, count = shape[axis - 1], output_length(model, shape, axis)
    whole = whole_windows(window, count, length)
    assert whole, "the image holds no whole window"
    pixels = sorted({0, whole[0], whole[-1], count - 1})
    for pixel, (first, last) in zip(pixels, supports(model, shape, axis, pixels), strict=True):
        start = window.start + pixel * window.stride
        if pixel in whole:
            assert (first, last) == (start, start + window.size - 1)
        else:  # at the border, taps between which there are gaps may see less than what is left of the window
            assert max(start, 0) <= first <= last <= min(start + window.size, length) - 1


def check_widest(design):
    field = profile(design).receptive_field
    if field.widest is None:
        check_global(design)
        return
    assert field.narrowest.size <= field.widest.size
    assert field.narrowest.stride == field.widest.stride
    if windows := windows_of(design):
        check_places(design, field.widest, windows)
        return
    for axis in (2, 3):
        length = field.widest.size + 3 * field.widest.stride
        check_window(twin_of(design, axis), line(design, length, axis), field.widest, axis)


def windows_of(design):
    """The sides of the windows of attention in a design."""
    rows = profile(design).rows
    return {row.layer.window for row in rows if isinstance(row.layer, Attention) and row.layer.window}


def check_places(design, window, sides):
    """What a pixel sees depends on where it stands among the windows: what each sees, and the hull over all places."""
    places = math.lcm(*sides)
    whole = Chain(tuple((part.path, part.tree) for part in lower(design).parts if not part.head))
    for axis in (2, 3):
        length = window.size + (places + max(sides) + 3) * window.stride
        shape = line(design, length, axis)
        model = twin_of(design, axis)
        seen = {pixel: whole.seen(Interval(pixel, pixel)) for pixel in range(output_length(model, shape, axis))}
        inside = [pixel for pixel, (first, last) in seen.items() if first >= 0 and last < length]
        assert len(inside) >= places
        chosen = sorted({*inside[:: max(1, len(inside) // 12)], inside[0], inside[-1]})
        for pixel, found in zip(chosen, supports(model, shape, axis, chosen), strict=True):
            assert found == tuple(seen[pixel])
        starts = [seen[pixel].first - pixel * window.stride for pixel in inside]
        ends = [seen[pixel].last - pixel * window.stride for pixel in inside]
        assert (min(starts), max(ends)) == (window.start, window.start + window.size - 1)


def check_global(design):
    """One output pixel sees every pixel of the image that is read at all."""
    model = twin_of(design, kept=SEES_ALL)
    image = torch.rand(1, *design.image.shape, dtype=torch.float64).add_(0.5).requires_grad_()
    features = model.forward_features(image)
    (whole,) = torch.autograd.grad(features.square().sum(), image, retain_graph=True)
    (one,) = torch.autograd.grad(features[..., features.shape[2] // 2, features.shape[3] // 2].square().sum(), image)
    assert torch.equal(one.abs().sum(1) != 0, whole.abs().sum(1) != 0)
    local = profile(without_global(design)).receptive_field.widest
    assert local is not None, "a design without layers that see all has a finite field"


def sees_all(text):
    return "squeeze" in text or text in ("grn", "attention") or "group_norm" in text


def without_global(design):
    stages = []
    for stage in design.stages:
        branches = tuple(tuple(text for text in branch if not sees_all(text)) for branch in stage.block.branches)
        branch = tuple(text for text in stage.block.branch if not sees_all(text))
        norm = "none" if stage.block.norm == "group_norm" else stage.block.norm
        if stage.block.kind in ATTENTION_KINDS and not stage.block.window:
            stage = dataclasses.replace(stage, block=dataclasses.replace(stage.block, window=2))
        block = dataclasses.replace(
            stage.block, grn=False, squeeze_ratio=0.0, norm=norm, branch=branch, branches=branches
        )
        down = (
            dataclasses.replace(stage.downsample, norm="none")
            if stage.downsample.norm == "group_norm"
            else stage.downsample
        )
        stages.append(dataclasses.replace(stage, block=block, downsample=down))
    stem = dataclasses.replace(design.stem, norm="none") if design.stem.norm == "group_norm" else design.stem
    stem = dataclasses.replace(stem, class_token=False)
    head = dataclasses.replace(design.head, pool="average")
    return dataclasses.replace(design, stages=tuple(stages), stem=stem, head=head)


@pytest.mark.parametrize("name", DIFFERENT)
def test_widest(name):
    check_widest(swept(name))


@pytest.mark.parametrize("name", DIFFERENT)
def test_widest_without_layers_that_see_all(name):
    design = swept(name)
    if profile(design).receptive_field.widest is None:
        check_widest(without_global(design))


@settings(max_examples=50)
@given(designs(with_global=False))
def test_widest_of_random_designs(design):
    assert profile(design).receptive_field.widest is not None
    check_widest(design)


@pytest.mark.slow
@settings(max_examples=200)
@given(designs(with_global=False))
def test_widest_of_many_random_designs(design):
    assert profile(design).receptive_field.widest is not None
    check_widest(design)


@pytest.mark.parametrize("name", [name for index, name in enumerate(SWEEP) if index % 4 == 0])
def test_widest_on_whole_images(name):
    """As above without the trick: square kernels on an image that holds a window."""
    design = without_global(swept(name))
    window = profile(design).receptive_field.widest
    if window.size <= 100 and not windows_of(design):
        side = window.size + 2 * window.stride
        for axis in (2, 3):
            check_window(twin_of(design), (design.image.channels, side, side), window, axis)


@settings(max_examples=40)
@given(designs(with_global=True))
def test_random_designs_that_may_see_all(design):
    check_widest(design)


# The narrowest field: of all paths through the network, the one that sees least.


def choices_of(model):
    """Every place where paths meet, as a function that lets one of them through, and how many there are."""
    found = []
    for module in model.modules():
        if isinstance(module, ResidualBlock):
            found.append((2, lambda way, block=module: residual_way(block, way)))
        elif isinstance(module, ParallelSum):
            ways = list(module._modules.items())
            found.append((len(ways), lambda way, module=module, ways=ways: parallel_way(module, ways, way)))
    return found


def residual_way(block, way):
    """Way 0 is the branch, way 1 the shortcut."""
    if not hasattr(block, "ways"):
        block.ways = (block._modules.get(block.branch[-1]), block._modules.get("shortcut"))
    last, shortcut = block.ways
    block._modules[block.branch[-1]] = nn.Sequential(last, Nothing()) if way == 1 else last
    through = shortcut or nn.Identity()
    block._modules["shortcut"] = nn.Sequential(through, Nothing()) if way == 0 else through


def parallel_way(module, ways, way):
    for index, (name, branch) in enumerate(ways):
        module._modules[name] = branch if index == way else nn.Sequential(branch, Nothing())


def check_narrowest(design, draw):
    """Way by way the narrower is kept; what is left is what the analytic field says. No drawn path is narrower."""
    window = profile(design).receptive_field.narrowest
    model = twin_of(design, axis=2)
    widest = profile(without_global(design)).receptive_field.widest
    shape = line(design, widest.size + 3 * widest.stride, 2)
    middle = whole_windows(widest, output_length(model, shape, 2), shape[1])[0]

    def span():
        (found,) = supports(model, shape, 2, [middle])
        return None if found is None else (found[1] - found[0] + 1, found[0])

    places = choices_of(model)
    for _, choose in places:
        choose(0)
    for count, choose in places:
        sizes = []
        for way in range(count):
            choose(way)
            sizes.append((span(), -way))  # of equal ones the shortcut: windows may hide what a branch adds
        assert all(size is not None for size, _ in sizes)
        choose(-min(sizes)[1])
    size, first = span()
    assert size == window.size
    assert first == window.start + middle * window.stride
    for _ in range(3):
        for count, choose in places:
            choose(int(torch.randint(count, (1,), generator=draw)))
        assert span()[0] >= window.size


NARROW = [name for index, name in enumerate(SWEEP) if index % 6 == 0 or name.startswith("custom")]


@pytest.mark.parametrize("name", NARROW)
def test_narrowest(name):
    check_narrowest(shallow(swept(name)), torch.Generator().manual_seed(0))


@settings(max_examples=40)
@given(designs(with_global=False))
def test_narrowest_of_random_designs(design):
    check_narrowest(shallow(design), torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("name", "widest", "narrowest", "stride"),
    [
        ("resnet50", 427, 11, 32),
        ("convnext_t", 1688, 32, 32),
        ("convnext_s", 3416, 32, 32),
        ("convnext_b", 3416, 32, 32),
        ("resnext50_32x4d", 427, 11, 32),
    ],
)
def test_published_fields(name, widest, narrowest, stride):
    field = profile(load(name)).receptive_field
    assert (field.widest.size, field.narrowest.size, field.widest.stride) == (widest, narrowest, stride)


def test_stride_on_the_first_convolution_sees_more():
    assert profile(load("resnet50", sets=["block.stride_at='expand'"])).receptive_field.widest.size == 483


def test_v2_sees_the_whole_image():
    assert profile(load("convnext_v2_t")).receptive_field.widest is None


def test_the_centre_of_a_unit_of_convnext_t():
    window = profile(load("convnext_t", sets=["image.size=640"])).receptive_field.widest
    assert window.start + 10 * window.stride + (window.size - 1) / 2 == 335.5


def test_presets_keep_the_field_of_their_small_form_at_equal_depths():
    for name in PRESETS:
        design = small(name)
        narrow = dataclasses.replace(design, image=dataclasses.replace(design.image, size=96))
        assert profile(narrow).receptive_field == profile(design).receptive_field
