"""What holds whatever inherits from whatever: each tensor has one line and is finite, nothing is lost unsaid, sameness is exact."""

import pytest
import torch
from designs import NAMED_KINDS, SWEEP, designs, swept
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from weights import randomized

from convlab.language.assigning import assign
from convlab.language.validation import faults
from convlab.models import build
from convlab.weights.inheritance import inherit_weights
from convlab.weights.inheritance.anatomy import StageAnatomy, anatomy_of
from convlab.weights.inheritance.matching import NEW_BLOCKS, matched_blocks, matched_stages

NAMES = sorted(SWEEP)


def check(old, new, report):
    """The law: one line a tensor, in order, with its shapes; finite; all of the source's tensors are used or told of."""
    weights, tensors = new.state_dict(), old.state_dict()
    assert [(line.path, line.shape) for line in report.lines] == [(name, tuple(t.shape)) for name, t in weights.items()]
    assert all(bool(torch.isfinite(tensor).all()) for tensor in weights.values())
    sources = {line.source for line in report.lines} - {""}
    unused = {item.path for item in report.unused}
    folded = (
        {name for name in tensors if name.endswith("gamma")}
        if any("folded" in line.how for line in report.lines)
        else set()
    )
    assert not sources & unused
    assert tensors.keys() - folded <= sources | unused <= tensors.keys()
    for line in report.lines:
        if line.source:
            assert line.source_shape == tuple(tensors[line.source].shape)
        if line.how == ("loaded",):
            assert torch.equal(weights[line.path], tensors[line.source])
        assert line.how, line
    assert sum(map(len, report.by_how.values())) == len(report.lines)
    assert 0 < report.share <= 1
    assert len(str(report).splitlines()) >= 2


def pair(one, other, **options):
    old, new = randomized(build(one, seed=1)), build(other, seed=2)
    return old, new, inherit_weights(new, old, **options)


@given(one=designs(), other=designs(), new_blocks=st.sampled_from(NEW_BLOCKS))
def test_any_design_inherits_from_any_other(one, other, new_blocks):
    check(*pair(one, other, new_blocks=new_blocks))


@given(design=designs())
def test_the_same_design_inherits_every_bit(design):
    old, new, report = pair(design, design)
    check(old, new, report)
    assert set(report.by_how) == {"loaded"}
    assert report.unused == ()


@given(
    design=designs(),
    knob=st.sampled_from(
        [{"block": {"kind": kind}} for kind in NAMED_KINDS]
        + [{"block": {"kernel_size": size}} for size in (1, 4, 9)]
        + [{"block": {"expansion_ratio": 3.0}}, {"block": {"norm": "rms_norm"}}, {"block": {"squeeze_ratio": 0.5}}]
        + [{"stages": {"0": {"depth": 4, "width": 32}}}, {"stages": {"0": {"depth": 1}}}, {"image": {"channels": 5}}]
        + [{"depths": [2, 1, 2, 1], "widths": [8, 16, 16, 24]}, {"stem": {"kind": "conv"}}, {"head": {"hidden": 12}}]
        + [{"downsample": {"kind": kind}} for kind in ("separate", "in_block", "max_pool", "patch_merging")]
    ),
)
def test_a_turned_knob_keeps_what_it_does_not_touch(design, knob):
    found = assign(design, knob)  # not every kind has every knob
    other = found.design
    assume(not found.faults and not faults(other))
    old, new, report = pair(design, other)
    check(old, new, report)
    if design.widths == other.widths and design.head == other.head:
        assert {line.how for line in report.lines if line.path.startswith("head.")} <= {("loaded",)}


def outputs(model, design):
    image = torch.randn(2, *design.image.shape, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        return model.eval()(image)


@settings(max_examples=25)
@given(design=designs(), more=st.integers(1, 4))
def test_kernels_with_zeros_around_them_compute_the_same(design, more):
    stages = {
        str(index): {"block": {"kernel_size": stage.block.kernel_size + more}}
        for index, stage in enumerate(design.stages)
        if stage.block.kind != "custom" and stage.dilation == 1
    }
    assume(stages)
    other = assign(design, {"stages": stages}).design
    assume(not faults(other))
    old, new, report = pair(design, other)
    assert report.by_how.keys() <= {"loaded", "padded"}
    before, after = outputs(old, design), outputs(new, design)
    assert (after - before).abs().max() <= 1e-4 * before.abs().max()


@settings(max_examples=25)
@given(design=designs(), more=st.integers(1, 3))
def test_a_deeper_network_computes_the_same_where_all_new_blocks_are_silent(design, more):
    stages = {str(index): {"depth": stage.depth + more} for index, stage in enumerate(design.stages)}
    other = assign(design, {"stages": stages}).design
    old, new, report = pair(design, other, new_blocks="identity")
    blocks = {line.path: line.path.split(".")[1:4:2] for line in report.lines if ".blocks." in line.path}
    made = {tuple(blocks[line.path]) for line in report.lines if {"duplicated", "zeroed"} & set(line.how)}
    silent = {tuple(blocks[line.path]) for line in report.lines if line.how == ("zeroed",)}
    assume(silent == made and len(made) == more * len(design.stages))
    assert torch.equal(outputs(new, design), outputs(old, design))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (place % 4 > 0)) for place, name in enumerate(NAMES)]
)
def test_all_kinds_of_designs(name):
    design = swept(name)
    _, new, report = pair(design, design)
    assert set(report.by_how) == {"loaded"}
    before = swept(NAMES[NAMES.index(name) - 1])
    check(*pair(before, design))
    anatomy = anatomy_of(design, new.state_dict())
    addresses = [site.address for site in anatomy.sites.values()]
    assert len(set(addresses)) == len(addresses) == len(new.state_dict())


@given(new=st.lists(st.integers(1, 9), min_size=1, max_size=6), old=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_stages_are_matched_in_order_and_as_well_as_can_be(new, old):
    found = matched_stages(new, old)
    used = [stage for stage in found if stage >= 0]
    assert len(found) == len(new)
    assert len(used) == min(len(new), len(old))
    assert used == sorted(set(used))
    assert matched_stages(new, new) == tuple(range(len(new)))


@given(new=st.integers(1, 40), old=st.integers(1, 40), period=st.sampled_from((1, 2)), enters=st.booleans())
def test_blocks_are_matched_in_order_and_each_own_one_once(new, old, period, enters):
    feeds = matched_blocks(StageAnatomy(new, 8, period, enters), StageAnatomy(old, 8, period, enters))
    own = [feed.block for feed in feeds if feed.own]
    assert len(feeds) == new
    assert feeds[0].block == 0
    assert feeds[0].own
    assert all(0 <= feed.block < old for feed in feeds)
    assert own == sorted(set(own))
    if new >= old:
        assert own == list(range(old))
    if min(new, old) - enters >= period:
        assert all((feed.block - place) % period == 0 for place, feed in enumerate(feeds) if place >= enters)
    if new <= old:
        assert len(own) == new
    if new == old:
        assert own == list(range(new))
