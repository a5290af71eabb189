"""Sets of many pictures: decoded once and kept, or left on the disk where they are too large; how far the reading is."""

import os
import pickle
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_sets import encoded, picture, write_classes

from convlab.errors import ConvlabError
from convlab.progress import finished
from convlab.training.data import gallery, shelf
from convlab.training.data.datasets import Files
from convlab.training.data.registry import dataset, reading

COUNTS = {"cat": 20, "ant": 10, "bee": 30}


def test_progress_of_decoding(tmp_path):
    write_classes(tmp_path, COUNTS)
    steps = []
    found = finished(reading(tmp_path), steps.append)
    assert [step.done for step in steps] == list(range(1, 61))
    assert {(step.total, step.what) for step in steps} == {(60, "decoding pictures")}
    assert torch.equal(found.train.images, dataset(tmp_path).train.images)


def test_reading_that_is_stopped_leaves_no_thread(tmp_path):
    write_classes(tmp_path, COUNTS)
    work = reading(tmp_path)
    next(work)
    with pytest.raises(KeyboardInterrupt):
        work.throw(KeyboardInterrupt)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("convlab-decoding")]


@pytest.fixture
def small_memory(monkeypatch):
    """As on a machine on which 60 pictures are too many."""
    monkeypatch.setattr(gallery, "MOST_BYTES", 60 * 3 * 8 * 8 - 1)


def test_what_is_too_large_stays_on_the_disk(tmp_path, small_memory):
    write_classes(tmp_path, COUNTS)
    found = dataset(tmp_path, image_size=8)
    assert found.streams
    assert isinstance(found.train.images, Files)
    assert (found.height, found.width) == (8, 8)
    assert [len(split.images) for split in (found.train, found.validation, found.test)] == [48, 6, 6]
    content = found.train.images.contents
    for index in (0, 47):
        own = np.asarray(Image.open(tmp_path / content.name(index)))
        assert np.array_equal(found.train.images.picture(index).permute(1, 2, 0).numpy(), own)
        assert found.classes[found.train.labels[index]] == content.name(index).split("/")[0]
    assert "too many to be kept in memory" in found.note


def test_the_limit_is_by_bytes(tmp_path, small_memory):
    write_classes(tmp_path, COUNTS)
    assert not dataset(tmp_path, image_size=7).streams


def test_the_same_split_in_memory_and_on_the_disk(tmp_path, monkeypatch):
    write_classes(tmp_path, COUNTS)
    small = dataset(tmp_path)
    monkeypatch.setattr(gallery, "MOST_BYTES", 0)
    large = dataset(tmp_path)
    for split in ("train", "validation", "test"):
        there = getattr(large, split).images
        assert torch.equal(
            torch.stack([there.picture(index) for index in range(len(there))]), getattr(small, split).images
        )
        assert torch.equal(getattr(large, split).labels, getattr(small, split).labels)
    assert large.checksum != small.checksum


def test_files_go_to_worker_processes(tmp_path, small_memory):
    write_classes(tmp_path, COUNTS)
    files = dataset(tmp_path, image_size=8).train.images
    assert torch.equal(pickle.loads(pickle.dumps(files)).picture(3), files.picture(3))


def test_a_picture_that_went_away(tmp_path, small_memory):
    write_classes(tmp_path, COUNTS)
    files = dataset(tmp_path, image_size=8).train.images
    (tmp_path / files.contents.name(5)).unlink()
    with pytest.raises(ConvlabError, match="cannot be read: No such file"):
        files.picture(5)


def test_decoded_pictures_are_kept(tmp_path, own_folders, monkeypatch):
    monkeypatch.setattr(gallery, "LOOKED_AT", 8)
    write_classes(tmp_path, COUNTS)
    first = dataset(tmp_path)
    (file,) = shelf.cache_folder().iterdir()
    assert file.is_relative_to(own_folders)
    monkeypatch.setattr(gallery, "fitted_pixels", None)  # whoever decoded again would fail
    again = dataset(tmp_path)
    assert torch.equal(first.train.images, again.train.images)
    assert (first.checksum, first.mean) == (again.checksum, again.mean)
    monkeypatch.undo()


def test_what_was_kept_of_changed_pictures_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "LOOKED_AT", 8)
    write_classes(tmp_path, COUNTS)
    before = dataset(tmp_path)
    path = tmp_path / "ant" / "000.png"
    content, times = path.read_bytes(), path.stat()
    changed = encoded(picture((1, 2, 4)))
    path.write_bytes(changed.ljust(len(content), b"\0"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    after = dataset(tmp_path)
    assert after.checksum != before.checksum


@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_a_damaged_or_unwritable_cache_is_done_without(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(gallery, "LOOKED_AT", 8)
    write_classes(tmp_path / "set", COUNTS)
    if damage is None:
        shelf.cache_folder().parent.mkdir(parents=True)
        shelf.cache_folder().write_text("a file where a folder should be")
        assert len(dataset(tmp_path / "set").train) == 48
        return
    first = dataset(tmp_path / "set")
    (file,) = shelf.cache_folder().iterdir()
    file.write_bytes(damage)
    assert torch.equal(dataset(tmp_path / "set").train.images, first.train.images)


def test_few_sets_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "LOOKED_AT", 8)
    write_classes(tmp_path, COUNTS)
    for size in range(4, 8 + shelf.MOST_FILES):
        dataset(tmp_path, image_size=size)
    assert len(list(shelf.cache_folder().iterdir())) == shelf.MOST_FILES
