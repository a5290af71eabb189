"""What an exported file says of itself: the design it is, as TOML and as a key, and who wrote it."""

from __future__ import annotations

from convlab import __version__
from convlab.language.design import Design
from convlab.language.writing import text_in_full

LAYOUT = "convlab"
"""The weights of an export carry the names of the layer tree."""


def metadata(design: Design) -> dict[str, str]:
    """Texts by key, the same for every format that has room for them."""
    return {
        "convlab_design": text_in_full(design),
        "convlab_key": design.key,
        "convlab_layout": LAYOUT,
        "convlab_name": design.name,
        "convlab_version": __version__,
    }
