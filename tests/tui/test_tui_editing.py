"""Editing in the lab by keyboard and mouse: cursor, prompt, bumps, stages, history, walk."""

import pytest
from seeing import driven, lab_of, said, seen
from textual.events import MouseScrollDown
from textual.widgets import Input

from convlab.costs import profile
from convlab.documents.assignments import parse_assignment
from convlab.language.files import load
from convlab.presets import preset_names
from convlab.session import opened
from convlab.tui.actions import ACTIONS
from convlab.tui.deeds import DEEDS
from convlab.tui.panels import PANELS
from convlab.tui.prompt import Prompt, editable
from convlab.views.grid import grid


def test_every_action_has_a_deed_and_a_key_of_its_own():
    assert set(DEEDS) == {item.name for item in ACTIONS}
    keys = [key for item in ACTIONS for key in item.key.split(",")]
    assert len(keys) == len(set(keys))
    assert sum(item.shown_in_footer for item in ACTIONS) <= 7
    # A letter that is an action's does nothing else in any panel.
    letters = {key for panel in PANELS for binding in panel.BINDINGS for key in binding.key.split(",") if len(key) == 1}
    assert letters
    assert not letters & set(keys)


def test_edits_by_keyboard(tmp_path):
    async def deeds(app, pilot):
        lab = lab_of(app)
        assert lab.grid.cell.path == "stages.0.depth"
        # Up and down stay with the knob: the next row that uses it. Left and right pass over what the row does not use.
        await pilot.press("down", "down")
        assert lab.grid.cell.path == "stages.2.depth"
        await pilot.press("right", "right")
        assert lab.grid.cell.path == "stages.2.block.kernel_size"
        await pilot.press("plus")
        assert lab.session.design.stages[2].block.kernel_size == 9  # kernels by two
        assert "7 = " not in said(app)
        assert "(baseline 7)" in said(app)
        assert "9*" in seen(app)
        await pilot.press("minus", "minus")
        assert lab.session.design.stages[2].block.kernel_size == 5
        await pilot.press("u", "u", "u")
        assert "Taken back" in said(app)
        assert not lab.session.can_undo
        await pilot.press("u")  # dimmed, and says why
        assert said(app) == "There is nothing to take back."
        await pilot.press("P")
        assert said(app) == "No design is pinned."
        await pilot.press("right_square_bracket", "left_square_bracket")  # what was said goes with the next action
        assert said(app).startswith("stages.2.block.kernel_size = 7")
        assert lab.session.design == opened("convnext_t").design
        await pilot.press("U")
        assert lab.session.design.stages[2].block.kernel_size == 9
        await pilot.press("backspace")
        assert lab.session.design.stages[2].block.kernel_size == 7
        # A digit begins an edit; Enter takes it.
        await pilot.press("left", "left", "1", "2")
        line = lab.query_one(Input)
        assert (line.value, line.border_title) == ("12", "stages.2.depth")
        assert "from 1 to 10000" in line.border_subtitle
        await pilot.press("enter")
        assert lab.session.design.stages[2].depth == 12
        assert lab.grid.has_focus
        # Enter begins with the value, selected; what is refused is told under the line, which stays; Escape leaves it.
        await pilot.press("enter", "0", "enter")  # which takes the place of the value
        assert "out of range" in seen(app)
        assert lab.query_one(Prompt).display
        await pilot.press("escape")
        assert not lab.query_one(Prompt).display
        assert lab.session.design.stages[2].depth == 12
        # Choices: the list, arrows, and a word that is misspelled.
        await pilot.press("left", "enter")
        assert "convnext_v2" in seen(app)
        await pilot.press("down", "enter")
        assert lab.session.design.stages[2].block.kind == "convnext_v2"
        await pilot.press("enter", "x", "enter")
        assert "convnext_v2" in seen(app)
        assert "unknown" in seen(app) or "no " in seen(app)
        await pilot.press("escape")
        # Truth values by space; a choice takes the next one.
        lab.grid.select("stages.2.block.grn")
        await pilot.press("space")
        assert lab.session.design.stages[2].block.grn is False
        lab.grid.select("stem.norm")
        before = lab.session.design.stem.norm
        await pilot.press("space")
        assert lab.session.design.stem.norm != before

    driven(deeds, folder=tmp_path)


def test_bumps_pass_over_what_the_design_does_not_take(tmp_path):
    async def deeds(app, pilot):
        lab = lab_of(app)
        lab.grid.select("stages.0.block.groups")
        await pilot.press("minus")
        assert lab.session.design.stages[0].block.groups == 32  # of 96 channels: neither 128 nor 64 divides them
        lab.grid.select("stages.0.width")
        await pilot.press("plus")
        assert lab.session.design.stages[0].width == 128  # 104, 112 and 120 are no multiples of 32
        lab.grid.select("stages.0.depth")
        await pilot.press("1", "enter", "minus")
        assert "no value before" in said(app)

    driven(deeds, folder=tmp_path)


@pytest.mark.slow
def test_it_opens_every_preset(tmp_path):
    async def deeds(app, pilot):
        lab = lab_of(app)
        for source in (*preset_names(), *preset_names("roadmap")):
            lab.go(opened(source))
            await pilot.press("pagedown", "home", "plus", "pageup", "end")
            assert source.rpartition("/")[2] in seen(app)
            assert "error:" not in seen(app), source

    driven(deeds, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("source", preset_names())
def test_what_the_prompt_offers_is_the_value_that_the_knob_has(source):
    session = opened(source)
    found = profile(session.design)
    for row in grid(found, session.design).rows:
        for cell in row.cells.values():
            value = parse_assignment(f"{cell.path}={editable(cell.value)}").value
            assert session.turned(cell.path, value).design == session.design, cell.path


def test_a_custom_block_is_text(tmp_path):
    path = tmp_path / "custom.toml"
    layers = ["depthwise(7)", "norm", "pointwise(4x)", "activation", "pointwise(1x)"]
    path.write_text(f'base = "convnext_atto"\n[block]\nkind = "custom"\nbranch = {layers}\n'.replace("'", '"'))

    async def deeds(app, pilot):
        lab = lab_of(app)
        assert lab.grid.select("stages.1.block.branch")
        await pilot.press("enter")
        line = lab.query_one(Input)
        assert line.value == str(layers).replace("'", '"')
        line.value = line.value.replace("depthwise(7)", "depthwice(7)")
        await pilot.press("enter")
        assert "depthwice" in seen(app)
        assert "error:" in seen(app)
        line.value = '["depthwise(9)", "norm", "pointwise(1x)"]'
        await pilot.press("enter")
        assert lab.session.design.stages[1].block.branch == ("depthwise(9)", "norm", "pointwise(1x)")
        assert lab.session.design.stages[0].block.branch == tuple(layers)

    driven(deeds, path, folder=tmp_path)


def test_stages_and_image(tmp_path):
    async def deeds(app, pilot):
        lab = lab_of(app)
        await pilot.press("y")
        assert lab.session.design.depths == (3, 3, 3, 9, 3)
        assert lab.grid.cell.path == "stages.1.depth"
        await pilot.press("X")
        assert lab.session.design.depths == (3, 3, 9, 3)
        await pilot.press("pagedown", "a")
        assert len(lab.session.design.stages) == 5
        assert "stage 4 added" in said(app)
        await pilot.press("u", "i")
        app.screen.query_one(Input).value = "192x256"
        await pilot.press("enter")
        assert lab.session.design.image.size == (192, 256)
        assert "192 x 256 px" in seen(app)
        await pilot.press("i")
        for wrong, words in (("3", "a larger image"), ("[192, 256]", "height x width"), ("70000", "1 to 65536 px")):
            app.screen.query_one(Input).value = wrong
            await pilot.press("enter")
            assert words in seen(app).split("error:")[1]
            assert "TOML" not in seen(app)
        await pilot.press("escape")
        assert lab.session.design.image.size == (192, 256)

    driven(deeds, folder=tmp_path)


def test_the_walk(tmp_path):
    async def deeds(app, pilot):
        lab = lab_of(app)
        await pilot.press("w")  # resnet50 is the walk's first step
        assert "Walk 2 of 16" in seen(app)
        assert "Against step 1: MACs ▲ +10.7 %, params ▲ +12.0 %." in " ".join(seen(app).split())
        # The first line says what is shown; what it is compared with stays what a person chose.
        assert "walk step 2 in place of resnet50 ● not saved  224 x 224 px  against swin_t" in seen(app)
        assert lab.session.design.depths == (3, 3, 9, 3)
        assert lab.grid.cell.path == "stages.1.depth"  # the first knob that the step turned
        await pilot.press("w", "k", "u")
        assert "walk step 2 in place of resnet50" in seen(app)
        await pilot.press("u")
        assert "resnet50, walk step 1  224 x 224 px  against swin_t" in seen(app)
        assert lab.session.baseline == load("swin_t")
        await pilot.press("U", "U")
        assert "Walk 3 of 16" in seen(app)
        assert app.clipboard == "convlab profile roadmap/03_patchify_stem"
        # From the tab of the walk, to any step.
        lab.panes.choose("walk")
        await pilot.pause()
        lab.panes.focus_tab()
        await pilot.press("end", "enter")
        assert lab.session.design.key == opened("convnext_t").design.key
        await pilot.press("w")
        assert "last step" in said(app)
        await pilot.press("W")
        assert "Walk 15 of 16" in seen(app)
        lab.grid.select("stages.0.depth")
        await pilot.press("plus")  # beside the walk
        assert "Walk 15 of 16" not in seen(app)
        await pilot.press("W")
        assert "Walk 14 of 16" in seen(app)
        assert said(app) == "The walk goes on from step 15, without your edits of it; u ^z brings them back."
        await pilot.press("w")
        await pilot.resize_terminal(80, 40)
        await pilot.pause()
        told = str(lab.query_one("#banner").content)
        assert told.endswith(" …")
        assert all(line in seen(app) for line in told.splitlines())

    driven(deeds, opened("resnet50").with_baseline(load("swin_t")), folder=tmp_path)


def scrolled(kind):
    """A turn of the wheel."""
    return kind(None, x=5, y=5, delta_x=0, delta_y=1, button=0, shift=False, meta=False, ctrl=False)


def test_edits_by_mouse(tmp_path):
    async def deeds(app, pilot):
        lab = lab_of(app)
        lines = seen(app).splitlines()
        y, line = next((y, line) for y, line in enumerate(lines) if "stage 1" in line)
        x = line.index("192")
        await pilot.click(offset=(x + 1, y))
        assert lab.grid.cell.path == "stages.1.width"
        await pilot.click(offset=(x + 1, y))
        assert lab.query_one(Prompt).display
        assert lab.query_one(Input).value == "192"
        await pilot.press("escape")
        lab.grid.on_mouse_scroll_down(scrolled(MouseScrollDown))
        assert lab.grid.cell.path == "stages.2.width"

    driven(deeds, folder=tmp_path)
