"""How figures are written for people: counts, bytes and ratios with three or four significant digits and a unit."""

from __future__ import annotations

_DECIMAL = ((10**12, " T"), (10**9, " G"), (10**6, " M"), (10**3, " k"))
_BINARY = ((2**40, " TiB"), (2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"))


def _significant(value: float) -> str:
    return f"{value:#.4g}".rstrip(".") if value < 1000 else f"{value:,.0f}"


def count(number: int | float) -> str:
    """A count with a decimal prefix: 28589128 -> '28.59 M'."""
    for size, suffix in _DECIMAL:
        if number >= size:
            return _significant(number / size) + suffix
    return f"{number:g}"


def size(number: int | float) -> str:
    """A size in bytes with a binary prefix: 1536 -> '1.5 KiB'."""
    for step, suffix in _BINARY:
        if number >= step:
            return _significant(number / step) + suffix
    return f"{number:g} B"


def percent(ratio: float) -> str:
    """A relative change with its sign: 0.031 -> '+3.1 %'."""
    return f"{100 * ratio:+.1f} %"
