"""Bars of eighth blocks, lying and standing."""

from __future__ import annotations

LYING = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
STANDING = (" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█")


def bar(share: float, width: int) -> str:
    """A share from 0 to 1 as a bar in exactly so many columns; what is more than nothing is seen."""
    share = min(max(share, 0.0), 1.0)
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    full, rest = divmod(eighths, 8)
    return ("█" * full + LYING[rest]).ljust(width)[:width]


def column(share: float, height: int) -> str:
    """A share from 0 to 1 as a column of exactly so many rows, from the top down."""
    eighths = max(round(min(max(share, 0.0), 1.0) * height * 8), 1 if share > 0 else 0)
    full, rest = divmod(eighths, 8)
    top = STANDING[rest] if rest else ""
    return ("█" * full + top)[::-1].rjust(height)[-height:] if height else ""
