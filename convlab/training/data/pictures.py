"""Pictures: encoded bytes to a uint8 tensor, and tensors to other sizes. Bytes from strangers are decoded within limits."""

from __future__ import annotations

import io
import warnings
from pathlib import PurePath
from typing import TYPE_CHECKING

from convlab.errors import ConvlabError, Problem, quote

if TYPE_CHECKING:
    from PIL.Image import Image as Opened
    from torch import Tensor

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What is decoded; other formats of Pillow's, some of which start programs, are refused."""

MOST_PIXELS = 178_956_970
"""A picture of more is refused unread, as by Pillow: a few bytes can stand for pixels without end."""

TOO_LARGE = f"it has over {MOST_PIXELS:,} pixels"

CHUNK = 1024
"""How many pictures are resized at a time."""

MODES = {1: "L", 3: "RGB"}


def decoded(content: bytes, name: str, *, channels: int = 3) -> Tensor:
    """The picture as uint8, channels (1: grey, 3: RGB) x height x width. Raises ConvlabError for one that cannot be read.

    Grey and palette pictures become RGB; what is transparent becomes white; 16-bit greys keep their upper 8 bits; of an animation
    it is the first frame. The orientation that a camera notes is not looked at, as in torchvision and timm.
    """
    return pixels_of(picture(content, name, channels=channels))


def picture(content: bytes, name: str, *, channels: int = 3) -> Opened:
    """The picture as Pillow's, decoded, by the rules of ``decoded``; worker processes call it, without torch."""
    image = _opened(content, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata
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


def damaged(name: str, error: BaseException | str) -> ConvlabError:
    """The error for a file of a data set that cannot be read."""
    why = error if isinstance(error, str) else str(error) or type(error).__name__
    help = "fetch it again, or take it out of the folder"
    return ConvlabError(
        Problem("damaged-data", f"{quote(PurePath(name).name)} cannot be read: {why}", help=help, path=name)
    )


def _opened(content: bytes, name: str) -> Opened:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # Pillow's own word on large pictures; the limit here is lower than its error's
            image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise damaged(name, f"it is no picture ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise damaged(name, TOO_LARGE) from None
    except (OSError, SyntaxError, ValueError, MemoryError) as error:
        raise damaged(name, error) from None
    if image.width * image.height > MOST_PIXELS:  # where somebody has lifted Pillow's limit
        raise damaged(name, TOO_LARGE)
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
