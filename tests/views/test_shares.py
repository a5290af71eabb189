"""Shares of a figure, and saved memory layer by layer: they sum to the whole."""

import pytest
from designs import SWEEP, designs, preset, swept
from hypothesis import given

from convlab import load, profile
from convlab.views.saved_memory import IMAGE, saved_by_layer
from convlab.views.shares import by_size, shares, values_before


def test_saved_memory_of_layers_sums_to_that_of_the_network():
    for name in SWEEP:
        found = profile(swept(name))
        kept = saved_by_layer(found)
        assert sum(kept.values()) == found.saved_bytes(), name
        assert set(kept) <= {row.path for row in found.rows} | {IMAGE}, name


@given(designs())
def test_saved_memory_of_random_designs(design):
    found = profile(design)
    assert sum(saved_by_layer(found).values()) == found.saved_bytes()


@pytest.mark.parametrize("by", ["stage", "block", "layer"])
def test_shares_sum_to_the_whole(by):
    for name in ("convnext_t", "swin_t", "efficientnet_b0", "convnext_iso_s"):
        found = profile(preset(name))
        whole = {
            "macs": found.macs,
            "params": found.params,
            "activations": found.activations,
            "saved_bytes": found.saved_bytes(),
        }
        for measure, total in whole.items():
            rows = shares(found, measure, by=by)
            assert sum(row.value for row in rows) == total
            assert sum(row.share for row in rows) == pytest.approx(1)
            assert [row.value for row in by_size(rows)] == sorted((row.value for row in rows), reverse=True)


def test_a_repeated_block_has_the_path_of_its_first():
    rows = shares(profile(load("convnext_t")), "macs", by="block")
    assert (rows[5].name, rows[5].path, rows[5].count) == ("stages.2.blocks.0-8", "stages.2.blocks.0", 9)
    assert rows[5].text == "2.114 G"


@pytest.mark.parametrize("by", ["stage", "block", "layer"])
def test_what_was_there_before_is_that_of_the_same_blocks_however_they_are_grouped(by):
    """ResNet's first block of a stage is unlike the others, ConvNeXt's is not; depths differ too."""
    resnet, convnext, deeper = (
        shares(profile(load(name, sets=sets)), "macs", by=by)
        for name, sets in (("resnet50", ()), ("convnext_t", ()), ("convnext_t", ("stages.2.depth=12",)))
    )
    assert values_before(convnext, convnext) == pytest.approx([row.value for row in convnext])
    before = dict(zip((row.path for row in convnext), values_before(convnext, resnet), strict=True))
    within = {row.path: row.value for row in resnet}
    if by == "block":
        stage = within["stages.2.blocks.0"] + within["stages.2.blocks.1"]
        assert before["stages.2.blocks.0"] == pytest.approx(stage)
        assert before["stages.2.downsample"] is None
    if by == "layer":
        assert before["stages.2.blocks.0.conv_dw"] is None
    was = sum(value or 0 for value in values_before(deeper, convnext))
    assert was == pytest.approx(sum(row.value for row in convnext))


def test_without_a_calibration_no_time():
    rows = shares(profile(load("convnext_t")), "seconds", by="stage")
    assert {row.value for row in rows} == {0.0}
