"""Panels in a tiny app: keys, clicks, messages, cursor; nothing is painted that did not change."""

import asyncio

from hosts import drive, shown
from textual.app import App
from textual.containers import VerticalScroll
from textual.geometry import Region

from convlab import load
from convlab.session import opened
from convlab.tui.drawing.sheet import Sheet
from convlab.tui.panels import PANELS, Panel
from convlab.tui.panels.cost import CostPanel
from convlab.tui.panels.diff import DiffPanel
from convlab.tui.panels.layers import LayersPanel
from convlab.tui.panels.memory import MemoryPanel
from convlab.tui.panels.walk import WalkPanel
from convlab.tui.themes import THEMES


def test_panels_have_titles_keys_and_help_of_their_own():
    for fact in ("title", "key", "help"):
        assert len({getattr(panel, fact) for panel in PANELS}) == len(PANELS)


def test_the_cost_panel_by_keys_and_mouse():
    async def steps(app, pilot):
        assert "MACs" in app.text.splitlines()[0]
        assert "4.456 G multiply-adds" in app.text
        await pilot.press("f", "g", "s")
        assert app.text.startswith("f params  g by layer  s by size")
        assert app.text.splitlines()[2].startswith("stages.3.blocks.0.mlp.fc1 x3")
        await pilot.press("down", "enter")
        assert app.told == ["stages.3.blocks.0.mlp.fc1"]
        await pilot.click(offset=(0, 0))  # the switch f
        await pilot.click(offset=(5, 6))
        await pilot.pause()
        assert app.text.startswith("f activations")
        await pilot.click(offset=(5, 6))
        await pilot.pause()
        assert len(app.told) == 2
        await pilot.press("f")
        assert app.text.startswith("f saved memory")

    drive(CostPanel, shown("convnext_t"), steps)


def test_an_edit_paints_only_the_lines_that_changed():
    async def steps(app, pilot):
        painted = []
        app.panel.sheet.refresh = lambda *regions, **_: painted.append(regions)
        after = app.given.session.turned("stages.0.depth", 4)
        app.panel.show(shown("", session=after))
        ((*regions,),) = painted
        assert all(isinstance(region, Region) and region.height == 1 for region in regions)
        painted.clear()
        app.panel.show(shown("", session=after))
        assert painted == []

    drive(CostPanel, shown("convnext_t"), steps)


def test_the_outline_of_layers():
    async def steps(app, pilot):
        lines = len(app.text.splitlines())
        await pilot.press("down", "left")  # stem closes
        assert len(app.text.splitlines()) == lines - 2
        await pilot.press("down", "down")
        assert app.pointed_line().split()[:2] == ["▸", "blocks.0-2"]
        await pilot.press("right", "right")
        assert app.pointed_line().split()[0] == "conv_dw"
        await pilot.press("left")  # to what holds it
        assert app.pointed_line().split()[:2] == ["▾", "blocks.0-2"]
        await pilot.press("enter")
        assert app.told == ["stages.0.blocks.0"]
        await pilot.press("x")
        assert app.text.count("conv_dw") == 4
        await pilot.press("x", "end")
        assert app.text.count("conv_dw") == 0
        assert app.pointed_line().split()[0] == "fc"
        # An edit leaves open what is open.
        await pilot.press("home", "left")
        lines = len(app.text.splitlines())
        app.panel.show(shown("", session=app.given.session.turned("stages.0.depth", 4)))
        assert len(app.text.splitlines()) == lines
        assert "blocks.0-3" in app.text

    drive(LayersPanel, shown("convnext_t"), steps, size=(38, 10))


def test_through_the_moments_of_memory():
    async def steps(app, pilot):
        assert "stages.0.blocks.0.mlp.act: GELU, 2 times" in app.text
        await pilot.press("left")
        assert "stages.0.blocks.0.mlp.fc1: Pointwise, 2 times" in app.text
        await pilot.press("x", "right")
        assert "stages.0.blocks.0.mlp.fc2: Pointwise, 2 times" in app.text
        await pilot.press("down", "enter")
        assert app.told == ["stages.0.blocks.0.mlp.fc2"]

    drive(MemoryPanel, shown("convnext_t"), steps)


def test_diff_gives_a_knob_its_value_back_and_the_walk_goes_on():
    async def diff(app, pilot):
        await pilot.press("down", "enter")
        assert app.told == [("depths", [3, 3, 9, 3])]

    drive(DiffPanel, shown("", session=opened("convnext_t").turned("stages.2.depth", 12)), diff)

    async def walk(app, pilot):
        assert app.pointed_line().startswith("▶16")
        await pilot.press("up", "enter")
        assert app.told == ["walk_to roadmap/15_layer_norm"]
        app.panel.show(shown("roadmap/04_depthwise"))
        assert app.pointed_line().startswith("▶ 4")

    drive(WalkPanel, shown("convnext_t"), walk)


class Every(App):
    """All panels, one below the other, each in little room."""

    CSS = "Panel { height: 10; }"

    def compose(self):
        with VerticalScroll():
            yield from (panel() for panel in PANELS)

    def on_mount(self):
        for theme in THEMES.values():
            self.register_theme(theme)
        given = shown("convnext_t")
        for panel in self.query(Panel):
            panel.show(given)


def test_every_panel_paints_without_colour(monkeypatch, tmp_path):
    """The cursor's line differs without colour too."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("CONVLAB_STORE", str(tmp_path / "runs.sqlite"))

    async def run():
        app = Every()
        async with app.run_test(size=(38, 100)) as pilot:
            app.theme = "ansi"
            await pilot.pause()
            for sheet in app.query(Sheet):
                sheet.focus()
                sheet.action_move(1)
                await pilot.pause()
                line = sheet.picture.line_of(sheet.pointed)
                if line is not None:
                    styles = [segment.style for segment in sheet.render_line(line) if segment.text.strip()]
                    assert any(style.reverse for style in styles)

    asyncio.run(run())


def test_a_design_of_three_thousand_blocks_has_few_lines():
    async def steps(app, pilot):
        await pilot.press("x")
        assert len(app.text.splitlines()) < 60

    given = shown("", session=opened("convnext_t").turned("depths", [600, 600, 1200, 600]))
    assert sum(given.session.design.depths) == 3000 != sum(load("convnext_t").depths)
    drive(LayersPanel, given, steps)
