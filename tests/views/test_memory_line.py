"""Live memory over the order of execution: its peak is the profile's, for every structure."""

from designs import SWEEP, designs, preset, swept
from hypothesis import given

from convlab import load, profile
from convlab.layers import LayerScale
from convlab.views.memory_line import memory_line


def test_the_peak_is_that_of_the_profile():
    for name in SWEEP:
        found = profile(swept(name))
        assert memory_line(found).peak.elements == found.peak_elements, name


@given(designs())
def test_the_peak_of_random_designs(design):
    found = profile(design)
    assert memory_line(found).peak.elements == found.peak_elements


def test_every_layer_is_at_work_once_for_each_repetition():
    for name in ("convnext_t", "resnet50", "swin_t", "efficientnet_b0"):
        found = profile(preset(name))
        line = memory_line(found)
        for row in found.rows:
            if isinstance(row.layer, LayerScale):  # it works within the sum
                continue
            works = sum(
                moment.count
                for moment in line.moments
                if moment.path == row.path and moment.what not in ("sum", "product")
            )
            assert works == row.count, row.path
        assert sum(moment.count for moment in line.moments) == line.length
        places = sorted(
            moment.start + index * moment.stride for moment in line.moments for index in range(moment.count)
        )
        assert places == list(range(line.length))


def test_columns_hold_the_peak_however_few_they_are():
    line = memory_line(profile(load("convnext_t", sets=["depths=[600, 600, 1200, 600]"])))
    for number in (1, 7, 80):
        assert max(line.columns(number)) == line.peak.elements
    # As a plain unrolling gives them.
    line = memory_line(profile(load("resnet18")))
    plain = [0] * 50
    for moment in line.moments:
        for index in range(moment.count):
            at = (moment.start + index * moment.stride) * 50 // line.length
            plain[at] = max(plain[at], moment.elements)
    assert [value for value, seen in zip(line.columns(50), plain, strict=True) if seen] == [
        seen for seen in plain if seen
    ]


def test_who_holds_the_peak():
    peak = memory_line(profile(load("convnext_t"))).peak
    assert peak.path == "stages.0.blocks.0.mlp.act"
    assert [held.what for held in sorted(peak.held, key=lambda held: -held.elements)][:2] == [
        "output of stages.0.blocks.0.mlp.fc1",
        "output of stages.0.blocks.0.mlp.act",
    ]
