"""Python: the network as one readable file of torch modules, which runs without convlab."""

from __future__ import annotations

from convlab.exports.origin import Origin, Steps, Written
from convlab.exports.targets import Target
from convlab.language.files import write_whole


def write(origin: Origin, target: Target) -> Steps:
    """Save the source."""
    from convlab.exports.python import python_source

    target.refuse_occupied_file()
    yield "writing"
    write_whole(target.path, python_source(origin.design).encode())
    return Written((target.path,))
