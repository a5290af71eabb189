"""A data set read for a command, its progress on stderr where that takes a while."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from convlab.cli.live import watched
from convlab.training.data.registry import reading

if TYPE_CHECKING:
    from convlab.cli.output import Output
    from convlab.training.data.datasets import Dataset


def read_set(output: Output, name: str, *, image_size: int = 0) -> Dataset:
    """The data set of a name or a path. Raises ConvlabError where it is missing or damaged."""
    # Of odd metadata; a library cannot silence it, since its threads share the filters of the process, which is ours here.
    warnings.filterwarnings("ignore", module="PIL")
    return watched(output, reading(name, image_size=image_size))
