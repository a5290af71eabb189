"""Files and comparing in the lab: save with comments, open, leave with a guard, broken files, baseline, pins, the command."""

import pytest
from seeing import driven, lab_of, said, seen
from textual.widgets import Input, OptionList

from convlab.language.files import load
from convlab.session import opened_draft
from convlab.tui.dialogs.picker import Picker
from convlab.tui.dialogs.unsaved import Unsaved
from convlab.tui.panels.source import PAUSE_S

MINE = """# what I try
base = "convnext_atto"
depths = [2, 2, 6, 2]  # as in the paper
"""


def test_saving_keeps_comments(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)

    async def deeds(app, pilot):
        lab = lab_of(app)
        await pilot.press("plus")
        assert "not saved" in seen(app)
        await pilot.press("ctrl+s")
        assert "Saved in" in said(app)
        assert "not saved" not in seen(app)
        assert "# as in the paper" in path.read_text()
        assert load(path).depths == (3, 2, 6, 2)
        await pilot.press("plus", "S")
        app.screen.query_one(Input).value = str(tmp_path / "mine.txt")
        await pilot.press("enter")
        assert "does not end in .toml" in seen(app)
        app.screen.query_one(Input).value = str(tmp_path / "mine.toml" / "other.toml")
        await pilot.press("enter", "enter")
        assert "error:" in seen(app)
        app.screen.query_one(Input).value = str(tmp_path / "new" / "folder" / "other")
        await pilot.press("enter")
        assert "there is no folder" in seen(app)
        assert "⏎ once more makes it" in seen(app)
        assert not (tmp_path / "new").exists()
        await pilot.press("enter")
        assert load(tmp_path / "new" / "folder" / "other.toml").depths == (4, 2, 6, 2)
        await pilot.press("S")
        app.screen.query_one(Input).value = f"{tmp_path}/"
        await pilot.press("enter")
        assert "names no file" in seen(app).replace("\n", "")
        app.screen.query_one(Input).value = str(tmp_path / "other")
        await pilot.press("enter")
        assert load(tmp_path / "other.toml").depths == (4, 2, 6, 2)
        assert lab.session.path == tmp_path / "other.toml"
        await pilot.press("S")
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        assert "is there already" in seen(app).replace("\n", " ")
        await pilot.press("enter")
        assert load(path).depths == (4, 2, 6, 2)

    driven(deeds, path, folder=tmp_path)


@pytest.mark.slow
def test_leaving_asks_about_what_is_not_saved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def stays_then_saves(app, pilot):
        await pilot.press("plus", "q")
        assert isinstance(app.screen, Unsaved)
        await pilot.press("escape")
        assert app.is_running
        await pilot.press("ctrl+q", "s")
        await pilot.press("enter")  # the name that is offered
        await pilot.pause()
        return app._exit

    async def discards(app, pilot):
        await pilot.press("plus", "q", "d")
        await pilot.pause()
        return app._exit

    async def has_nothing_to_lose(app, pilot):
        await pilot.press("plus", "u", "q")
        await pilot.pause()
        return app._exit

    assert driven(stays_then_saves, folder=tmp_path)
    assert load(tmp_path / "convnext_t.toml").depths == (4, 3, 9, 3)
    assert driven(discards, folder=tmp_path)
    assert driven(has_nothing_to_lose, folder=tmp_path)


def test_the_picker_begins_and_opens(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)

    async def deeds(app, pilot):
        assert isinstance(app.screen, Picker)
        await pilot.press(*"v2 atto")
        assert app.screen.query_one(OptionList).option_count == 1
        await pilot.pause()
        assert "3.708 M" in seen(app)
        await pilot.press("enter")
        lab = lab_of(app)
        assert lab.session.design.name == "convnext_v2_atto"
        await pilot.press("plus", "o")
        app.screen.query_one(Input).value = "resnet50"
        await pilot.press("enter")
        assert isinstance(app.screen, Unsaved)
        await pilot.press("d")
        assert lab_of(app).session.design.name == "resnet50"
        await pilot.press("o")
        app.screen.query_one(Input).value = str(tmp_path / "none.toml")
        await pilot.press("enter")
        assert "error:" in said(app)
        await pilot.press("o")
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        assert lab_of(app).session.path == path

    driven(deeds, None, folder=tmp_path)


def test_a_broken_file_is_mended_in_its_source(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace("2, 2, 6, 2", "2, 2, 6"))

    async def deeds(app, pilot):
        lab = lab_of(app)
        await pilot.pause()
        # The source says what is wrong and where; the grid has the last good design: what the rest of the file says.
        assert lab.panes.tab == "source"
        panel = lab.panes.panel
        assert f"{path}:3" in seen(app).replace("\n", "")
        assert "3 values" in seen(app)
        assert "^^^" in seen(app)
        assert lab.session.design.depths == (2, 2, 6, 2)
        assert "mine ● no design yet  figures of what the rest of the file says" in seen(app)
        assert "^s is refused until it is one." in seen(app)
        assert panel.editor.has_focus
        assert panel.editor.cursor_location[0] == 2
        # What is in the file stays there until it is mended.
        await pilot.press("escape", "ctrl+s")
        assert "no design yet" in said(app)
        await pilot.press("f8") if panel.editor.has_focus else panel.action_mistake()
        assert panel.editor.cursor_location[0] == 2
        panel.editor.text = MINE
        await pilot.pause(0.4)
        assert lab.session.path == path
        assert lab.session.broken is None
        assert "no design yet" not in seen(app)
        # Broken once more by hand: the design stays as it was, and what was said before goes.
        lab.say("something")
        panel.editor.focus()
        await pilot.pause()
        panel.editor.text = MINE.replace("6, 2]", "six]")
        await pilot.pause(0.4)
        assert "error:" in seen(app)
        assert "something" not in said(app)
        assert lab.session.design.depths == (2, 2, 6, 2)
        # An edit in the grid does not throw away what is written.
        await pilot.press("escape", "plus")
        assert lab.grid.has_focus
        assert "changed elsewhere" in seen(app)
        assert "six]" in panel.editor.text

    driven(deeds, opened_draft(path), folder=tmp_path, size=(120, 48))


def test_a_text_that_is_no_design_yet_is_neither_left_out_of_the_file_nor_lost(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)

    async def deeds(app, pilot):
        lab = lab_of(app)
        lab.panes.choose("source")
        await pilot.pause()
        source = lab.panes.panel
        source.editor.text = MINE + "[block"
        await pilot.pause(2 * PAUSE_S)
        lab.grid.focus()
        await pilot.press("plus", "ctrl+s")
        assert "what is written in Source is no design yet" in said(app)
        assert path.read_text() == MINE
        await pilot.press("S")
        assert lab_of(app) is app.screen
        await pilot.press("q")
        assert isinstance(app.screen, Unsaved)
        await pilot.press("escape")
        source.action_revert()
        await pilot.press("ctrl+s")
        assert load(path).depths == (3, 2, 6, 2)

    driven(deeds, path, folder=tmp_path)


def test_a_step_of_the_walk_is_not_written_over_ones_own_design_unasked(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)

    async def deeds(app, pilot):
        await pilot.press("w", "ctrl+s")
        assert "mine.toml would become a step of the walk" in seen(app).replace("\n", "")
        assert path.read_text() == MINE
        await pilot.press("enter")
        assert load(path).depths == (3, 4, 6, 3)

    driven(deeds, path, folder=tmp_path)


def test_what_somebody_else_wrote_is_not_written_over_unasked(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)

    async def deeds(app, pilot):
        theirs = MINE + "drop_path = 0.3\n"
        path.write_text(theirs)
        await pilot.press("plus", "ctrl+s")
        assert "changed or removed by somebody else" in seen(app).replace("\n", "")
        await pilot.press("escape")
        assert lab_of(app).session.unsaved
        assert path.read_text() == theirs
        await pilot.press("ctrl+s", "down", "enter")
        app.screen.query_one(Input).value = str(tmp_path / "other.toml")
        await pilot.press("enter")
        assert load(tmp_path / "other.toml").depths == (3, 2, 6, 2)
        assert path.read_text() == theirs
        (tmp_path / "other.toml").unlink()
        await pilot.press("plus", "ctrl+s", "enter")
        assert load(tmp_path / "other.toml").depths == (4, 2, 6, 2)

    driven(deeds, path, folder=tmp_path)


def test_baseline_pins_differences_and_the_command(tmp_path):
    async def deeds(app, pilot):
        lab = lab_of(app)
        await pilot.press("plus")
        assert "▲ +5.5 %" in seen(app)
        await pilot.press("k")
        assert app.clipboard == "convlab profile convnext_t --set stages.0.depth=4"
        assert app.clipboard in said(app)
        await pilot.press("p", "plus", "b")
        assert len(lab.session.pinned) == 1
        assert lab.session.baseline.depths == (5, 3, 9, 3)
        await pilot.press("plus", "d")
        await pilot.pause()
        text = seen(app)
        assert "pinned 1" in text
        assert "[6, 3, 9, 3]" in text
        await pilot.press("P")
        assert not lab.session.pinned

    driven(deeds, folder=tmp_path)


def test_leaving_the_picker_at_the_start_ends_the_program(tmp_path):
    async def deeds(app, pilot):
        await pilot.press("escape")
        await pilot.pause()
        return app._exit

    assert driven(deeds, None, folder=tmp_path)


def test_three_thousand_blocks(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text('base = "convnext_atto"\ndepths = [700, 800, 1000, 500]\n')

    async def deeds(app, pilot):
        await pilot.press("plus", "plus")
        for key in ("field", "memory", "layers", "diff"):
            lab_of(app).panes.choose(key)
            await pilot.pause()
        return lab_of(app).session.design.depths

    assert driven(deeds, path, folder=tmp_path)[0] == 702


@pytest.mark.parametrize("arguments", [["--port", "3"], ["--json"], ["--theme", "pink"], ["--image", "9"], ["nosuch"]])
def test_the_command_refuses(arguments, capsys):
    from convlab.__main__ import main

    assert main(["tui", *arguments]) == 2
    told = capsys.readouterr()
    assert "error" in told.err + told.out
