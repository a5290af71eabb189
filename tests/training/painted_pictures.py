"""Encoded pictures for tests of worker processes. Without torch, which takes a process seconds to import."""

import io
import os
import time
from dataclasses import dataclass
from typing import final

import numpy as np
from PIL import Image

from convlab.training.data.datasets import Contents


@final
@dataclass(frozen=True, eq=False)
class Painted(Contents):
    """PNG pictures of noise, each of another size, made when they are read.

    ``broken`` is none, ``deadly`` ends the process, ``slow`` takes a minute.
    """

    count: int
    broken: int = -1
    deadly: int = -1
    slow: int = -1

    def __len__(self):
        return self.count

    def name(self, index):
        return f"folder/{index}.png"

    def read(self, index):
        if index == self.deadly:
            os.abort()
        if index == self.slow:
            time.sleep(60)
        if index == self.broken:
            return b"not a picture"
        kept = io.BytesIO()
        painted(index).save(kept, "png")
        return kept.getvalue()

    def listing(self):
        return map(self.name, range(self.count))

    def stamps(self):
        return map(str, range(self.count))

    def in_any_order(self):
        yield from ()
        return self


def painted(index):
    """The picture of a number: smooth enough that resizing it means something."""
    height, width = 20 + index % 5, 20 + index % 7
    coarse = np.random.RandomState(index).randint(0, 256, (5, 5, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)
