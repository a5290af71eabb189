"""Law: a folded tree costs what its module does, in torch's own counters; it says no new names, and leaves nothing that could be folded."""

import pytest
import torch
from designs import SHALLOWEST, SWEEP, design_of, designs, preset, swept
from hypothesis import given
from models.weights import assert_close, assert_unchanged, randomized
from oracles import folded_on_cpu, image_of, on_meta, peak_elements
from sums import sums
from torch.utils.flop_counter import FlopCounterMode

from convlab import build, fold, load, profile
from convlab.language.design import lower
from convlab.layers import (
    BatchNorm,
    Chain,
    Convolution,
    Depthwise,
    LayerScale,
    Parallel,
    Pointwise,
    Repeat,
    Residual,
    Shape,
    walk,
)
from convlab.layers.folding import folded

CONVOLUTIONS = (Convolution, Depthwise, Pointwise)
X = Shape(12, 9, 7)


def check(design, original, model):
    """What is small is counted in memory, which is sooner: without it, torch's operations are written in Python.

    Gives the image that it counted with, and what the folded model made of it.
    """
    before, after = profile(design), profile(design, folded=True)
    some = next(original.parameters())
    image = image_of(design, device=some.device, dtype=some.dtype)
    assert after.params == sum(parameter.numel() for parameter in model.parameters())
    assert after.total("params") == after.params
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = model(image)
    assert 2 * after.macs == counter.get_total_flops() <= 2 * before.macs
    assert after.features == before.features
    assert after.rows[-1].output == before.rows[-1].output
    assert output[0].numel() == after.rows[-1].output.elements
    check_paths(after, model, original)
    return image, output


def check_paths(after, model, original):
    """What remains stands where it stood; a sum that became one convolution stands where the sum stood."""
    scales = {path for row in after.rows for path in row.paths if isinstance(row.layer, LayerScale)}
    assert scales == {name for name, _ in model.named_parameters() if name.endswith(".gamma")}
    paths = [path for row in after.rows for path in row.paths if path not in scales]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert model.get_submodule(path) is not original.get_submodule(path)
    owned = [f"{path}.{name}" for path in paths for name, _ in model.get_submodule(path).named_parameters()]
    assert sorted([*owned, *scales]) == sorted(name for name, _ in model.named_parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", SHALLOWEST)
def test_presets(name):
    """Each structure at its full size; the sweep holds all of them made small."""
    original = on_meta(preset(name))
    check(preset(name), original, fold(original))


def check_in_double(design):
    """In which it is seen too that a folded model gives what the model gave, and leaves it as it was."""
    original = randomized(build(design, dtype=torch.float64, initialized=False))
    before = {key: tensor.clone() for key, tensor in original.state_dict().items()}
    model = fold(original)
    image, output = check(design, original, model)
    with torch.no_grad():
        assert_close(output, original(image), 1e-10)
    assert_unchanged(original, before, model)


@pytest.mark.parametrize("name", SWEEP)
def test_sweep(name):
    check_in_double(swept(name))


@given(designs())
def test_random_designs(design):
    check_in_double(design)


@given(sums())
def test_random_sums(design):
    check_in_double(design)


@pytest.mark.parametrize("name", [name for index, name in enumerate(SWEEP) if index % 4 == 0])
def test_the_memory_of_a_folded_network(name):
    design = swept(name)
    watched = peak_elements(folded_on_cpu(name), image_of(design))
    assert profile(design, folded=True).peak_elements == watched.peak, watched.at


def pairs(tree, x):
    """Layers that run one after the other and see nothing else, in all chains of a tree, whatever their names are."""
    match tree:
        case Repeat():
            yield from pairs(tree.block, x)
        case Residual():
            yield from pairs(tree.branch, x)
            if tree.scale is not None and tree.branch.children:
                yield last(tree.branch), tree.scale
        case Chain():
            for (_, one), (_, other) in zip(tree.children, tree.children[1:], strict=False):
                yield last(one), first(other)
            for _, child in tree.children:
                yield from pairs(child, x)
                x = child.output(x)


def last(tree):
    return last(tree.children[-1][1]) if isinstance(tree, Chain) and tree.children else tree


def first(tree):
    return first(tree.children[0][1]) if isinstance(tree, Chain) and tree.children else tree


@pytest.mark.parametrize("name", SHALLOWEST)
def test_no_norm_is_left_after_a_convolution(name):
    design = preset(name)
    for part in lower(design).parts:
        for one, other in pairs(folded(part.tree, Shape(16, 64, 64)), Shape(16, 64, 64)):
            assert not (isinstance(one, CONVOLUTIONS) and isinstance(other, BatchNorm | LayerScale)), part.path


@pytest.mark.parametrize("name", ["resnet50", "resnext50_32x4d", "repvgg_a0", "repvgg_b0", "roadmap/04_depthwise"])
def test_no_batch_norm_is_left_at_all(name):
    rows = profile(preset(name), folded=True).rows
    assert not any(isinstance(row.layer, BatchNorm) for row in rows)
    assert any(isinstance(row.layer, BatchNorm) for row in profile(preset(name)).rows)


def test_repvgg_is_a_chain_of_3x3_convolutions():
    rows = profile(load("repvgg_a0"), folded=True).rows
    convolutions = [row for row in rows if isinstance(row.layer, Convolution)]
    assert sum(row.count for row in convolutions) == 22
    assert {row.layer.kernel_size for row in convolutions} == {3}
    assert {row.layer.label() for row in rows if row not in convolutions} == {
        *("ReLU", "GlobalAveragePool", "Flatten", "Linear")
    }


def test_convnext_with_a_second_kernel_folds_to_convnext():
    one, other = (lower_folded(name).signature() for name in ("convnext_rep_t", "convnext_t"))
    assert one == other
    assert load("convnext_rep_t").key != load("convnext_t").key


def lower_folded(name):
    design = load(name)
    return folded(lower(design).tree, design.image.shape)


def branches(*layers):
    named = [Chain(tuple((str(place), layer) for place, layer in enumerate(branch))) for branch in layers]
    return Parallel(tuple((str(index), branch) for index, branch in enumerate(named)))


def said(tree, path="sum"):
    """The rows of a folded sum: where, and what with how many groups."""
    return [(row.path, row.layer.label(), getattr(row.layer, "bias", None)) for row in walk(folded(tree, X), X, path)]


NORM = BatchNorm()
CASES = {
    "repvgg": (
        branches([Convolution(12, 3), NORM], [Pointwise(12), NORM], [NORM]),
        [("sum", "Convolution 3x3", True)],
    ),
    "without a norm there is no bias": (
        branches([Convolution(12, 3)], [Pointwise(12)], []),
        [("sum", "Convolution 3x3", False)],
    ),
    "replknet": (
        branches([Depthwise(31), NORM], [Depthwise(5), NORM]),
        [("sum", "Depthwise 31x31", True)],
    ),
    "dilated kernels in a large one (UniRepLKNet)": (
        branches([Depthwise(13)], [Depthwise(3, dilation=5)], [Depthwise(7, dilation=2), NORM]),
        [("sum", "Depthwise 13x13", True)],
    ),
    "equal dilations stay": (
        branches([Depthwise(5, dilation=3)], [Depthwise(3, dilation=3)], []),
        [("sum", "Depthwise 5x5, dilation 3", False)],
    ),
    "dilations that would need a denser kernel": (
        branches([Depthwise(3, dilation=2)], [Depthwise(3)]),
        [("sum.0.0", "Depthwise 3x3, dilation 2", False), ("sum.1.0", "Depthwise 3x3", False)],
    ),
    "an even kernel in an odd one and the other way round": (
        branches([Depthwise(4)], [Depthwise(5)], [Depthwise(2)]),
        [("sum", "Depthwise 5x5", False)],
    ),
    "an odd kernel in an even one": (
        branches([Convolution(12, 4)], [Convolution(12, 3)]),
        [("sum", "Convolution 4x4", False)],
    ),
    "depthwise beside pointwise would become dense": (
        branches([Depthwise(7)], [Pointwise(12)], [NORM]),
        [("sum.0", "Depthwise 7x7", True), ("sum.1.0", "Pointwise", False)],
    ),
    "groups in fewer groups": (
        branches([Convolution(12, 3, groups=4)], [Convolution(12, 3, groups=6)], [Convolution(12, 3, groups=2)]),
        [("sum", "Convolution 3x3, groups 2", False)],
    ),
    "groups that would become one": (
        branches([Convolution(12, 3, groups=3)], [Convolution(12, 3, groups=4)]),
        [("sum.0.0", "Convolution 3x3, groups 3", False), ("sum.1.0", "Convolution 3x3, groups 4", False)],
    ),
    "strides": (
        branches([Convolution(6, 3, 2), NORM], [Convolution(6, 1, 2)]),
        [("sum", "Convolution 3x3, stride 2", True)],
    ),
    "identities alone": (branches([], [NORM]), [("sum.1.0", "BatchNorm", None)]),
    "one branch": (branches([Pointwise(12), NORM]), [("sum", "Pointwise", True)]),
    "pointwise layers": (
        branches([Pointwise(12, form="linear")], [], [NORM]),
        [("sum", "Pointwise", True)],
    ),
    "some of the branches": (
        branches([Pointwise(12), NORM], [NORM, Convolution(12, 3), NORM], [NORM]),
        [("sum.0", "Pointwise", True), ("sum.1.0", "BatchNorm", None), ("sum.1.1", "Convolution 3x3", True)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_sums(name):
    tree, due = CASES[name]
    assert said(tree) == due


CHAINS = {
    "a norm before a 1x1 convolution": ([NORM, Pointwise(8), NORM], [("0.1", "Pointwise", True)]),
    "a norm before a convolution without padding": (
        [NORM, Convolution(8, 2, 2, same=False)],
        [("0.1", "Convolution 2x2, stride 2", True)],
    ),
    "a norm before padding stays": (
        [NORM, Convolution(8, 3)],
        [("0.0", "BatchNorm", None), ("0.1", "Convolution 3x3", False)],
    ),
    "two norms after": ([Depthwise(3), NORM, NORM], [("0.0", "Depthwise 3x3", True)]),
    "convolutions in a row stay": (
        [Pointwise(8), Depthwise(3), NORM],
        [("0.0", "Pointwise", False), ("0.1", "Depthwise 3x3", True)],
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name):
    layers, due = CHAINS[name]
    tree = branches(layers, [Depthwise(2), BatchNorm(), Depthwise(2)])  # which keeps the sum a sum
    assert said(tree, "")[: len(due)] == [(f".{path}", *rest) for path, *rest in due]


def test_nothing_is_folded_across_the_border_of_a_block():
    design = design_of(
        {
            "depths": [2],
            "widths": [16],
            "stem": {"kind": "patchify", "norm": "none"},
            "block": {"kind": "custom", "shortcut": "none", "branch": ["norm", "depthwise(3)"]},
        }
    )
    before, after = (profile(design, folded=form) for form in (False, True))
    assert [row.path for row in before.rows] == [row.path for row in after.rows]
