"""The grid: knobs that mean nothing for a design are not in it, and a 0 that is no figure reads "auto"."""

from dataclasses import replace

import pytest
from designs import preset

from convlab import ConvlabError, load, profile
from convlab.language.files import load_text
from convlab.language.head import Head
from convlab.language.knobs import knobs_of
from convlab.session import opened
from convlab.views.grid import grid
from convlab.views.knob_paths import knob_paths
from convlab.views.knob_texts import knob_text, path_text

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
    known = knob_paths()
    assert [knob_text(known["stem.width"], value) for value in (0, 64)] == ["auto", "64"]
    assert [knob_text(known["head.hidden"], 0), knob_text(known["stem.branch"], ())] == ["0", "none"]
    paths = ("norm_eps", "stages.2.block.group_width", "head.hidden", "stages.0.width", "x")
    assert [path_text(path, 0) for path in paths] == ["auto", "auto", "0", "0", "0"]
    assert path_text("block.heads", (0, 4, None)) == "[auto, 4, -]"


def test_auto_is_written_where_it_is_shown(tmp_path):
    sets = ("norm_eps=auto", "stem.width=auto", 'block.group_width=[16, "auto", "auto", "auto"]')
    given = load("resnet50", sets=("norm_eps=1e-3", "stem.width=32", *sets))
    assert given == load("resnet50", sets=("stem.width=0", "block.group_width=[16, 0, 0, 0]"))
    session = opened("resnet50").turned("stem.width", "auto")
    assert session.design.stem.width == 0
    assert '"auto"' not in session.text
    path = tmp_path / "mine.toml"
    path.write_text('base = "resnet50"\noutput_stride = "auto"\n[stem]\nwidth = "auto"  # as wide\n')
    mended = opened(path).turned("drop_path", 0.5)
    assert mended.design.output_stride == 0
    assert 'width = "auto"  # as wide' in mended.text
    assert load_text(mended.turned("stem.width", 48).text).stem.width == 48
    with pytest.raises(ConvlabError, match='from 0 to 65536, or "auto", not "Auto"') as told:
        load("resnet50", sets=("stem.width=Auto",))
    assert told.value.problems[0].label == 'write "auto"'
