"""Pictures one by one: every kind becomes RGB, damaged ones are told, and what they may take of memory."""

import threading
import time
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_sets import encoded, picture, rng, write_classes

from convlab.errors import ConvlabError
from convlab.training.data import gallery, pictures
from convlab.training.data.registry import dataset

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


@pytest.mark.filterwarnings("ignore")  # Pillow's, which are left to whoever owns the process
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
    assert "make it smaller" in problem.help


def test_the_limit_holds_where_that_of_pillow_is_lifted(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 100)
    problems = refused(one_picture(tmp_path, encoded(picture(0, (9, 9), "L"))), image_size=8)
    assert len(problems) == gallery.MOST_PROBLEMS, "all but that of 9 x 9 have over 100 pixels"
    assert all(problem.message.endswith("pixels") for problem in problems)


def test_threads_decode_so_many_pixels_at_a_time_and_no_more():
    room, inside, seen, lock = pictures.Room(100), [], [], threading.Lock()

    def decode(pixels):
        with room.taken(pixels):
            with lock:
                inside.append(pixels)
                seen.append(list(inside))
            time.sleep(0.002)
            with lock:
                inside.remove(pixels)

    threads = [threading.Thread(target=decode, args=(pixels,)) for pixels in (30, 200, 40, 60, 50, 99, 1, 300) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 16
    assert all(sum(pixels) <= 100 or len(pixels) == 1 for pixels in seen)
    assert any(len(pixels) > 1 for pixels in seen)


def test_decoding_leaves_the_filters_of_warnings_alone(tmp_path, monkeypatch):
    """They are those of the whole process, and other threads are at work."""
    monkeypatch.setattr(warnings, "catch_warnings", None)  # whoever asked for it would fail
    before = list(warnings.filters)
    write_classes(tmp_path, COUNTS)
    dataset(tmp_path)
    assert warnings.filters == before
