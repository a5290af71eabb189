"""Drawing members of a space at random: from a hash of the seed, so that the same seed gives the same members on any machine."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import shake_256
from itertools import count, islice

SMALL = 100_000
"""Up to this size the members are put into a random order as a whole; above it they are drawn one by one."""

PIECES = 128
"""How many numbers come from one hash."""


def draw(size: int, seed: int) -> Iterator[int]:
    """All indices below ``size``, each once, every order of them equally likely."""
    if size <= SMALL:
        keys = list(islice(_pieces(seed, 16), size))
        yield from sorted(range(size), key=keys.__getitem__)
        return
    length = (size.bit_length() + 7) // 8
    shift = 8 * length - size.bit_length()
    seen: set[int] = set()
    for piece in _pieces(seed, length):
        index = int.from_bytes(piece) >> shift
        if index < size and index not in seen:
            seen.add(index)
            yield index
            if len(seen) == size:
                return


def _pieces(seed: int, length: int) -> Iterator[bytes]:
    """Random bytes that depend on the seed only, ``length`` at a time, without end."""
    for counter in count():
        block = shake_256(b"%d %d" % (seed, counter)).digest(PIECES * length)
        for start in range(0, len(block), length):
            yield block[start : start + length]
