"""How the lab looks: snapshots at three sizes and in every theme, without colour, small, and what jumps and tabs do."""

import subprocess
import sys

import pytest
from seeing import agrees, driven, lab_of, said, seen

from convlab.tui.remembered import recall
from convlab.tui.themes import THEMES

SIZES = ((80, 24), (120, 40), (160, 48))


def test_three_sizes_and_every_theme(tmp_path):
    async def deeds(app, pilot):
        await pilot.press("down", "down", "plus")
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            await pilot.pause(0.2)
            agrees(f"lab_{width}x{height}.txt", seen(app))
        await pilot.resize_terminal(100, 30)
        for theme in THEMES:
            app.theme = theme
            await pilot.pause(0.2)
            assert "10*" in seen(app)
            agrees(f"theme_{theme}.svg", app.export_screenshot(title="convlab", simplify=True))

    driven(deeds, folder=tmp_path)


def test_without_colour_everything_is_still_told_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def deeds(app, pilot):
        assert app.no_color
        await pilot.press("plus")
        grid = lab_of(app).grid
        strip = grid.render_line(grid.row + 1)
        cursor = [segment for segment in strip if segment.style and segment.style.reverse]
        assert [segment.text for segment in cursor] == ["4"]
        await pilot.press("question_mark", "escape", "j", "escape", "T", "escape", "m")
        names = [each for each in app.screen.query(".name") if each.render_line(0)._segments[0].style.reverse]
        assert [str(each.render()) for each in names] == ["what"]  # the knob that has the focus
        await pilot.press("escape")
        return seen(app)

    agrees("no_color.txt", driven(deeds, folder=tmp_path, size=(80, 24)))


def test_a_small_terminal_is_told_politely(tmp_path):
    async def deeds(app, pilot):
        assert "60 x 15" in seen(app)
        await pilot.resize_terminal(60, 15)
        assert "stages.0.depth" in seen(app)
        app.notify("a training: 36.7 % test accuracy, as a proxy.")
        await pilot.pause(0.1)
        (toast,) = app.screen.query("Toast")
        assert lab_of(app).query_one("#knob").region.contains_region(toast.region)  # no figure is under it
        await pilot.press("question_mark")
        await pilot.pause()
        text = seen(app)
        assert all(title in text for title in ("Next value", "Undo", "Redo"))
        await pilot.press("escape")
        await pilot.resize_terminal(200, 50)
        assert lab_of(app).query_one("#right").display
        # A 0 that leaves a figure to the design reads so, and may be written so.
        grid = lab_of(app).grid
        grid.select("stem.width")
        assert grid.cell.text == "auto"
        await pilot.pause()
        assert said(app).startswith('stem.width = auto  a whole number from 0 to 65536, or "auto"')
        await pilot.press(*"64", "enter")
        assert (grid.cell.text, lab_of(app).session.design.stem.width) == ("64", 64)
        await pilot.press("enter", "ctrl+u", *"auto", "enter")
        assert (grid.cell.text, lab_of(app).session.design.stem.width) == ("auto", 0)

    driven(deeds, folder=tmp_path, size=(59, 15), notifications=True)


@pytest.mark.slow
def test_tabs_panes_and_jumps(tmp_path):
    async def deeds(app, pilot):
        lab = lab_of(app)
        assert lab.panes.tab == "grid"
        seen_tabs = []
        for _ in lab.panes.tabs:
            await pilot.press("right_square_bracket")
            await pilot.pause()
            seen_tabs.append(lab.panes.tab)
            assert lab.grid.display == (lab.panes.tab == "grid")
        assert seen_tabs == [*lab.panes.tabs[1:], "grid"]
        await pilot.press("left_square_bracket")
        assert lab.panes.tab == lab.panes.tabs[-1]
        await pilot.press("escape")
        assert lab.panes.tab == "grid"
        await pilot.press("j")
        assert " a " in seen(app)
        await pilot.press("s")
        assert lab.panes.tab == lab.panes.tabs[1]
        await pilot.click("#tab-grid")
        assert lab.panes.tab == "grid"
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert lab.panes.stacked
        await pilot.press("l")
        assert not lab.panes.stacked
        await pilot.press("d")
        assert lab.panes.tab == "diff"
        await pilot.press("escape", "j", "z")
        assert lab.grid.has_focus

    driven(deeds, folder=tmp_path, size=(80, 24))


def test_the_focus_goes_where_keys_work_and_the_footer_says_what_they_do_there(tmp_path):
    async def deeds(app, pilot):
        lab = lab_of(app)

        def footer():
            return seen(app).splitlines()[-1]

        assert "⏎ Edit" in footer()
        await pilot.press("tab")
        assert "↓ Into the tab" in footer()
        assert "Edit" not in footer()
        await pilot.press("down")
        assert lab.panes.panel.sheet.has_focus
        await pilot.press("ctrl+c")
        assert said(app) == "Ctrl+C copies what is selected; ^q leaves, c cancels what runs."
        await pilot.press("j", "l")  # the eighth tab; its filter is a line of its own, which / opens
        await pilot.pause()
        assert lab.panes.tab == "runs"
        assert lab.panes.panel.sheet.has_focus
        await pilot.press("j", "g")
        await pilot.pause()
        assert lab.panes.panel.editor.has_focus
        assert "⏎ New line" in footer()
        assert "Edit" not in footer()

    driven(deeds, folder=tmp_path)


def test_the_lab_imports_no_torch():
    program = (
        "import sys, asyncio, pathlib, tempfile\n"
        "from convlab.tui.start import begun\n"
        "from convlab.tui.app import LabApp\n"
        "async def main():\n"
        "    app = LabApp(begun('convnext_t'), folder=pathlib.Path(tempfile.mkdtemp()))\n"
        "    async with app.run_test() as pilot:\n"
        "        await pilot.press('plus')\n"
        "asyncio.run(main())\n"
        "slow = ('torch', 'timm', 'plotly', 'ipywidgets', 'convlab.training')\n"
        "print([name for name in slow if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.slow
def test_keys_and_theme_are_kept_between_starts(tmp_path):
    async def first(app, pilot):
        await pilot.press("question_mark")
        assert "Next value" in seen(app)
        for _ in range(6):
            await pilot.press("down")
        await pilot.press("enter", "p")
        assert "is the key of “Pin”" in seen(app)
        await pilot.press("enter", "7")
        assert "choose another" in seen(app)
        # By mouse too.
        await pilot.click("#change")
        await pilot.press("z")
        assert "“Undo” is z" in seen(app)
        await pilot.click("#usual")
        assert "“Undo” is u ^z" in seen(app)
        await pilot.press("enter", "z", "escape", "plus", "z")
        assert not lab_of(app).session.can_undo
        await pilot.press("T", "down")
        await pilot.pause()
        assert app.theme == "light"
        await pilot.press("escape")
        assert app.theme == "dark"
        await pilot.press("T", "down", "down", "down", "enter")
        assert app.theme == "okabe-ito"

    async def again(app, pilot):
        assert app.theme == "okabe-ito"
        await pilot.press("plus", "z")
        assert not lab_of(app).session.can_undo
        await pilot.press("question_mark", *["down"] * 6, "backspace", "escape", "plus", "u")
        assert not lab_of(app).session.can_undo

    async def for_this_time(app, pilot):
        return app.theme

    driven(first, folder=tmp_path)
    driven(again, folder=tmp_path)
    assert driven(for_this_time, None, folder=tmp_path, theme="light") == "light"
    assert recall(tmp_path)[0].theme == "okabe-ito"


def test_what_is_damaged_is_told_once(tmp_path):
    (tmp_path / "tui.json").write_text("{")

    async def deeds(app, pilot):
        await pilot.pause()
        return app.theme, [note.message for note in app._notifications]

    theme, told = driven(deeds, folder=tmp_path)
    assert theme == "dark"
    assert "put aside" in told[0]
    assert recall(tmp_path)[1] == ""


def test_the_palette_has_every_action(tmp_path):
    async def deeds(app, pilot):
        titles = {command.title for command in app.get_system_commands(app.screen)}
        await pilot.press("ctrl+p", *"pin", "enter")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause()
        return titles, said(app), len(lab_of(app).session.pinned)

    from convlab.tui.actions import ACTIONS

    titles, line, _ = driven(deeds, folder=tmp_path)
    assert {item.title for item in ACTIONS} <= titles
    assert line
