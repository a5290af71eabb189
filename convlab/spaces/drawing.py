"""Drawing members of a space at random: from a hash of the seed, so that the same seed gives the same members on any machine."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import shake_256
from itertools import count, islice

SMALL = 100_000
"""Up to this size the members are put into a random order as a whole; above it they are drawn one by one."""

LARGE = 2**27
"""Up to this size every index that was drawn is remembered, a bit each."""

PIECES = 128
"""How many numbers come from one hash."""


def draw(size: int, seed: int) -> Iterator[int]:
    """All indices below ``size``, every order of them equally likely; each once where ``size`` is at most ``LARGE``.

    Above it none is remembered, and one comes again as seldom as random numbers of that size do.
    """
    if size <= SMALL:
        keys = list(islice(_pieces(seed, 16), size))
        yield from sorted(range(size), key=keys.__getitem__)
        return
    length = (size.bit_length() + 7) // 8
    shift = 8 * length - size.bit_length()
    numbers = (int.from_bytes(piece) >> shift for piece in _pieces(seed, length))
    within = (index for index in numbers if index < size)
    yield from within if size > LARGE else _each_once(within, size)


def _each_once(indices: Iterator[int], size: int) -> Iterator[int]:
    """Every index below ``size`` the first time that it comes, until all have come; a bit remembers each."""
    seen = bytearray(size // 8 + 1)
    left = size
    for index in indices:
        place, bit = index >> 3, 1 << (index & 7)
        if not seen[place] & bit:
            seen[place] |= bit
            yield index
            left -= 1
            if not left:
                return


def _pieces(seed: int, length: int) -> Iterator[bytes]:
    """Random bytes that depend on the seed only, ``length`` at a time, without end."""
    for counter in count():
        block = shake_256(b"%d %d" % (seed, counter)).digest(PIECES * length)
        for start in range(0, len(block), length):
            yield block[start : start + length]
