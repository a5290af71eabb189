"""Names and paths: what is known, what auto means, the digits, and how a split is cut."""

import sys

import pytest
from tiny_sets import pixels, write_idx_folder

from convlab.errors import ConvlabError
from convlab.training.data import fashion_mnist, procedural
from convlab.training.data.registry import dataset, datasets, known
from convlab.training.data.splitting import TEST, held_out, held_out_of_each


def refused(name):
    with pytest.raises(ConvlabError) as raised:
        dataset(name)
    return raised.value


def test_the_sets_that_are_known():
    names = [each.name for each in datasets()]
    assert names == sorted(names)
    assert {"cifar10", "cifar100", "digits", "fashion_mnist"} <= set(names)
    for each in datasets():
        assert each.summary
        assert each.where() or each.remedy


@pytest.mark.parametrize("name", ["fashion_mnist", "fashion-mnist", "Fashion-MNIST", "FASHION_MNIST"])
def test_a_name_in_other_letters(name):
    assert known(name).name == "fashion_mnist"


def test_a_misspelled_name():
    error = refused("fashion_minst")
    assert error.exit_code == 2
    assert error.problems[0].code == "unknown-data"
    assert error.problems[0].label == 'did you mean "fashion_mnist"?'
    assert "cifar10" in error.problems[0].help


def test_a_path_that_is_not_there():
    assert refused("./nowhere").problems[0].code == "unknown-data"


def test_a_file_that_is_no_set(tmp_path):
    (tmp_path / "design.toml").write_text("depths = [1]")
    assert refused(tmp_path / "design.toml").problems[0].code == "unknown-data"


def test_auto_is_fashion_mnist_where_it_is(tmp_path, monkeypatch):
    write_idx_folder(tmp_path)
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path)
    arrays = fashion_mnist._arrays(tmp_path)
    monkeypatch.setattr(fashion_mnist, "CONTENT", tuple(array.sha256 for array in arrays))
    found = dataset()
    assert found.name == "fashion_mnist"
    assert found.source == str(tmp_path)
    assert "no set was named: found in" in found.note


def test_auto_is_the_procedural_set_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path)
    monkeypatch.setattr(procedural, "COUNTS", {"train": 24, "validation": 12, "test": 12})
    found = dataset("auto")
    assert found.name == "procedural"
    assert "fashion_mnist is not here" in found.note
    assert "convlab data get fashion_mnist" in found.note


def test_the_digits():
    pytest.importorskip("sklearn")
    found = dataset("digits")
    assert [len(split) for split in (found.train, found.validation, found.test)] == [1257, 180, 360]
    assert (found.channels, found.height, found.width, len(found.classes)) == (1, 8, 8, 10)
    assert int(found.train.images.max()) == 255
    parts = [pixels(split) for split in (found.train, found.validation, found.test)]
    assert len(parts[0] | parts[1] | parts[2]) == sum(map(len, parts)), "a picture is in two splits"
    assert dataset("digits", image_size=16).train.images.shape == (1257, 1, 16, 16)


def test_the_digits_without_their_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)  # what import takes for a package that is not there
    (problem,) = refused("digits").problems
    assert problem.code == "missing-data"
    assert "pip install 'convlab[digits]'" in problem.help


def test_a_cut_is_the_same_everywhere():
    """Written down, so that no release gives other splits."""
    assert held_out("a set", 12, 4) == ([0, 1, 3, 5, 8, 9, 10, 11], [2, 4, 6, 7])
    assert held_out("a set", 12, 4, into=TEST) != held_out("a set", 12, 4)
    assert held_out("another", 12, 4) != held_out("a set", 12, 4)


def test_a_cut_is_without_loss():
    for count in (0, 1, 7, 20):
        stay, go = held_out("x", 20, count)
        assert len(go) == count
        assert sorted(stay + go) == list(range(20))


def test_each_class_is_cut_alike():
    labels = [number % 3 for number in range(90)] + [3, 4, 4]
    stay, go = held_out_of_each("x", [str(number) for number in range(93)], labels, 0.1)
    assert sorted(stay + go) == list(range(93))
    assert [sum(labels[index] == label for index in go) for label in range(5)] == [3, 3, 3, 0, 1]
