"""Law: the receptive field is the span of the non-zero gradient of one output pixel with respect to the image, along each axis.

The oracle is a twin in float64 with positive weights and no biases: norms over channels and activations are the identity, max pools are
average pools, layer scale is 1. Only what sees the whole map (squeeze-excite, GRN, GroupNorm) stays, where the analytic field is global.
"""

import dataclasses

import pytest
import torch
from designs import PRESETS, SWEEP, designs, small, swept
from hypothesis import assume, given, settings
from torch import nn

from convlab import build, load, profile
from convlab.models.containers import ChannelGate, ParallelSum, ResidualBlock
from convlab.modules import GlobalResponseNorm2d, LayerNorm2d, RMSNorm2d

LONGEST = 1500
IDENTITIES = (nn.BatchNorm2d, LayerNorm2d, RMSNorm2d, *(getattr(nn, name) for name in ("GELU", "ReLU", "ReLU6", "SiLU", "Hardswish")))
IDENTITIES += tuple(getattr(nn, name) for name in ("LeakyReLU", "Mish", "ELU", "Tanh", "Sigmoid", "Hardsigmoid"))


class Nothing(nn.Module):
    """What comes in, times zero: a path that passes shape and no gradient."""

    def forward(self, x):
        return 0.0 * x


def replaced(module, kept):
    for name, child in module.named_children():
        if isinstance(child, IDENTITIES) or (isinstance(child, kept) is False and isinstance(child, SEES_ALL)):
            setattr(module, name, nn.Identity())
        elif isinstance(child, nn.MaxPool2d):
            setattr(module, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
        else:
            replaced(child, kept)


SEES_ALL = (ChannelGate, GlobalResponseNorm2d, nn.GroupNorm)


def twin_of(design, kept=()):
    """The layers of a design up to the last feature map, positive and linear but for what is kept of the layers that see all."""
    model = build(design, initialized=False).double().eval()
    replaced(model, kept)
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        with torch.no_grad():
            if name.endswith(".gamma"):
                parameter.fill_(1.0)
            elif name.endswith("bias"):
                parameter.zero_()
            else:
                parameter.uniform_(0.5, 1.5, generator=generator).div_(max(1, parameter[0].numel()))
    return model


def supports(model, shape, axis, pixels):
    """For each output pixel along an axis: first and last input pixel with a gradient, along that axis."""
    image = torch.rand(len(pixels), *shape, dtype=torch.float64).add_(0.5).requires_grad_()
    features = model.forward_features(image)
    across = features.shape[5 - axis] // 2
    chosen = [features.select(5 - axis, across)[index, :, pixel].sum() for index, pixel in enumerate(pixels)]
    (gradient,) = torch.autograd.grad(sum(chosen), image)
    seen = (gradient != 0).any(dim=1).any(dim=4 - axis)
    return [(int(line.nonzero().min()), int(line.nonzero().max())) if line.any() else None for line in seen]


def length_of(model, shape, axis):
    with torch.no_grad():
        return model.forward_features(torch.zeros(1, *shape, dtype=torch.float64)).shape[axis]


def read_to(model, shape, axis):
    """The last input pixel that any output pixel sees."""
    image = torch.rand(1, *shape, dtype=torch.float64).requires_grad_()
    (gradient,) = torch.autograd.grad(model.forward_features(image).sum(), image)
    return int((gradient != 0).any(dim=1).any(dim=4 - axis)[0].nonzero().max())


def thin(design, window, axis):
    """An image that holds a window and more along one axis, and is as small as the design allows along the other."""
    total = window.stride
    long = window.size + 4 * total + 3
    small_side = next(size for size in (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128) if fits(design, (long, size), axis))
    return (design.image.channels, long, small_side) if axis == 2 else (design.image.channels, small_side, long)


def fits(design, sides, axis):
    size = sides if axis == 2 else sides[::-1]
    rows = profile(design, image=size).rows
    return all(min(row.output.height, row.output.width) > 0 for row in rows)


def check_window(model, design, window, axis):
    shape = thin(design, window, axis)
    count = length_of(model, shape, axis)
    middle = [index for index in range(count) if window.start + index * window.stride >= 0]
    middle = [index for index in middle if window.start + index * window.stride + window.size <= shape[axis - 1]]
    assert middle, "the image holds no whole window"
    pixels = sorted({0, middle[0], middle[-1], count - 1})
    last = read_to(model, shape, axis)
    for pixel, found in zip(pixels, supports(model, shape, axis, pixels), strict=True):
        first = window.start + pixel * window.stride
        if pixel in middle:
            assert found == (first, first + window.size - 1)
        else:
            assert found == (max(first, 0), min(first + window.size - 1, last))


def check_widest(design):
    field = profile(design).receptive_field
    if field.widest is None:
        check_global(design)
        return
    assert field.narrowest.size <= field.widest.size
    assert field.narrowest.stride == field.widest.stride
    if field.widest.size > LONGEST:
        return
    model = twin_of(design)
    for axis in (2, 3):
        check_window(model, design, field.widest, axis)


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


def without_global(design):
    stages = []
    for stage in design.stages:
        branches = tuple(tuple(text for text in branch if "squeeze" not in text and text != "grn" and "group_norm" not in text) for branch in stage.block.branches)
        branch = tuple(text for text in stage.block.branch if "squeeze" not in text and text != "grn" and "group_norm" not in text)
        norm = "none" if stage.block.norm == "group_norm" else stage.block.norm
        block = dataclasses.replace(stage.block, grn=False, squeeze_ratio=0.0, norm=norm, branch=branch, branches=branches)
        down = dataclasses.replace(stage.downsample, norm="none") if stage.downsample.norm == "group_norm" else stage.downsample
        stages.append(dataclasses.replace(stage, block=block, downsample=down))
    stem = dataclasses.replace(design.stem, norm="none") if design.stem.norm == "group_norm" else design.stem
    return dataclasses.replace(design, stages=tuple(stages), stem=stem)


@pytest.mark.parametrize("name", SWEEP)
def test_widest(name):
    check_widest(swept(name))


@pytest.mark.parametrize("name", SWEEP)
def test_widest_without_layers_that_see_all(name):
    design = swept(name)
    if profile(design).receptive_field.widest is None:
        check_widest(without_global(design))


@settings(max_examples=200)
@given(designs(with_global=False))
def test_widest_of_random_designs(design):
    assert profile(design).receptive_field.widest is not None
    check_widest(design)


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
    model = twin_of(design)
    shape = thin(design, profile(without_global(design)).receptive_field.widest._replace(stride=window.stride), 2)
    count = length_of(model, shape, 2)
    middle = min(index for index in range(count) if window.start + index * window.stride >= 0 and 3 * index >= count)

    def span():
        (found,) = supports(model, shape, 2, [middle])
        return None if found is None else (found[1] - found[0] + 1, found[0])

    places = choices_of(model)
    for count, choose in places:
        choose(0)
    for count, choose in places:
        sizes = []
        for way in range(count):
            choose(way)
            sizes.append((span(), way))
        assert all(size is not None for size, _ in sizes)
        choose(min(sizes)[1])
    size, first = span()
    assert size == window.size
    assert first == window.start + middle * window.stride
    for _ in range(3):
        for count, choose in places:
            choose(int(torch.randint(count, (1,), generator=draw)))
        assert span()[0] >= window.size


NARROW = [name for index, name in enumerate(SWEEP) if index % 3 == 0 or name.startswith("custom")]


@pytest.mark.parametrize("name", NARROW)
def test_narrowest(name):
    check_narrowest(shallow(swept(name)), torch.Generator().manual_seed(0))


@settings(max_examples=40)
@given(designs(with_global=False))
def test_narrowest_of_random_designs(design):
    assume(profile(design).receptive_field.widest.size < LONGEST // 3)
    check_narrowest(shallow(design), torch.Generator().manual_seed(0))


def shallow(design):
    """At most two blocks a stage: every block is a choice to be made."""
    return dataclasses.replace(design, stages=tuple(dataclasses.replace(stage, depth=min(stage.depth, 2)) for stage in design.stages))


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
