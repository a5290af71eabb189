"""What a file of ours says of itself: the design that it is or whose weights it holds, whose names they carry, and who wrote it."""

from __future__ import annotations

from convlab import __version__
from convlab.language.design import Design
from convlab.language.writing import text_in_full
from convlab.weights import FOLDED


def provenance(design: Design, layout: str = "convlab", folded: bool = False) -> dict[str, str]:
    """Texts by key, the same for every format that has room for them; ``folded`` weights are not those that the design names."""
    about = {
        "convlab_design": text_in_full(design),
        "convlab_key": design.key,
        "convlab_layout": layout,
        "convlab_name": design.name,
        "convlab_version": __version__,
    }
    return about | {FOLDED: "true"} if folded else about
