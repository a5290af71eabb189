"""The commands about data sets: which are known and here, what is in one, and how a missing one is got."""

import gzip
import struct

import pytest

from convlab.training.data import fashion_mnist
from convlab.training.data.fashion_mnist import STEMS


@pytest.fixture
def folder(tmp_path):
    """Thirty grey pictures of two classes, in four IDX files."""
    place = tmp_path / "greys"
    place.mkdir()
    for stem, count in zip(STEMS, (24, 24, 6, 6), strict=True):
        sizes = (count, 3, 3) if "images" in stem else (count,)
        body = bytes(number % 2 for number in range(count * (9 if "images" in stem else 1)))
        (place / f"{stem}.gz").write_bytes(
            gzip.compress(struct.pack(f">BBBB{len(sizes)}I", 0, 0, 8, len(sizes), *sizes) + body)
        )
    return place


@pytest.mark.parametrize("arguments", [("data",), ("data", "list")])
def test_the_list(shell, arguments):
    ran = shell(*arguments)
    assert (ran.code, ran.err) == (0, "")
    for name in ("cifar10", "cifar100", "digits", "fashion_mnist"):
        assert name in ran.out


def test_the_list_as_json(shell):
    sets = {each["name"]: each for each in shell("data", "list", "--json").json["datasets"]}
    assert sets["cifar10"]["here"] is False
    assert "convlab data get cifar10" in sets["cifar10"]["place"]
    assert sets["fashion_mnist"]["licence"] == "MIT"


def test_show(shell, folder):
    ran = shell("data", "show", str(folder))
    assert ran.code == 0
    assert "1 x 3 x 3" in ran.out
    assert "6 pictures, 3 of each class" in ran.out
    shown = shell("data", "show", str(folder), "--json").json
    assert shown["images"] == {"train": 22, "validation": 2, "test": 6}
    assert shown["images_of_class"]["test"] == [3, 3]
    assert len(shown["checksum"]) == 64
    assert shown["checksum"] in ran.out


def test_a_damaged_set_is_told(shell, folder):
    (folder / f"{STEMS[0]}.gz").write_bytes(b"rubbish")
    ran = shell("data", "show", str(folder))
    assert ran.code == 2
    assert "cannot be read" in ran.err
    assert "Traceback" not in ran.err


def test_a_missing_set_says_how_to_get_it(shell):
    ran = shell("data", "show", "cifar10")
    assert ran.code == 2
    assert "convlab data get cifar10" in ran.err


def test_get_what_is_here(shell, folder, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "DEBIAN", folder)
    ran = shell("data", "get", "fashion_mnist")
    assert (ran.code, ran.out.split()[-1]) == (0, str(folder))
    assert shell("data", "get", "fashion_mnist", "--json").json["place"] == str(folder)


def test_get_without_a_network(shell, tmp_path, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "nowhere")
    monkeypatch.setattr(fashion_mnist, "HOSTS", ("http://127.0.0.1:9/",))
    ran = shell("data", "get", "fashion_mnist")
    assert ran.code == 1
    assert "could not be downloaded" in ran.err
    assert "Traceback" not in ran.err


def test_get_what_is_unknown(shell):
    ran = shell("data", "get", "cifar11")
    assert ran.code == 2
    assert 'did you mean "cifar1' in ran.err
