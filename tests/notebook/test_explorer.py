"""The explorer without a browser: its controls turn knobs, its figure and cards follow, what is refused changes nothing."""

import math

import numpy as np
import pytest

import convlab
from convlab.notebook import Explorer
from convlab.notebook.readings import reading
from convlab.notebook.spans import Range, Steps, Switch, Text, Words, span_of
from convlab.session import opened
from convlab.views.knob_paths import knob_paths


def card(explorer, name):
    return next(each for each in explorer.cards if each.name == name)


def heights(explorer, name):
    """The bars of the design as the figure has them."""
    return {"macs": explorer.figure.data[2], "params": explorer.figure.data[3], "memory": explorer.figure.data[4]}[
        name
    ].y


def test_a_slider_turns_its_knob_and_figure_and_cards_follow():
    lab = Explorer("convnext_t")
    lab.controls["stages.2.depth"].value = 12
    turned = convlab.profile(convlab.turn(convlab.load("convnext_t"), "stages.2.depth", 12))
    assert lab.design.depths == (3, 3, 12, 3)
    assert lab.session.last == "stages.2.depth 9 -> 12"
    assert heights(lab, "macs").sum() == pytest.approx(turned.macs / 1e9)
    assert heights(lab, "params").sum() == pytest.approx(turned.params / 1e6)
    assert card(lab, "params").value == turned.params
    assert card(lab, "params").delta.difference == turned.params - 28_589_128
    assert "32.19 M" in lab._cards.value
    assert "12.6" in lab._cards.value


def test_what_is_refused_is_told_and_changes_nothing():
    lab = Explorer("convnext_t")
    lab.turn("stages.2.block.groups", 7)
    assert lab.design == convlab.load("convnext_t")
    assert "not taken" in lab._said.value
    assert "groups 7" in lab._said.value
    lab.turn("stages.2.depth", 10)
    assert "not taken" not in lab._said.value


def test_undo_redo_baseline_and_pins():
    lab = Explorer("convnext_t")
    lab.turn("stages.2.depth", 12)
    lab.pin()
    lab.compare_with_now()
    assert card(lab, "macs").delta.difference == 0
    lab.undo()
    assert lab.controls["stages.2.depth"].value == 9
    assert card(lab, "macs").delta.difference < 0
    assert "pinned 1" in lab._table.value
    traces = len(lab.figure.data)
    lab.unpin()
    assert lab._table.value == ""
    assert len(lab.figure.data) < traces
    lab.redo()
    assert lab.controls["stages.2.depth"].value == 12


def test_controls_are_made_anew_where_kinds_change():
    lab = Explorer("convnext_t")
    assert "block.window" not in lab.controls
    lab.controls["block.kind"].value = "swin"
    assert lab.controls["block.window"].value == 7
    lab.undo()
    assert "block.window" not in lab.controls


def test_the_blocks_controls_are_of_all_stages_or_of_one():
    lab = Explorer("convnext_t")
    lab.controls["block.kernel_size"].value = 9
    assert {stage.block.kernel_size for stage in lab.design.stages} == {9}
    lab._panel._where.value = "3"
    lab.controls["stages.3.block.kernel_size"].value = 3
    assert [stage.block.kernel_size for stage in lab.design.stages] == [9, 9, 9, 3]


def test_a_stage_more_is_a_bar_more():
    lab = Explorer("convnext_t")
    lab.session = lab.session.stage_duplicated(3)
    assert list(lab.figure.data[2].x) == ["stem", "s0", "s1", "s2", "s3", "s4", "head"]
    assert "stages.4.depth" in lab.controls


def test_a_control_stretches_for_a_value_that_it_did_not_offer():
    lab = Explorer("convnext_t", knobs=["stages.2.depth", "block.expansion_ratio"])
    lab.turn("stages.2.depth", 60)
    lab.turn("block.expansion_ratio", 5.0)
    assert lab.controls["stages.2.depth"].value == 60
    assert lab.controls["block.expansion_ratio"].value == 5.0


def test_names_of_knobs_that_there_are_not_are_refused():
    with pytest.raises(convlab.ConvlabError):
        Explorer("convnext_t", knobs=["stages.2.dept"])


def test_a_space_has_controls_of_what_varies_and_a_click_loads_a_member():
    space = convlab.load_space("spaces/convnext_sizes")
    lab = Explorer(space)
    assert set(lab.controls) == {path for path in space.paths if ".block." not in path} | {
        *(f"stages.{stage}.block.kernel_size" for stage in range(4)),
        "block.expansion_ratio",
    } - {f"stages.{stage}.block.expansion_ratio" for stage in range(4)}
    assert lab.controls["stages.0.block.kernel_size"].options == tuple((str(size), size) for size in (3, 5, 7, 9, 11))
    index = lab._cloud.population.indices[7]
    lab.scatter.data[0]._dispatch_on_click(_points(7), None)
    assert space.index(lab.design) == index
    assert lab.session.last.startswith("member")
    assert lab.scatter.data[1].x[0] == lab.profile.macs


def _points(index):
    from plotly.callbacks import Points

    return Points(point_inds=[index], xs=[0], ys=[0], trace_name="", trace_index=0)


def test_it_opens_sessions_designs_and_files(tmp_path):
    session = opened("convnext_atto").turned("stages.0.depth", 4)
    lab = Explorer(session, against="resnet18")
    assert lab.design.depths[0] == 4
    assert lab.session.baseline.name == "resnet18"
    lab.save(tmp_path / "mine.toml")
    assert Explorer(tmp_path / "mine.toml").design == lab.design
    assert Explorer(lab.design).design == lab.design


def test_a_file_is_written_over_only_where_nothing_is_lost(tmp_path):
    mine = tmp_path / "mine.toml"
    lab = Explorer("convnext_atto")
    assert lab.save(mine) == mine
    lab.turn("stages.0.depth", 4)
    lab.save(mine)  # its own
    first = mine.read_text()
    again = Explorer("convnext_atto")  # another kernel
    again.turn("stages.0.depth", 4)
    assert again.save(mine) == mine  # the same text
    mine.write_text(first + "# a word of mine\n")
    again.turn("stages.0.depth", 5)
    with pytest.raises(convlab.ConvlabError, match=r'"mine\.toml" is already there') as refused:
        again.save(mine)
    assert "overwrite=True" in refused.value.problems[0].help
    assert again.save(mine, numbered=True) == tmp_path / "mine-2.toml"
    assert again.save(mine, numbered=True) == tmp_path / "mine-2.toml"
    assert mine.read_text() == first + "# a word of mine\n"
    opened_again = Explorer(mine)
    opened_again.turn("stages.0.depth", 6)
    opened_again.save(mine)  # as it was read
    assert "# a word of mine" in mine.read_text()
    again.save(mine, overwrite=True)
    assert convlab.load(mine).depths[0] == 5
    with pytest.raises(convlab.ConvlabError, match="already there"):
        again.save(tmp_path)


def test_a_file_says_what_differs_from_the_preset_and_not_its_summary(tmp_path):
    lab = Explorer("convnext_t")
    assert lab.design == convlab.load("convnext_t")
    lab.turn("stages.3.width", 1024)
    assert lab.design.summary == ""
    path = lab.save(tmp_path / "mine.toml")
    assert path.read_text() == 'base = "convnext_t"\nwidths = [96, 192, 384, 1024]\n'
    assert convlab.load(path) == lab.design
    lab.undo()
    assert "Liu" in lab.design.summary
    lab.redo()
    lab.turn("summary", "a wide one")
    lab.turn("block.kernel_size", 9)
    assert lab.design.summary == "a wide one"
    assert 'summary = "a wide one"' in lab.session.text
    turned = Explorer(convlab.turn(convlab.load("resnet50"), "stages.0.depth", 2))
    assert turned.session.text == 'base = "resnet50"\ndepths = [2, 4, 6, 3]\n'


def test_a_page_without_a_kernel_has_its_figures(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda output, **_: shown.append(output))
    Explorer("convnext_atto", knobs=["stages.0.depth"])._ipython_display_()
    controls, still = shown
    assert "application/vnd.jupyter.widget-view+json" in controls
    assert "text/html" not in controls  # of an output with both, a page made of the notebook takes the controls alone
    assert "3.696 M" in still.data
    assert "stages.3" in still.data


@pytest.mark.parametrize(
    "name", ["convnext_t", "swin_t", "vit_b16", "convnext_iso_s", "efficientnet_b0", "repvgg_a0", "resnet50"]
)
def test_readings_add_up_to_the_profile(name):
    profile = convlab.profile(convlab.load(name))
    found = reading(profile)
    assert found.macs.sum() == pytest.approx(profile.macs / 1e9)
    assert found.params.sum() == pytest.approx(profile.params / 1e6)
    assert found.memory.max() == pytest.approx(profile.peak_bytes() / 2**20)
    assert len(found.squares) == len(profile.design.stages)
    assert found.seen[0] == 1
    assert (np.diff(found.seen) >= 0).all()


def test_a_pixel_that_sees_the_whole_map_is_told_apart():
    found = reading(convlab.profile(convlab.load("vit_b16")))
    assert math.isnan(found.squares[-1])
    assert found.seen[-1] == 224


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        ("depths", 9, Range),
        ("block.kernel_size", 7, Range),
        ("block.expansion_ratio", 4.0, Steps),
        ("block.norm", "layer_norm", Words),
        ("block.grn", True, Switch),
        ("block.norm_after", ("spatial",), Text),
        ("drop_path", 0.1, Range),
        ("image.size", 224, Range),
        ("image.size", (224, 160), Text),
    ],
)
def test_a_span_suits_its_knob(path, value, kind):
    span = span_of(knob_paths()[path], value)
    assert isinstance(span, kind)
    if isinstance(span, Range):
        assert span.low <= value <= span.high
    if isinstance(span, Steps | Words):
        assert value in span.values


def test_a_list_is_turned_as_toml():
    lab = Explorer("convnext_t")
    lab.controls["block.norm_after"].value = '["spatial", "expand"]'
    assert lab.design.stages[0].block.norm_after == ("expand", "spatial")
    lab.controls["block.norm_after"].value = '["spatial"'
    assert "not taken" in lab._said.value
