"""Fashion-MNIST and other sets of IDX files: what is read, how it is split, and what is said of damaged ones."""

import gzip
import struct

import pytest
import torch
from tiny_sets import pixels, write_idx_folder

from convlab.errors import ConvlabError
from convlab.training.data import fashion_mnist, idx
from convlab.training.data.fashion_mnist import STEMS
from convlab.training.data.registry import dataset

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = STEMS


def refused(path, **options):
    with pytest.raises(ConvlabError) as raised:
        dataset(path, **options)
    return raised.value.problems[0]


def test_a_folder_of_four_files(tmp_path):
    images, labels, test_images, test_labels = write_idx_folder(tmp_path / "kuzushiji")
    found = dataset(tmp_path / "kuzushiji")
    assert (found.name, found.classes) == ("kuzushiji", ("0", "1", "2"))
    assert (found.channels, found.height, found.width, found.streams) == (1, 7, 7, False)
    assert [len(split) for split in (found.train, found.validation, found.test)] == [33, 3, 10]
    assert found.train.images.dtype == torch.uint8
    assert found.train.labels.dtype == torch.int64
    assert pixels(found.train) | pixels(found.validation) == {image.tobytes() for image in images}
    assert not pixels(found.train) & pixels(found.validation)
    assert found.test.images[:, 0].numpy().tobytes() == test_images.tobytes()
    assert found.test.labels.tolist() == test_labels.tolist()
    by_pixels = {image.tobytes(): int(label) for image, label in zip(images, labels, strict=True)}
    for split in (found.train, found.validation):
        assert [by_pixels[image.numpy().tobytes()] for image in split.images] == split.labels.tolist()


def test_statistics_are_those_of_the_training_pictures(tmp_path):
    write_idx_folder(tmp_path)
    found = dataset(tmp_path)
    values = found.train.images.double() / 255
    assert found.mean == pytest.approx((values.mean().item(),), rel=1e-12)
    assert found.std == pytest.approx((values.std(correction=0).item(),), rel=1e-12)


def test_packed_and_unpacked_files_are_one_set(tmp_path):
    write_idx_folder(tmp_path / "a" / "set")
    write_idx_folder(tmp_path / "b" / "set", packed=False)
    first, second = dataset(tmp_path / "a" / "set"), dataset(tmp_path / "b" / "set")
    assert first.checksum == second.checksum
    assert torch.equal(first.train.images, second.train.images)
    assert first.source != second.source


def test_one_pixel_changes_the_checksum(tmp_path):
    write_idx_folder(tmp_path, packed=False)
    before = dataset(tmp_path).checksum
    content = bytearray((tmp_path / IMAGES).read_bytes())
    content[-1] ^= 1
    (tmp_path / IMAGES).write_bytes(content)
    assert dataset(tmp_path).checksum != before


def test_another_image_size(tmp_path):
    write_idx_folder(tmp_path, side=8)
    found = dataset(tmp_path, image_size=4)
    assert (found.height, found.width) == (4, 4)
    assert found.test.images.shape == (10, 1, 4, 4)
    # An antialiased half is close to the mean of each four pixels; a half that skips pixels is not.
    blocks = dataset(tmp_path).test.images.double().unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))
    skipped = dataset(tmp_path).test.images.double()[..., ::2, ::2]
    error = (found.test.images.double() - blocks).abs().mean()
    assert error < (skipped - blocks).abs().mean() / 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content[:3], "cut off"),
        (lambda content: content[:-5], "cut off: 1,759 of 1,764 bytes"),
        (lambda content: content + b"x", "more than the 1,764 bytes"),
        (lambda content: b"\x00\x00\x0d\x03" + content[4:], "no IDX file"),
        (lambda content: content[:4] + struct.pack(">3I", 2**31, 2**31, 7), "over the limit"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_damaged_files(tmp_path, change, words, packed):
    write_idx_folder(tmp_path, packed=False)
    content = change((tmp_path / IMAGES).read_bytes())
    (tmp_path / IMAGES).unlink()
    (tmp_path / f"{IMAGES}{'.gz' * packed}").write_bytes(gzip.compress(content) if packed else content)
    problem = refused(tmp_path)
    assert problem.code == "damaged-data"
    assert words in problem.message
    assert IMAGES in problem.message


@pytest.mark.parametrize(
    "change",
    [lambda content: content[:-20], lambda content: b"no gzip", lambda content: content[:40] + b"#" + content[41:]],
)
def test_damaged_archives(tmp_path, change):
    write_idx_folder(tmp_path)
    path = tmp_path / f"{IMAGES}.gz"
    path.write_bytes(change(path.read_bytes()))
    assert refused(tmp_path).code == "damaged-data"


def test_a_small_file_does_not_unpack_to_a_huge_one(tmp_path, monkeypatch):
    """Only what the head promises is unpacked, and the head may not promise too much."""
    write_idx_folder(tmp_path)
    head = b"\x00\x00\x08\x03" + struct.pack(">3I", 36, 7, 7)
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(head + bytes(50_000_000)))
    problem = refused(tmp_path)
    assert "more than the 1,764 bytes" in problem.message
    monkeypatch.setattr(idx, "MOST_BYTES", 1000)
    assert "over the limit of 1,000" in refused(tmp_path).message


def test_labels_that_do_not_fit(tmp_path):
    write_idx_folder(tmp_path / "set")
    write_idx_folder(tmp_path / "other", train=5)
    labels = f"{LABELS}.gz"
    (tmp_path / "other" / labels).replace(tmp_path / "set" / labels)
    assert "5 labels for 36 pictures" in refused(tmp_path / "set").message


def test_pictures_of_two_sizes(tmp_path):
    write_idx_folder(tmp_path / "set")
    write_idx_folder(tmp_path / "other", side=9)
    images = f"{TEST_IMAGES}.gz"
    (tmp_path / "other" / images).replace(tmp_path / "set" / images)
    assert "another size" in refused(tmp_path / "set").message


def test_one_class_is_not_enough(tmp_path):
    write_idx_folder(tmp_path, classes=1)
    problem = refused(tmp_path)
    assert problem.code == "unfit-data"
    assert "1 class" in problem.message


def test_by_its_name_only_the_published_files_are_taken(own_folders):
    place = own_folders / "data" / "convlab" / "data" / "fashion_mnist"
    write_idx_folder(place)
    problem = refused("fashion_mnist")
    assert problem.code == "damaged-data"
    assert str(place) in problem.message
    assert "convlab data get fashion_mnist" in problem.help
    assert len(dataset(place).train) == 33


def test_torchvision_keeps_it_elsewhere(own_folders, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLAB_DATA_FOLDER", str(tmp_path))
    write_idx_folder(tmp_path / "FashionMNIST" / "raw", packed=False)
    assert fashion_mnist.folder() == tmp_path / "FashionMNIST" / "raw"


@pytest.mark.skipif(not fashion_mnist.DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_published_set():
    found = dataset("Fashion-MNIST")
    assert [len(split) for split in (found.train, found.validation, found.test)] == [55_000, 5_000, 10_000]
    assert (found.channels, found.height, found.width, len(found.classes)) == (1, 28, 28, 10)
    assert found.test.labels.bincount().tolist() == [1_000] * 10
    assert found.test.labels[:5].tolist() == [9, 2, 1, 1, 6]  # an ankle boot, a pullover, two trousers, a shirt
    assert found.mean == pytest.approx((0.2860,), abs=2e-4)
    assert found.std == pytest.approx((0.3530,), abs=2e-4)
