"""Drawing members of a space at random: a counter-based hash, so that the same seed gives the same members on any machine."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

SMALL = 100_000
"""Up to this size the members are put into a random order as a whole; above it they are drawn one by one."""


def draw(size: int, seed: int) -> Iterator[int]:
    """Indices below ``size``, each at most once, every order of them equally likely; all of them in the end where ``size`` is small."""
    if size <= SMALL:
        yield from sorted(range(size), key=lambda index: (_hashed(seed, index, 16), index))
        return
    seen: set[int] = set()
    length = (size.bit_length() + 7) // 8
    shift = 8 * length - size.bit_length()
    counter = 0
    while True:
        index = int.from_bytes(_hashed(seed, counter, length)) >> shift
        counter += 1
        if index < size and index not in seen:
            seen.add(index)
            yield index


def _hashed(seed: int, counter: int, length: int) -> bytes:
    """``length`` bytes that depend on seed and counter only."""
    message = b"%d %d" % (seed, counter)
    found = blake2b(message, digest_size=min(length, 64)).digest()
    block = 1
    while len(found) < length:
        found += blake2b(b"%s %d" % (message, block), digest_size=64).digest()
        block += 1
    return found[:length]
