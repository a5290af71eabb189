"""Pictures: encoded bytes to a uint8 tensor, and tensors to other sizes. Bytes from strangers are decoded within limits."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, final

from convlab.errors import ConvlabError, Problem, quote

if TYPE_CHECKING:
    from PIL.Image import Image as Opened
    from torch import Tensor

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What is decoded; other formats of Pillow's, some of which start programs, are refused."""

MOST_PIXELS = 178_956_970
"""A picture of more is refused unread, as by Pillow: a few bytes can stand for pixels without end."""

TOO_LARGE = f"it has over {MOST_PIXELS:,} pixels"
SMALLER = "make it smaller, or take it out of the folder"

MOST_AT_ONCE = 2**26
"""Pixels of the pictures that threads decode at the same time; each takes up to 15 bytes while a picture is put on white."""

CHUNK = 1024
"""How many pictures are resized at a time."""

MODES = {1: "L", 3: "RGB"}


@final
class Room:
    """Room for so many pixels, which threads take in turn; who asks for more than all of it gets all of it."""

    def __init__(self, most: int) -> None:
        self._most = self._free = most
        self._freed = threading.Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Take room, when there is some, for as long as the block lasts."""
        share = min(pixels, self._most)
        with self._freed:
            self._freed.wait_for(lambda: self._free >= share)
            self._free -= share
        try:
            yield
        finally:
            with self._freed:
                self._free += share
                self._freed.notify_all()


_ROOM = Room(MOST_AT_ONCE)


def decoded(content: bytes, name: str, *, channels: int = 3) -> Tensor:
    """The picture as uint8, channels (1: grey, 3: RGB) x height x width. Raises ConvlabError for one that cannot be read.

    Grey and palette pictures become RGB; what is transparent becomes white; 16-bit greys keep their upper 8 bits; of an animation
    it is the first frame. The orientation that a camera notes is not looked at, as in torchvision and timm.
    """
    return pixels_of(picture(content, name, channels=channels))


def picture(content: bytes, name: str, *, channels: int = 3) -> Opened:
    """The picture as Pillow's, decoded, by the rules of ``decoded``; worker processes call it, without torch.

    What Pillow warns of, such as odd metadata, is left to whoever owns the process: threads cannot silence it for themselves.
    """
    return _converted(_opened(content, name), name, channels)


def fitted_pixels(content: bytes, name: str, size: tuple[int, int], *, channels: int = 3) -> Tensor:
    """The picture made to fill height x width, as ``fitted`` does: uint8, channels x height x width. Raises ConvlabError.

    Many threads may call it: together they decode at most ``MOST_AT_ONCE`` pixels, or one picture of more.
    """
    image = _opened(content, name)
    with _ROOM.taken(image.width * image.height):
        return pixels_of(fitted(_converted(image, name, channels), *size))


def _converted(image: Opened, name: str, channels: int) -> Opened:
    try:
        return _opaque(image).convert(MODES[channels])
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, IndexError, TypeError) as error:
        raise damaged(name, error) from None


def size_of(content: bytes, name: str) -> tuple[int, int]:
    """Height and width from the picture's head, without decoding it. Raises ConvlabError for one that cannot be read."""
    image = _opened(content, name)
    return image.height, image.width


def resized(images: Tensor, height: int, width: int) -> Tensor:
    """The pictures (uint8, N x C x H x W) in another size, antialiased; as they are where they have it."""
    import torch
    from torch.nn import functional as F

    if tuple(images.shape[2:]) == (height, width) or not len(images):
        return images.contiguous() if len(images) else images.new_empty((0, images.shape[1], height, width))
    result = images.new_empty((len(images), images.shape[1], height, width))
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK].float()
        smooth = F.interpolate(chunk, (height, width), mode="bicubic", antialias=True, align_corners=False)
        result[start : start + CHUNK] = smooth.round_().clamp_(0, 255).to(torch.uint8)
    return result


def fitted(picture: Opened, height: int, width: int) -> Opened:
    """A picture made to fill height x width: resized in proportion, antialiased, and cut at the middle."""
    from PIL.Image import Resampling

    scale = max(height / picture.height, width / picture.width)
    tall, wide = max(round(picture.height * scale), height), max(round(picture.width * scale), width)
    top, left = (tall - height) // 2, (wide - width) // 2
    # A huge picture is first reduced by whole numbers, which is as good and takes a tenth of the time.
    large = (
        picture if (wide, tall) == picture.size else picture.resize((wide, tall), Resampling.BICUBIC, reducing_gap=3.0)
    )
    return large.crop((left, top, left + width, top + height))


def pixels_of(picture: Opened) -> Tensor:
    """The pixels of a grey or RGB picture: uint8, channels x height x width."""
    import torch

    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return pixels.view(picture.height, picture.width, -1).permute(2, 0, 1).contiguous()


def damaged(
    name: str, error: BaseException | str, *, help: str = "fetch it again, or take it out of the folder"
) -> ConvlabError:
    """The error for a file of a data set that cannot be read."""
    why = error if isinstance(error, str) else str(error) or type(error).__name__
    return ConvlabError(
        Problem("damaged-data", f"{quote(PurePath(name).name)} cannot be read: {why}", help=help, path=name),
        exit_code=2,
    )


def _opened(content: bytes, name: str) -> Opened:
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise damaged(name, f"it is no picture ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise damaged(name, TOO_LARGE, help=SMALLER) from None
    except (OSError, SyntaxError, ValueError, MemoryError) as error:
        raise damaged(name, error) from None
    if image.width * image.height > MOST_PIXELS:  # where somebody has lifted Pillow's limit
        raise damaged(name, TOO_LARGE, help=SMALLER)
    return image


def _opaque(image: Opened) -> Opened:
    """The picture on white where it is transparent, and with 8 bits a channel."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode == "I":
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return image
