"""Folders of pictures: what is recognised as a set, classes, splits, and what does not fit."""

import os

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_sets import picture, pixels, write_classes

from convlab.errors import ConvlabError
from convlab.training.data import image_folder
from convlab.training.data.registry import dataset

COUNTS = {"cat": 20, "ant": 10, "bee": 30}


def refused(path, **options):
    with pytest.raises(ConvlabError) as raised:
        dataset(path, **options)
    return raised.value.problems


def test_three_splits(tmp_path):
    for number, split in enumerate(("train", "val", "test")):
        write_classes(tmp_path / split, {name: count + number for name, count in COUNTS.items()})
    found = dataset(tmp_path)
    assert found.classes == ("ant", "bee", "cat")
    assert (found.channels, found.height, found.width) == (3, 10, 12)
    assert [split.labels.bincount().tolist() for split in (found.train, found.validation, found.test)] == [
        [10, 30, 20],
        [11, 31, 21],
        [12, 32, 22],
    ]
    first = np.asarray(Image.open(tmp_path / "train" / "ant" / "000.png"))
    assert np.array_equal(found.train.images[0].permute(1, 2, 0).numpy(), first)
    assert not found.note


def test_a_flat_folder_is_cut(tmp_path):
    write_classes(tmp_path, COUNTS)
    found = dataset(tmp_path)
    assert [split.labels.bincount().tolist() for split in (found.train, found.validation, found.test)] == [
        [8, 24, 16],
        [1, 3, 2],
        [1, 3, 2],
    ]
    parts = [pixels(split) for split in (found.train, found.validation, found.test)]
    assert len(parts[0] | parts[1] | parts[2]) == sum(map(len, parts)) == 60
    assert "set aside" in found.note


def test_a_validation_folder_alone_is_the_test_split(tmp_path):
    """Whoever reports a figure reports it of pictures that selection has not seen."""
    write_classes(tmp_path / "train", COUNTS)
    write_classes(tmp_path / "val", {"ant": 2, "bee": 2, "cat": 2})
    found = dataset(tmp_path)
    assert [len(split) for split in (found.train, found.validation, found.test)] == [54, 6, 6]
    first = np.asarray(Image.open(tmp_path / "val" / "ant" / "000.png"))
    assert np.array_equal(found.test.images[0].permute(1, 2, 0).numpy(), first)
    assert "test split" in found.note


def test_a_split_does_not_depend_on_place_or_order(tmp_path):
    for place in ("a", "b"):
        write_classes(tmp_path / place / "set", dict(sorted(COUNTS.items(), reverse=place == "a")))
    first, second = dataset(tmp_path / "a" / "set"), dataset(tmp_path / "b" / "set")
    assert torch.equal(first.validation.images, second.validation.images)
    assert first.checksum == second.checksum


def test_a_further_picture_moves_few(tmp_path):
    write_classes(tmp_path / "set", {"a": 100, "b": 100})
    before = pixels(dataset(tmp_path / "set").validation)
    picture((1, 2, 3)).save(tmp_path / "set" / "a" / "new.png")
    assert len(before & pixels(dataset(tmp_path / "set").validation)) >= 18


def test_a_class_that_is_called_train(tmp_path):
    write_classes(tmp_path, {"boat": 10, "train": 10})
    assert dataset(tmp_path).classes == ("boat", "train")


def test_jpegs_and_mixed_sizes(tmp_path):
    write_classes(tmp_path / "train", {"a": 9, "b": 9}, size=(70, 90), ending=".jpg")
    write_classes(tmp_path / "train", {"c": 9}, size=(40, 30), ending=".JPEG")
    found = dataset(tmp_path)
    assert (found.height, found.width) == (64, 64)
    assert "30 to 90" in found.note
    assert found.classes == ("a", "b", "c")


def test_empty_folders_are_left_out_and_told(tmp_path):
    write_classes(tmp_path / "train", COUNTS)
    (tmp_path / "train" / "empty").mkdir()
    (tmp_path / "train" / "only text").mkdir()
    (tmp_path / "train" / "only text" / "readme.txt").write_text("nothing")
    found = dataset(tmp_path)
    assert found.classes == ("ant", "bee", "cat")
    assert '"empty", "only text"' in found.note


def test_a_class_that_training_never_sees(tmp_path):
    write_classes(tmp_path / "train", {"a": 5, "b": 5})
    write_classes(tmp_path / "test", {"a": 5, "c": 5})
    (problem,) = refused(tmp_path)
    assert problem.code == "unfit-data"
    assert '"c"' in problem.message
    assert '"a", "b"' in problem.help


def test_a_class_that_a_split_lacks_is_fine(tmp_path):
    write_classes(tmp_path / "train", {"a": 5, "b": 5})
    write_classes(tmp_path / "test", {"b": 5})
    assert dataset(tmp_path).test.labels.tolist() == [1] * 5


@pytest.mark.parametrize(("counts", "words"), [({"a": 9}, "1 class"), ({"a": 1, "b": 1}, "no picture is left")])
def test_too_little_to_learn_from(tmp_path, counts, words):
    write_classes(tmp_path, counts)
    (problem,) = refused(tmp_path)
    assert problem.code == "unfit-data"
    assert words in problem.message


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "a").mkdir()
    (problem,) = refused(tmp_path)
    assert problem.code == "unknown-data"
    assert "parquet" in problem.help


def test_hidden_files_pipes_and_loose_ends(tmp_path):
    write_classes(tmp_path, {"a": 5, "b": 5})
    (tmp_path / "a" / "._000.png").write_bytes(b"of another system")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.png").write_bytes(b"")
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    found = dataset(tmp_path)
    assert sum(map(len, (found.train, found.validation, found.test))) == 10
    assert found.classes == ("a", "b")


@pytest.mark.parametrize("inside", ["", "train"])
def test_a_disk_is_not_walked_to_see_that_it_is_no_set(tmp_path, monkeypatch, inside):
    """Only what lies in the folders of a folder is looked at, below train/ also one level further down, and never more than so much."""
    top = tmp_path / inside
    write_classes(top / "home" / "me" / "holidays", {"2026": 1})
    asked = []
    theirs = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: asked.append(os.fspath(path)) or theirs(path))
    assert refused(tmp_path)[0].code == "unknown-data"
    assert not [path for path in asked if "holidays" in path]
    monkeypatch.setattr(image_folder, "MOST_LOOKED_AT", 8)
    for number in range(30):
        (top / "home" / f"{number}.txt").touch()
    write_classes(top, {"photographs": 1})
    assert refused(tmp_path)[0].code == "unknown-data"


def test_classes_deep_below_train(tmp_path):
    """As Tiny ImageNet has them."""
    for name in ("n01", "n02"):
        write_classes(tmp_path / "train" / name, {"images": 10})
    assert dataset(tmp_path).classes == ("n01", "n02")


def test_folders_deeper_than_any_set_has(tmp_path):
    write_classes(tmp_path, {"a": 5, "b": 5})
    (tmp_path / "a" / "1" / "2" / "3").mkdir(parents=True)
    assert dataset(tmp_path).classes == ("a", "b")
    (tmp_path / "a" / "1" / "2" / "3" / "4").mkdir()
    (problem,) = refused(tmp_path)
    assert problem.code == "unfit-data"
    assert "more than 3 levels of folders" in problem.message


def test_hidden_folders_in_a_class_are_left_out(tmp_path):
    write_classes(tmp_path, {"a": 5, "b": 5})
    write_classes(tmp_path / "a", {".ipynb_checkpoints": 5})
    found = dataset(tmp_path)
    assert sum(map(len, (found.train, found.validation, found.test))) == 10


def test_pictures_in_folders_of_a_class(tmp_path):
    write_classes(tmp_path / "a", {"inner": 5, "other": 5})
    write_classes(tmp_path, {"b": 5})
    found = dataset(tmp_path)
    assert found.classes == ("a", "b")
    assert sum(map(len, (found.train, found.validation, found.test))) == 15
