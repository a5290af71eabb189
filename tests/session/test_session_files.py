"""Sessions and files: opened, saved with their comments, moved to other folders; broken ones kept until they are mended."""

import stat

import pytest
from turns import STYLES

from convlab import ConvlabError, load
from convlab.language.knobs import changed
from convlab.session import opened, opened_draft
from convlab.session.walking import at_step

TEXT = """#:schema ../design.schema.json
# My own.
base = "parts/base.toml"   # what it is built on
drop_path = 0.2  # a little more

[block]   # larger
kernel_size = 9
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "base.toml").write_text('base = "convnext_atto"\nwidths = [32, 64, 128, 256]\n')
    (tmp_path / "mine.toml").write_text(TEXT)
    return tmp_path


def test_saved_with_its_comments(folder):
    path = folder / "mine.toml"
    path.chmod(0o640)
    session = opened(path).turned("drop_path", 0.3).turned("stages.1.block.kernel_size", 5)
    assert session.unsaved
    saved = session.saved()
    assert path.read_text() == TEXT.replace("0.2 ", "0.3 ").replace("= 9", "= [9, 5, 9, 9]") == saved.text
    assert (saved.unsaved, saved.changed_on_disk, saved.path) == (False, False, path)
    assert load(path) == saved.design
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert saved.undone().unsaved
    assert not saved.undone().redone().unsaved
    assert {each.name for each in folder.iterdir()} == {"mine.toml", "parts"}


def test_saved_in_another_folder_it_still_finds_its_base(folder):
    (folder / "other").mkdir()
    path = folder / "other" / "copy.toml"
    session = opened(folder / "mine.toml").turned("drop_path", 0.3)
    saved = session.saved(path)
    text = path.read_text()
    assert 'base = "../parts/base.toml"   # what it is built on' in text
    assert text.startswith("#:schema ../../design.schema.json\n# My own.\n")
    assert load(path) == saved.design == session.design
    assert (saved.design.name, saved.undone().design.name, saved.unsaved) == ("copy", "copy", False)
    assert load(saved.undone().saved().path).drop_path == 0.2
    assert (folder / "mine.toml").read_text() == TEXT


def test_a_base_that_is_called_as_a_preset_is_a_file_where_it_ends_in_toml(folder):
    (folder / "convnext_t.toml").write_text('base = "resnet50"\n')
    (folder / "mine.toml").write_text('# My own.\nbase = "convnext_t.toml"\n')
    (folder / "other").mkdir()
    saved = opened(folder / "mine.toml").saved(folder / "other" / "copy.toml")
    assert saved.text == '# My own.\nbase = "../convnext_t.toml"\n'
    assert load(folder / "other" / "copy.toml") == saved.design == load(folder / "mine.toml")


def test_saved_behind_a_link_it_still_finds_its_base(folder):
    (folder / "far" / "away").mkdir(parents=True)
    (folder / "link").symlink_to(folder / "far" / "away")
    saved = opened(folder / "mine.toml").saved(folder / "link" / "copy.toml")
    assert saved.keeps_comments
    assert 'base = "../../parts/base.toml"   # what it is built on' in saved.text
    assert load(folder / "link" / "copy.toml") == load(folder / "far" / "away" / "copy.toml") == saved.design


def test_saved_under_another_name_of_its_own_file_it_still_finds_its_base(folder):
    (folder / "other").mkdir()
    (folder / "other" / "link.toml").symlink_to(folder / "mine.toml")
    saved = opened(folder / "mine.toml").turned("drop_path", 0.3).saved(folder / "other" / "link.toml")
    assert saved.path == folder / "mine.toml"
    assert load(folder / "mine.toml") == saved.design


def test_saved_over_its_own_base_it_says_everything(folder):
    session = opened(folder / "mine.toml")
    path = folder / "parts" / "base.toml"
    assert load(session.saved(path).path) == session.design
    assert "base =" not in path.read_text()


def test_a_preset_is_saved_where_it_is_told(tmp_path):
    session = opened("convnext_b").turned("stages.2.depth", 30)
    assert (session.path, session.origin) == (None, "convnext_b")
    with pytest.raises(ConvlabError, match="has no file yet"):
        session.saved()
    saved = session.saved(tmp_path / "b30.toml")
    assert load(tmp_path / "b30.toml") == saved.design == changed(session.design, {"name": "b30", "summary": ""})
    assert "#:schema" not in saved.text
    assert 'base = "convnext_t"' in saved.text
    assert saved.turned("drop_path", 0.0).saved().text == (tmp_path / "b30.toml").read_text()


def test_the_summary_of_a_preset_is_of_no_other_network(tmp_path):
    session, path = opened("convnext_t"), tmp_path / "mine.toml"
    same = session.turned("drop_path", 0.2).saved(path)
    assert same.summary == load(path).summary == session.design.summary
    other = same.turned("stages.0.depth", 4)
    assert (other.summary, other.saved().text.count("summary")) == ("", 0)
    assert load(path).summary == ""
    assert not other.saved().unsaved
    assert other.saved().undone().summary == session.design.summary
    said = other.turned("summary", "mine, deeper").saved()
    assert said.summary == load(path).summary == "mine, deeper"
    walked = at_step(session, 14)
    assert walked.summary.startswith("The walk, step 14")
    assert walked.turned("stages.0.depth", 4).summary == ""


def test_line_ends_are_kept(tmp_path):
    path = tmp_path / "dos.toml"
    path.write_bytes(TEXT.replace("\n", "\r\n").replace("parts/base.toml", "convnext_t").removesuffix("\r\n").encode())
    opened(path).turned("drop_path", 0.4).turned("head.classes", 10).saved()
    content = path.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") == TEXT.count("\n") + 2
    assert content.endswith(b"\r\n[head]\r\nclasses = 10")


@pytest.mark.parametrize("name", STYLES)
def test_all_styles(name, tmp_path):
    path = tmp_path / f"{name}.toml"
    path.write_text(STYLES[name])
    session = opened(path)
    assert load(session.turned("stages.1.depth", 5).saved().path).depths[1] == 5


def test_what_cannot_be_written_changes_nothing(folder):
    session = opened(folder / "mine.toml").turned("drop_path", 0.3)
    with pytest.raises(ConvlabError, match="cannot write"):
        session.saved(folder / "no" / "folder.toml")
    assert session.unsaved
    assert (folder / "mine.toml").read_text() == TEXT


def test_somebody_elses_edits_are_seen(folder):
    session = opened(folder / "mine.toml")
    assert not session.changed_on_disk
    (folder / "mine.toml").write_text(TEXT + "# more\n")
    assert session.changed_on_disk
    (folder / "mine.toml").unlink()
    assert session.changed_on_disk
    assert not session.saved().changed_on_disk
    assert not opened("convnext_t").changed_on_disk


BROKEN = {
    "values": ('base = "convnext_t"\ndepths = [3, 3, 27, 3]\n[block]\nkernel_size = "seven"\n', (3, 3, 27, 3), 4),
    "syntax": ("depths = [3, 3\nwidths = 1\n", (3, 3, 9, 3), 2),
    "nothing": ("", (3, 3, 9, 3), 0),
    "base": ('base = "convnext_x"\n', (3, 3, 9, 3), 1),
    "invalid": ('base = "convnext_t"\nwidths = [96, 192, 384, 770]\n[block]\ngroups = 4\n', (3, 3, 9, 3), 4),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_kept_until_it_is_mended(name, tmp_path):
    text, depths, line = BROKEN[name]
    path = tmp_path / "broken.toml"
    path.write_text(text)
    with pytest.raises(ConvlabError) as told:
        opened(path)
    session = opened_draft(path)
    assert session.broken.text == text
    assert session.broken.problems == told.value.problems
    assert told.value.problems[0].place.line == line
    assert session.design.depths == depths
    assert session.broken.instead == ("" if name == "values" else "convnext_t")
    assert session.unsaved
    with pytest.raises(ConvlabError, match="no design yet"):
        session.turned("drop_path", 0.5).saved()
    with pytest.raises(ConvlabError):
        session.written(text)
    assert path.read_text() == text
    mended = session.written('base = "convnext_t"\ndrop_path = 0.5\n')
    assert mended.broken is None
    assert mended.baseline == mended.design  # not what stood in
    typed_on = session.written('base = "convnext_t"\n').written(mended.text)
    assert typed_on.turned("drop_path", 0.1).baseline == mended.design  # not the first text that was a design
    assert mended.undone().baseline == session.design
    assert mended.undone().written('base = "resnet50"\n').baseline.stem.kind == "conv"
    assert session.with_baseline(session.design).written(mended.text).baseline == session.design
    assert load(mended.saved().path).drop_path == 0.5


def test_a_broken_file_is_not_overwritten_under_another_name_of_its(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.toml").write_text("depths = [3, 3\n")
    (tmp_path / "link.toml").symlink_to("broken.toml")
    session = opened_draft("broken.toml")
    for name in ("./broken.toml", tmp_path / "broken.toml", "link.toml"):
        with pytest.raises(ConvlabError, match="no design yet"):
            session.saved(name)
    (tmp_path / "broken.toml").unlink()
    with pytest.raises(ConvlabError, match="no design yet"):
        session.saved(tmp_path / "broken.toml")
    assert session.saved("other.toml").broken is None


def test_mending_can_be_taken_back(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("depths = [3, 3\n")
    session = opened_draft(path)
    mended = session.written('base = "convnext_t"\n').saved()
    assert mended.undone().broken == session.broken
    with pytest.raises(ConvlabError, match="no design yet"):
        mended.undone().saved()
    assert path.read_text() == 'base = "convnext_t"\n'
    assert mended.undone().redone().broken is None


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "picture.toml").write_bytes(b"\x89PNG\xff\x00")
    for source in (tmp_path / "picture.toml", tmp_path / "none.toml", tmp_path, "convnext_x", ""):
        with pytest.raises(ConvlabError):
            opened_draft(source)
