"""CIFAR-10 and CIFAR-100: torchvision's layout on the disk, and pickles that bring more than pictures."""

import os
import pickle
import sys

import numpy as np
import pytest
from tiny_sets import pixels, write_cifar

from convlab.errors import ConvlabError
from convlab.training.data import pickles
from convlab.training.data.cifar import CIFAR10, CIFAR100
from convlab.training.data.registry import dataset

KINDS = pytest.mark.parametrize("kind", [CIFAR10, CIFAR100], ids=lambda kind: kind.name)


def refused(path):
    with pytest.raises(ConvlabError) as raised:
        dataset(path)
    return raised.value.problems[0]


@KINDS
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("named", ["the folder", "the folder above"])
def test_torchvisions_layout(tmp_path, kind, protocol, named):
    place = tmp_path / kind.folder
    batches = write_cifar(place, kind, protocol=protocol)
    found = dataset(place if named == "the folder" else tmp_path)
    count = 20 * len(kind.train)
    assert [len(split) for split in (found.train, found.validation, found.test)] == [
        count - count // 10,
        count // 10,
        20,
    ]
    assert found.classes == tuple(f"class {number}" for number in range(10))
    assert (found.channels, found.height, found.width) == (3, 32, 32)
    rows = {row.tobytes() for name in kind.train for row in batches[name][b"data"]}
    assert pixels(found.train) | pixels(found.validation) == rows
    assert found.test.images.flatten(1).numpy().tobytes() == batches[kind.test][b"data"].tobytes()
    assert found.test.labels.tolist() == batches[kind.test][kind.labels]
    assert "not the published files" in found.note


@KINDS
def test_text_keys_as_python_3_writes_them(tmp_path, kind):
    place = tmp_path / kind.folder
    for name, batch in write_cifar(place, kind).items():
        renewed = {
            key.decode(): [str(x, "ascii") if isinstance(x, bytes) else x for x in value]
            if isinstance(value, list)
            else value
            for key, value in batch.items()
        }
        (place / name).write_bytes(pickle.dumps(renewed, protocol=4))
    assert dataset(place).classes[3] == "class 3"


def test_by_its_name_only_the_published_files_are_taken(own_folders):
    place = own_folders / "data" / "convlab" / "data" / CIFAR10.folder
    write_cifar(place, CIFAR10)
    problem = refused("cifar10")
    assert problem.code == "damaged-data"
    assert "checksum differs" in problem.message


def test_a_missing_set_says_how_to_get_it():
    problem = refused("cifar100")
    assert problem.code == "missing-data"
    assert "convlab data get cifar100" in problem.help


def test_checksums_are_those_that_torchvision_knows():
    from torchvision import datasets as theirs

    for kind, their in ((CIFAR10, theirs.CIFAR10), (CIFAR100, theirs.CIFAR100)):
        published = dict([*their.train_list, *their.test_list, [their.meta["filename"], their.meta["md5"]]])
        assert kind.md5 == published
        assert kind.archive.checksum == f"md5:{their.tgz_md5}"
        assert kind.archive.addresses == (their.url,)
        assert kind.folder == their.base_folder


class Evil:
    """Unpickling it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_code_is_refused(tmp_path, protocol):
    place = tmp_path / CIFAR10.folder
    write_cifar(place, CIFAR10)
    made = tmp_path / "made"
    (place / "data_batch_2").write_bytes(pickle.dumps({b"data": Evil(str(made))}, protocol=protocol))
    problem = refused(place)
    assert problem.code == "damaged-data"
    assert "mkdir" in problem.message
    assert not made.exists()


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=np.float32),
        np.array([print, len], dtype=object),
        np.asfortranarray(np.zeros((2, 3), np.uint8)),
        np.zeros(3, np.uint8).view(np.recarray),
        np.zeros(2, [("a", "u1")]),
        {1}.__class__,
        sys.exit,
        np.random.default_rng,
        range(10),
        complex(1, 2),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_only_arrays_of_bytes_and_plain_containers_are_read(value, protocol):
    with pytest.raises(ConvlabError) as raised:
        pickles.load(pickle.dumps({"value": value}, protocol=protocol), "batch")
    assert raised.value.problems[0].code == "damaged-data"


def test_every_cut_and_every_changed_byte_ends_in_one_message():
    """A damaged pickle is refused, or it is still a pickle of plain things: never another exception."""
    content = pickle.dumps({b"data": np.arange(12, dtype=np.uint8).reshape(3, 4), b"labels": [1, 2, 3]}, protocol=2)
    damaged = [content[:length] for length in range(len(content))]
    damaged += [
        content[:at] + bytes([byte]) + content[at + 1 :] for at in range(len(content)) for byte in b"\x00.Rb\x8a\xff"
    ]
    refusals = 0
    for changed in damaged:
        try:
            pickles.load(changed, "batch")
        except ConvlabError:
            refusals += 1
    assert refusals > len(content)


ENCODE = b"\x80\x02c_codecs\nencode\n"


@pytest.mark.parametrize(
    "state",
    [b"}U\x08__name__U\x01xsb.", b"N}U\x0c__defaults__)s\x86b."],
    ids=["its dictionary", "its attributes"],
)
def test_a_pickle_changes_nothing_of_what_stands_for_functions(state):
    before = dict(pickles.STAND_INS)
    with pytest.raises(ConvlabError):
        pickles.load(ENCODE + state, "batch")
    assert before == pickles.STAND_INS
    found = pickles.load(pickle.dumps({"value": b"\xff\x00"}, protocol=2), "batch")
    assert found == {b"value": b"\xff\x00"} or found == {"value": b"\xff\x00"}


def test_more_instructions_than_any_batch_has(monkeypatch):
    monkeypatch.setattr(pickles, "MOST_STEPS", 50)
    with pytest.raises(ConvlabError, match="over 50 instructions"):
        pickles.load(pickle.dumps(list(range(60)), protocol=2), "batch")


def test_lists_in_lists_in_lists_are_no_labels_and_no_names(tmp_path):
    """A list that holds itself twice, thirty times over, is small until somebody reads all of it."""
    place = tmp_path / CIFAR10.folder
    batches = write_cifar(place, CIFAR10)
    deep = [1]
    for _ in range(30):
        deep = [deep, deep]
    (place / "test_batch").write_bytes(pickle.dumps({**batches["test_batch"], b"labels": deep}, protocol=2))
    assert "labels are no numbers" in refused(place).message
    (place / "batches.meta").write_bytes(pickle.dumps({b"label_names": deep}, protocol=2))
    assert "no list of text" in refused(place).message


def test_a_few_bytes_that_would_fill_memory():
    """Half a billion places to remember one object in: 4 GB, were they made."""
    with pytest.raises(ConvlabError, match="remembers more than it can hold"):
        pickles.load(b"\x80\x02]r\x00\x00\x00\x20.", "batch")


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ({b"data": np.zeros((20, 3072), np.uint8)}, "no labels"),
        ({b"labels": [1] * 20}, "no data"),
        ([1, 2], "no data"),
        ({b"data": np.zeros((20, 3000), np.uint8), b"labels": [1] * 20}, "no pictures of 32 x 32"),
        ({b"data": np.zeros((20, 3072), np.uint8), b"labels": [1] * 19}, "19 labels for 20 pictures"),
        ({b"data": np.zeros((20, 3072), np.uint8), b"labels": ["x"] * 20}, "its labels are no numbers"),
        ({b"data": b"\0" * 3072, b"labels": [1]}, "no array of bytes"),
        ({b"data": np.zeros((20, 3072), np.uint8), b"labels": [11] * 20}, "labels from 0 to 11 for 10 classes"),
        ({b"data": np.zeros((20, 3072), np.uint8), b"labels": [-1] * 20}, "labels from -1 to 9 for 10 classes"),
    ],
)
def test_batches_that_are_none(tmp_path, batch, words):
    place = tmp_path / CIFAR10.folder
    write_cifar(place, CIFAR10)
    (place / "data_batch_3").write_bytes(pickle.dumps(batch, protocol=2))
    assert words in refused(place).message
