"""Parquet files as the Hugging Face hub holds them: columns, splits, labels, damage, and sets that are too large for memory."""

import json
import pickle
import sys
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_sets import encoded, rng

from convlab.errors import ConvlabError
from convlab.progress import finished
from convlab.training.data import gallery, row_groups
from convlab.training.data import parquet as parquet_sets
from convlab.training.data.registry import dataset, reading
from convlab.training.data.row_groups import Unpacked

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

NAMES = ["ant", "bee"]
STRUCT = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])


def arrays(count, seed=0):
    return rng(seed).integers(0, 256, (count, 6, 5, 3), np.uint8)


def write(path, images, labels, *, column="image", label="label", names=NAMES, struct=True, group=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    contents = [None if image is None else encoded(Image.fromarray(image)) for image in images]
    rows = [{"bytes": content, "path": f"{number}.png"} for number, content in enumerate(contents)]
    pictures = pyarrow.array(rows, STRUCT) if struct else pyarrow.array(contents, pyarrow.binary())
    table = pyarrow.table({"id": list(range(len(rows))), column: pictures, label: labels})
    if names:
        told = {"info": {"features": {label: {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(told)})
    parquet.write_table(table, path, row_group_size=group)


def write_set(folder, *, train=20, validation=8, test=6, **options):
    for number, (split, count) in enumerate((("train", train), ("validation", validation), ("test", test))):
        if count:
            half = count // 2
            images = arrays(count, number)
            labels = [index % 2 for index in range(count)]
            write(folder / f"{split}-00000-of-00002.parquet", images[:half], labels[:half], **options)
            write(folder / f"{split}-00001-of-00002.parquet", images[half:], labels[half:], **options)


def refused(path, **options):
    with pytest.raises(ConvlabError) as raised:
        dataset(path, **options)
    return raised.value.problems[0]


def same(split, images):
    return torch.equal(split.images, torch.from_numpy(images.copy()).permute(0, 3, 1, 2))


@pytest.mark.parametrize("inside", ["", "data"])
@pytest.mark.parametrize("options", [{}, {"column": "img", "label": "labels"}, {"struct": False}, {"group": 1}])
def test_three_splits_in_several_files(tmp_path, inside, options):
    write_set(tmp_path / inside, **options)
    found = dataset(tmp_path)
    assert found.classes == ("ant", "bee")
    assert (found.channels, found.height, found.width) == (3, 6, 5)
    for number, (split, count) in enumerate(((found.train, 20), (found.validation, 8), (found.test, 6))):
        assert same(split, arrays(count, number))
        assert split.labels.tolist() == [index % 2 for index in range(count)]
    assert not found.note


def test_folders_that_are_named_for_splits(tmp_path):
    write(tmp_path / "train" / "0000.parquet", arrays(20), [0, 1] * 10)
    write(tmp_path / "test" / "0000.parquet", arrays(4, 1), [0, 1] * 2)
    found = dataset(tmp_path)
    assert [len(split) for split in (found.train, found.validation, found.test)] == [18, 2, 4]
    assert same(found.test, arrays(4, 1))


def test_one_file_is_cut(tmp_path):
    write(tmp_path / "all.parquet", arrays(40), [0, 1] * 20)
    found = dataset(tmp_path / "all.parquet")
    assert found.name == "all"
    assert [split.labels.bincount().tolist() for split in (found.train, found.validation, found.test)] == [
        [16, 16],
        [2, 2],
        [2, 2],
    ]
    seen = {image.numpy().tobytes() for split in (found.train, found.validation, found.test) for image in split.images}
    assert seen == {image.transpose(2, 0, 1).tobytes() for image in arrays(40)}


def test_labels_without_names_and_labels_that_are_text(tmp_path):
    write(tmp_path / "a" / "x.parquet", arrays(40), [0, 3] * 20, names=None)
    assert dataset(tmp_path / "a").classes == ("0", "1", "2", "3")
    write(tmp_path / "b" / "x.parquet", arrays(40), ["dog", "cat"] * 20, names=None)
    found = dataset(tmp_path / "b")
    assert found.classes == ("cat", "dog")
    assert set(found.train.labels.tolist()) == {0, 1}


def test_hidden_labels(tmp_path):
    write_set(tmp_path, test=0)
    write(tmp_path / "test-00000-of-00001.parquet", arrays(4), [-1] * 4)
    found = dataset(tmp_path)
    assert [len(split) for split in (found.train, found.validation, found.test)] == [18, 2, 8]
    assert same(found.test, arrays(8, 1))
    assert "labels are not published" in found.note


def test_a_test_split_alone(tmp_path):
    write_set(tmp_path, train=0, validation=0)
    problem = refused(tmp_path)
    assert problem.code == "unfit-data"
    assert "no pictures for training" in problem.message


@pytest.mark.parametrize(
    ("options", "words"),
    [({"label": "kind"}, "no column of labels: its columns are id, image, kind"), ({"names": ["one"]}, "1 class")],
)
def test_columns_and_classes_that_do_not_fit(tmp_path, options, words):
    write_set(tmp_path, **options)
    problem = refused(tmp_path)
    assert problem.code == "unfit-data"
    assert words in problem.message


@pytest.mark.parametrize(("labels", "words"), [([0, None], "other things"), ([0.5, 1.0], "other things")])
def test_labels_that_are_none(tmp_path, labels, words):
    write(tmp_path / "x.parquet", arrays(20), labels * 10, names=None)
    problem = refused(tmp_path)
    assert problem.code == "damaged-data"
    assert words in problem.message


def test_labels_that_are_no_classes(tmp_path):
    write(tmp_path / "set" / "x.parquet", arrays(20), [0, 10**9] * 10, names=None)
    problem = refused(tmp_path / "set")
    assert problem.code == "unfit-data"
    assert problem.message.startswith('the largest label of "/')
    assert problem.message.endswith("is 1,000,000,000, and at most 1,000,000 classes are taken")
    assert '"label"' in problem.help


def test_rows_and_row_groups_have_limits(tmp_path, monkeypatch):
    write_set(tmp_path / "set")
    monkeypatch.setattr(row_groups, "MOST_BYTES", 100)
    problem = refused(tmp_path / "set")
    assert "row group 0 is over 100 bytes" in problem.message
    assert "smaller row groups" in problem.help
    monkeypatch.setattr(parquet_sets, "MOST_ROWS", 20)
    problem = refused(tmp_path / "set")
    assert problem.code == "unfit-data"
    assert "34 rows, over the limit of 20" in problem.message


def test_progress_of_unpacking(tmp_path, monkeypatch):
    write_set(tmp_path / "set")
    monkeypatch.setattr(gallery, "MOST_BYTES", 0)
    steps = []
    finished(reading(tmp_path / "set"), steps.append)
    assert [(step.done, step.total) for step in steps] == [
        (done, count) for count in (20, 8, 6) for done in range(1, count + 1)
    ]


def test_a_row_without_a_picture(tmp_path):
    images = list(arrays(20))
    images[7] = None
    write(tmp_path / "x.parquet", images, [0, 1] * 10)
    problem = refused(tmp_path, image_size=8)
    assert "row 3 of group 1 holds no picture" in problem.message


@pytest.mark.parametrize("change", [lambda content: content[:-30], lambda content: b"PAR1", lambda content: b""])
def test_damaged_files(tmp_path, change):
    write_set(tmp_path)
    path = tmp_path / "validation-00001-of-00002.parquet"
    path.write_bytes(change(path.read_bytes()))
    problem = refused(tmp_path)
    assert problem.code == "damaged-data"
    assert path.name in problem.message


def test_every_changed_byte_ends_in_one_message_or_none(tmp_path):
    path = tmp_path / "x.parquet"
    write(path, arrays(4), [0, 1, 0, 1])
    content = path.read_bytes()
    for at in range(0, len(content), 29):
        changed = bytearray(content)
        changed[at] ^= 0xFF
        (tmp_path / "changed" / "x.parquet").parent.mkdir(exist_ok=True)
        (tmp_path / "changed" / "x.parquet").write_bytes(changed)
        with suppress(ConvlabError):
            dataset(tmp_path / "changed", image_size=8)


def test_what_is_too_large_is_unpacked_once(tmp_path, own_folders, monkeypatch):
    write_set(tmp_path / "set")
    small = dataset(tmp_path / "set")
    monkeypatch.setattr(gallery, "MOST_BYTES", 0)
    large = dataset(tmp_path / "set")
    assert large.streams
    for split in ("train", "validation", "test"):
        files = getattr(large, split).images
        assert isinstance(files.contents, Unpacked)
        pictures = [files.picture(index) for index in reversed(range(len(files)))][::-1]
        assert torch.equal(torch.stack(pictures), getattr(small, split).images)
    unpacked = sorted((own_folders / "cache").rglob("*.pictures"))
    assert len(unpacked) == 3
    times = [path.stat().st_mtime_ns for path in unpacked]
    again = dataset(tmp_path / "set")
    assert [path.stat().st_mtime_ns for path in unpacked] == times
    assert again.checksum == large.checksum
    files = pickle.loads(pickle.dumps(again.train.images))
    assert torch.equal(files.picture(3), small.train.images[3])
    unpacked[0].write_bytes(b"")
    emptied = next(
        s.images for s in (large.train, large.validation, large.test) if s.images.contents.path == str(unpacked[0])
    )
    with pytest.raises(ConvlabError, match="cannot be read"):
        emptied.picture(0)


def test_without_its_package(tmp_path, monkeypatch):
    write_set(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    problem = refused(tmp_path)
    assert problem.code == "missing-package"
    assert "convlab[parquet]" in problem.help
