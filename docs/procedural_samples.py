"""Draws docs/images/procedural.jpg: a column a class, the first validation images. Run: python docs/procedural_samples.py"""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision.io import write_jpeg
from torchvision.utils import make_grid

from convlab.training.data.procedural import CLASSES, draw

PICTURE = Path(__file__).parent / "images" / "procedural.jpg"
ROWS = 6


def main() -> None:
    """Draw the picture."""
    images = torch.from_numpy(draw("validation", range(ROWS * len(CLASSES))))
    PICTURE.parent.mkdir(exist_ok=True)
    write_jpeg(make_grid(images, nrow=len(CLASSES), padding=2, pad_value=255), str(PICTURE), quality=80)


if __name__ == "__main__":
    main()
