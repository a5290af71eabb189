"""Folders of pictures: classes, splits, kinds of pictures, what is damaged, and sets that are too large for memory."""

import os
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_sets import encoded, picture, pixels, rng, write_classes

from convlab.errors import ConvlabError
from convlab.training.data import gallery, pictures, shelf
from convlab.training.data.datasets import Files, dataset

COUNTS = {"cat": 20, "ant": 10, "bee": 30}


def refused(path, **options):
    with pytest.raises(ConvlabError) as raised:
        dataset(path, **options)
    return raised.value.problems


def one_picture(folder, content, name="x.png"):
    """A set with this file among others."""
    write_classes(folder, {"a": 4, "b": 4})
    (folder / "a" / name).write_bytes(content)
    return folder


def decoded(content, channels=3):
    return pictures.decoded(content, "x.png", channels=channels)


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
    assert "cut out" in found.note


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


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(picture(77, (2, 1), "L")), (77, 77, 77)),
        (encoded(picture((9, 8, 7), (2, 1), "RGB").quantize(4)), (9, 8, 7)),
        (encoded(picture((0, 100, 200, 255), (2, 1), "RGBA")), (0, 100, 200)),
        (encoded(picture((0, 100, 200, 0), (2, 1), "RGBA")), (255, 255, 255)),
        (encoded(picture((100, 127), (2, 1), "LA")), (178, 178, 178)),
        (encoded(picture(1, (2, 1), "1")), (255, 255, 255)),
        (encoded(Image.fromarray(np.full((1, 2), 0x8012, np.uint16))), (128, 128, 128)),
        (encoded(picture((0, 0, 0, 255), (2, 1), "CMYK"), "JPEG", quality=100), (0, 0, 0)),
        (encoded(picture((50, 50, 50), (2, 1)), "WEBP", lossless=True), (50, 50, 50)),
        (encoded(picture((50, 60, 70), (2, 1)), "GIF"), (50, 60, 70)),
        (encoded(picture((50, 60, 70), (2, 1)), "BMP"), (50, 60, 70)),
        (encoded(picture((50, 60, 70), (2, 1)), "PPM"), (50, 60, 70)),
        (encoded(picture((50, 60, 70), (2, 1)), "TIFF"), (50, 60, 70)),
    ],
    ids=[
        *("grey", "palette", "opaque", "transparent", "half-transparent", "black-and-white"),
        *("16-bit", "CMYK", "WEBP", "GIF", "BMP", "PPM", "TIFF"),
    ],
)
def test_every_kind_of_picture_becomes_rgb(content, expected):
    found = decoded(content)
    assert found.shape == (3, 1, 2)
    assert found.dtype == torch.uint8
    assert (found[:, 0, 0].int() - torch.tensor(expected)).abs().max() <= 2


def test_a_palette_with_a_transparent_color():
    image = picture((200, 0, 0), (2, 1)).quantize(2)
    content = encoded(image, transparency=image.getpixel((0, 0)))
    assert decoded(content)[:, 0, 0].tolist() == [255, 255, 255]


def test_jpegs_and_mixed_sizes(tmp_path):
    write_classes(tmp_path / "train", {"a": 9, "b": 9}, size=(70, 90), ending=".jpg")
    write_classes(tmp_path / "train", {"c": 9}, size=(40, 30), ending=".JPEG")
    found = dataset(tmp_path)
    assert (found.height, found.width) == (64, 64)
    assert "30 to 90" in found.note
    assert found.classes == ("a", "b", "c")


def test_pictures_fill_the_size_and_are_cut_at_the_middle():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    image = Image.fromarray(wide)
    assert np.unique(np.asarray(pictures.fitted(image, 10, 10))).tolist() == [200]
    for height, width in ((5, 5), (7, 33), (1, 1), (40, 2)):
        assert pictures.pixels_of(pictures.fitted(image, height, width)).shape == (3, height, width)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is no picture"),
        (b"not a picture at all", "it is no picture"),
        (encoded(picture((1, 2, 3), (64, 64)))[:60], "x.png"),
        (encoded(Image.fromarray(rng().integers(0, 256, (64, 64, 3), np.uint8)), "JPEG")[:-600], "truncated"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is no picture"),
    ],
)
def test_damaged_pictures(tmp_path, content, words):
    (problem,) = refused(one_picture(tmp_path, content))
    assert problem.code == "damaged-data"
    assert words in problem.message
    assert "x.png" in problem.message
    assert problem.path == "a/x.png" or problem.path.endswith("/a/x.png")


def test_every_cut_of_a_picture_is_told_in_one_way():
    for form in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"):
        content = encoded(Image.fromarray(rng().integers(0, 256, (16, 16, 3), np.uint8)), form)
        told = 0
        for length in range(0, len(content), 7):
            try:
                decoded(content[:length])
            except ConvlabError:
                told += 1
        assert told > 5, form


def test_several_damaged_pictures_are_told_together(tmp_path):
    write_classes(tmp_path, {"a": 12, "b": 12})
    for number in range(9):
        (tmp_path / "a" / f"{number:03}.png").write_bytes(b"damaged")
    assert len(refused(tmp_path, image_size=8)) == gallery.MOST_PROBLEMS


def test_a_few_bytes_that_stand_for_too_many_pixels(tmp_path):
    bomb = encoded(picture(0, (18_000, 10_000), "1"))
    assert len(bomb) < 100_000
    (problem,) = refused(one_picture(tmp_path, bomb), image_size=8)
    assert "over 178,956,970 pixels" in problem.message


def test_the_limit_holds_where_that_of_pillow_is_lifted(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 100)
    problems = refused(one_picture(tmp_path, encoded(picture(0, (9, 9), "L"))), image_size=8)
    assert len(problems) == gallery.MOST_PROBLEMS, "all but that of 9 x 9 have over 100 pixels"
    assert all(problem.message.endswith("pixels") for problem in problems)


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


def test_pictures_in_folders_of_a_class(tmp_path):
    write_classes(tmp_path / "a", {"inner": 5, "other": 5})
    write_classes(tmp_path, {"b": 5})
    found = dataset(tmp_path)
    assert found.classes == ("a", "b")
    assert sum(map(len, (found.train, found.validation, found.test))) == 15


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
    monkeypatch.setattr(gallery, "picture", None)  # whoever decoded again would fail
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
