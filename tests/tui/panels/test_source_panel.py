"""The source panel: text that is a design is told, broken text is explained in place, and the editor follows the session."""

from hosts import drive, shown, until

from convlab.session import opened, opened_draft
from convlab.tui.panels.source import SourcePanel

TEXT = '# mine\nbase = "convnext_t" # the base\n\n[block]\nkernel_size = 7\n'


def test_writing_mending_and_following(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)

    async def steps(app, pilot):
        panel = app.panel
        assert panel.editor.text == TEXT
        panel.editor.move_cursor((4, 15))
        await pilot.press("backspace", "9")
        await until(pilot, lambda: app.told)
        assert app.told[-1] == TEXT.replace("7", "9")
        assert app.given.session.design.stages[0].block.kernel_size == 9
        assert app.text == "The text is the design."

        await pilot.press("x")
        await until(pilot, lambda: panel.problems)
        assert "mine.toml:5:" in app.text
        assert "^" in app.text
        assert len(app.told) == 1
        assert app.given.session.design.stages[0].block.kernel_size == 9
        # An edit elsewhere does not take away what is written here.
        app.panel.show(shown("", session=app.given.session.turned("stages.0.depth", 4)))
        assert panel.editor.text.endswith("9x\n")
        assert "changed elsewhere" in app.text
        await pilot.press("f8")
        assert panel.editor.cursor_location[0] == 4
        await pilot.press("ctrl+r")
        assert "9x" not in panel.editor.text
        assert "# the base" in panel.editor.text
        assert not panel.problems

    drive(SourcePanel, shown("", session=opened(path)), steps)


def test_an_edit_elsewhere_leaves_the_cursor_where_it_is(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)

    async def steps(app, pilot):
        app.panel.editor.move_cursor((1, 3))
        after = app.given.session.turned("block.kernel_size", 11)
        app.panel.show(shown("", session=after))
        assert app.panel.editor.text == after.text
        assert app.panel.editor.cursor_location == (1, 3)
        await pilot.pause(0.3)
        assert app.told == []  # what came from the session is not told to it

    drive(SourcePanel, shown("", session=opened(path)), steps, size=(38, 12))


def test_the_mistake_is_seen_above_the_message(tmp_path):
    path = tmp_path / "mine.toml"
    lines = ['base = "convnext_t"', *("# words",) * 19, "[block", *("# words",) * 20]
    path.write_text("\n".join(lines))

    def is_seen(editor, row):
        return 0 <= row - editor.scroll_offset.y < editor.scrollable_content_region.height

    async def steps(app, pilot):
        editor = app.panel.editor
        await until(pilot, lambda: editor.cursor_location == (20, 6) and is_seen(editor, 20))
        assert "= help:" in app.text
        # The line that is written is seen too when the message comes up below it.
        lines[20] = "[block]"
        editor.text = "\n".join(lines)
        await until(pilot, lambda: not app.panel.problems)
        row = editor.scroll_offset.y + editor.size.height - 1
        editor.move_cursor((row, 0))
        await pilot.press("x")
        await until(pilot, lambda: app.panel.problems and is_seen(editor, row))

    drive(SourcePanel, shown("", session=opened_draft(path)), steps, size=(60, 14))


def test_a_mistake_in_the_file_of_a_base(tmp_path):
    base, path = tmp_path / "base.toml", tmp_path / "mine.toml"
    base.write_text("# words\n" * 62 + "kernel = 7\n")
    path.write_text(TEXT)

    async def steps(app, pilot):
        panel = app.panel
        panel.editor.text = f'base = "{base.name}"\n\n# mine'
        panel.editor.move_cursor((2, 3))
        await until(pilot, lambda: panel.problems)
        await pilot.pause()
        assert "The mistake is in another file, base.toml: mend it there." in app.text
        assert "base.toml:63:1" in app.text
        await pilot.press("f8")
        assert panel.editor.cursor_location == (2, 3)
        assert panel.problems
        # Mended in another program, it is read again at the key.
        base.write_text('base = "convnext_b"\n')
        await pilot.press("f8")
        assert not panel.problems
        assert app.told == [panel.editor.text]
        panel.editor.reveal(70)  # a mistake below a text that has become shorter meanwhile

    drive(SourcePanel, shown("", session=opened(path)), steps)
