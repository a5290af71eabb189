"""Pickles of arrays and plain containers, read without running anything that they bring along: even NumPy's parts are stand-ins."""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from convlab.training.data.pictures import damaged

if TYPE_CHECKING:
    from torch import Tensor

MOST_BYTES = 2**30
MOST_STEPS = 10_000_000
"""Instructions of a pickle: every one may make an object many times its size. Those of CIFAR have some hundred thousand."""

BYTES = ("u1", "|u1", b"u1", b"|u1")


@final
class Element:
    """Stands for numpy.dtype: remembers the name of the type."""

    def __init__(self, name: object = "", *_: object):
        self.name = name

    def __setstate__(self, state: object) -> None:
        """Byte order and alignment, which bytes do not have."""


@final
class Bytes:
    """Stands for numpy.ndarray: remembers the shape and the bytes."""

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.content = b""

    def __setstate__(self, state: Any) -> None:
        _, shape, element, by_columns, content = state
        if (
            not isinstance(element, Element)
            or element.name not in BYTES
            or by_columns
            or not isinstance(content, bytes)
            or not all(isinstance(size, int) and 0 <= size <= MOST_BYTES for size in shape)
        ):
            raise pickle.UnpicklingError("it holds an array of other things than bytes")
        self.shape, self.content = tuple(shape), content

    def tensor(self) -> Tensor:
        """The array as a uint8 tensor. Raises ValueError where its shape and its bytes do not fit."""
        import torch

        length = 1
        for size in self.shape:
            length *= size
        if length != len(self.content) or min(self.shape, default=0) <= 0:
            raise ValueError("an array's shape does not fit its bytes")
        return torch.frombuffer(bytearray(self.content), dtype=torch.uint8).view(self.shape)


def load(content: bytes, name: str) -> Any:
    """What the pickle holds: dicts, lists, numbers, bytes, and ``Bytes`` for arrays. Raises ConvlabError for all others.

    Text of Python 2 comes as bytes.
    """
    if len(content) > MOST_BYTES:
        raise damaged(name, f"it is over {MOST_BYTES:,} bytes")
    try:
        _refuse_endless(content)
        return _Reader(io.BytesIO(content), encoding="bytes").load()
    # A damaged pickle may ask for anything, and the unpickler says so with as many exceptions.
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        MemoryError,
        RecursionError,
        struct.error,
    ) as error:
        raise damaged(name, error) from None


def read(path: Path) -> bytes:
    """The bytes of a file of a data set. Raises ConvlabError where it cannot be read or is far too large."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise damaged(str(path), f"it is over {MOST_BYTES:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise damaged(str(path), error.strerror or error) from None


def _refuse_endless(content: bytes) -> None:
    """Refuse a pickle that would fill memory: with very many objects, or with a list of remembered ones that is longer than itself."""
    for step, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if step == MOST_STEPS:
            raise pickle.UnpicklingError(f"it has over {MOST_STEPS:,} instructions")
        if "PUT" in opcode.name and argument is not None and int(argument) > len(content):
            raise pickle.UnpicklingError("it remembers more than it can hold")


@final
class Reconstruct:
    """Stands for the function that NumPy makes empty arrays with. It is no function: of one a pickle could change the attributes."""

    __slots__ = ()

    def __call__(self, kind: object, *_: object) -> Bytes:
        if kind is not Bytes:
            raise pickle.UnpicklingError("it holds an array of an unknown kind")
        return Bytes()


@final
class Encode:
    """Stands for codecs.encode, with which Python 3 writes bytes into pickles for Python 2."""

    __slots__ = ()

    def __call__(self, text: object, encoding: object) -> bytes:
        if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
            raise pickle.UnpicklingError("it holds text in an unknown encoding")
        return text.encode("latin1")


STAND_INS: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): Reconstruct(),
    ("numpy._core.multiarray", "_reconstruct"): Reconstruct(),
    ("numpy", "ndarray"): Bytes,
    ("numpy", "dtype"): Element,
    ("_codecs", "encode"): Encode(),
}
"""All that a pickle may name, and what it gets."""


@final
class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}, and a data set's files hold arrays only") from None
