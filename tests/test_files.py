"""Files are written whole or not at all, where and as they were."""

import os
import stat
import threading

import pytest

from convlab import ConvlabError, load, save, turn
from convlab.language.files import write_whole


def test_a_link_is_followed_and_a_mode_kept(tmp_path):
    target, link = tmp_path / "target.toml", tmp_path / "link.toml"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"through")
    reader.join(10)
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_nothing_is_left_of_a_write_that_fails(tmp_path, monkeypatch):
    path = tmp_path / "design.toml"
    path.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConvlabError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["design.toml"]


@pytest.mark.parametrize("place", ["missing/design.toml", "folder", "long" * 100], ids=["missing", "folder", "long"])
def test_a_place_that_cannot_be_written(tmp_path, place):
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConvlabError, match="cannot write"):
        save(load("convnext_t"), tmp_path / place)


def test_saving_replaces_a_design_and_nothing_else(tmp_path):
    path = tmp_path / "notes.toml"
    path.write_text("what I thought of it")
    with pytest.raises(ConvlabError, match="is already there, and holds no design"):
        save(load("resnet18"), path)
    assert path.read_text() == "what I thought of it"
    for name in ("resnet18", "convnext_t"):
        save(load(name), path, force=name == "resnet18")
        assert load(path).key == load(name).key


def test_a_base_is_named_from_the_folder_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    design = load("convnext_t")
    save(design, "mine.toml")
    wider = turn(design, "stages.2.block.kernel_size", 11)
    save(wider, "sub/child.toml", base="mine.toml")
    assert load("sub/child.toml") == wider


def test_a_summary_is_of_one_file(tmp_path):
    (tmp_path / "mine.toml").write_text('base = "convnext_t"\n')
    assert load(tmp_path / "mine.toml").summary == ""
    assert load("convnext_t").summary.startswith("ConvNeXt-T")
