"""TOML: the design itself, with every knob that its kinds use, or as what differs from a base."""

from __future__ import annotations

from convlab.exports.origin import Origin, Steps, Written
from convlab.exports.targets import Target
from convlab.language.files import save, write_whole
from convlab.language.writing import text_in_full


def write(origin: Origin, target: Target) -> Steps:
    """Save the design; ``convlab.load`` reads it."""
    target.refuse_occupied_file()
    yield "writing"
    if origin.base:
        save(origin.design, target.path, base=origin.base, force=True)  # the target has looked
    else:
        write_whole(target.path, text_in_full(origin.design).encode())
    return Written((target.path,))
