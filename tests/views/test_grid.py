"""The grid: knobs that mean nothing for a design are not in it, and a 0 that is no figure reads "auto"."""

from dataclasses import replace

import pytest
from designs import preset

from convlab import load, profile
from convlab.language.head import Head
from convlab.language.knobs import knobs_of
from convlab.views.automatic import AUTOMATIC, knob_text, written
from convlab.views.grid import grid
from convlab.views.knob_paths import knob_paths

OTHERS = {"boolean": (True, False), "number": (0.0, 0.25), "integer": (0, 40)}


def cells_of(design, path):
    found = grid(profile(design), design)
    return next(row.cells for row in found.rows if row.path == path)


@pytest.mark.parametrize("name", ["convnext_atto", "efficientnet_b0", "resnet50", "convnext_t"])
def test_a_head_knob_is_shown_where_it_changes_the_network(name):
    design = preset(name)
    shown = cells_of(design, "head")
    for knob in knobs_of(Head).values():
        if knob.name == "dropout":  # a rate: the network is the same
            continue
        heads = (replace(design.head, **{knob.name: value}) for value in OTHERS.get(knob.kind, knob.choices))
        keys = {replace(design, head=head).key for head in heads}
        assert (len(keys) > 1) == (knob.name in shown), knob.name


def test_a_knob_comes_with_what_it_needs_and_is_not_marked_as_changed():
    baseline, design = load("convnext_atto"), load("convnext_atto", sets=("head.hidden=64", "block.squeeze_ratio=0.25"))
    found = grid(profile(design), baseline)
    assert found.place("head.activation") is not None
    assert not found.rows[-1].cells["activation"].changed
    assert found.rows[-1].cells["hidden"].changed
    assert {"squeeze_of", "squeeze_after"} <= set(cells_of(design, "stages.0"))
    assert not {"squeeze_of", "squeeze_after"} & set(cells_of(baseline, "stages.0"))


def test_a_zero_that_leaves_it_to_the_design_reads_auto():
    told = {path for path, knob in knob_paths().items() if "0: " in knob.help}
    none = {path for path in told if knob_paths()[path].help.rpartition("0: ")[2].startswith("none")}
    assert told - none - {"block.window"} == set(AUTOMATIC)
    assert [knob_text("stem.width", value) for value in (0, 64)] == ["auto", "64"]
    assert knob_text("stages.2.block.group_width", 0) == "auto"
    assert [knob_text("head.hidden", 0), knob_text("stages.0.width", 0), knob_text("x", ())] == ["0", "0", "none"]
    assert [written("stem.width", text) for text in ("Auto", "12")] == ["0", "12"]
    assert written("head.hidden", "auto") == "auto"
