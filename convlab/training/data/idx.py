"""Files of the IDX format, in which MNIST and its kin are published: a head with the sizes, then bytes, often gzipped."""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from convlab.training.data.pictures import damaged

if TYPE_CHECKING:
    from torch import Tensor

UNSIGNED_BYTES = 8
MOST_BYTES = 4 * 2**30
"""A file that says it holds more is refused unread."""


@final
@dataclass(frozen=True, eq=False)
class Array:
    """What a file holds, and the SHA-256 of the file's content as it is without compression."""

    values: Tensor
    sha256: str


def find(folder: Path, stem: str) -> Path | None:
    """The file of this name in a folder, as it is or gzipped."""
    return next((path for path in (folder / stem, folder / f"{stem}.gz") if path.is_file()), None)


def read(path: Path, dimensions: int) -> Array:
    """The uint8 array of a file. Raises ConvlabError where it is cut off, damaged, too long or of another kind."""
    import torch

    try:
        head, body = _content(path, dimensions)
    except (OSError, EOFError, zlib.error, struct.error, MemoryError) as error:  # gzip.BadGzipFile is an OSError
        raise damaged(str(path), error) from None
    sizes = struct.unpack(f">{dimensions}I", head[4:])
    digest = hashlib.sha256(head)
    digest.update(body)
    values = torch.frombuffer(body, dtype=torch.uint8) if body else torch.empty(0, dtype=torch.uint8)
    return Array(values.view(sizes), digest.hexdigest())


def _content(path: Path, dimensions: int) -> tuple[bytes, bytearray]:
    """Head and body, which is read only as far as the head says, so that a small file cannot unpack to a huge one."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        head = file.read(4 + 4 * dimensions)
        if len(head) < 4 + 4 * dimensions:
            raise damaged(str(path), "it is cut off")
        if head[:4] != bytes((0, 0, UNSIGNED_BYTES, dimensions)):
            raise damaged(str(path), f"it is no IDX file of bytes in {dimensions} dimensions")
        length = 1
        for size in struct.unpack(f">{dimensions}I", head[4:]):
            length *= size
        if length > MOST_BYTES:
            raise damaged(str(path), f"it says that it holds {length:,} bytes, over the limit of {MOST_BYTES:,}")
        body = bytearray()
        while len(body) < length and (piece := file.read(min(length - len(body), 2**24))):
            body += piece
        if len(body) < length:
            raise damaged(str(path), f"it is cut off: {len(body):,} of {length:,} bytes")
        if file.read(1):
            raise damaged(str(path), f"it holds more than the {length:,} bytes that its head says")
    return head, body
