"""The digits of scikit-learn (Alpaydin and Kaynak, 1998, UCI): 1,797 pictures of 8 x 8 px, a smoke test that takes seconds.

Nobody publishes a split: 360 pictures are cut out for testing, then 180 for validation, both by a hash of their index.
"""

from __future__ import annotations

from importlib.util import find_spec

from convlab.training.data.datasets import Dataset
from convlab.training.data.registry import registered

NAME = "digits"
TEST, VALIDATION = 360, 180
WHITE = 16
"""The largest value of a pixel."""


def where() -> str:
    """The package that brings the set, "" where it is not installed."""
    return "scikit-learn" if find_spec("sklearn") is not None else ""


@registered(
    NAME,
    "handwritten digits: 1,797 grey pictures of 8 x 8 px, 10 classes",
    where=where,
    licence="CC BY 4.0",
    remedy="pip install 'convlab[digits]', which brings scikit-learn",
)
def load(image_size: int = 0) -> Dataset:
    """The digits."""
    import numpy
    import torch
    from sklearn.datasets import load_digits

    from convlab.training.data.assembling import Origin, Pile, assembled, sha256_of, with_validation
    from convlab.training.data.splitting import TEST as INTO_TEST
    from convlab.training.data.splitting import held_out

    found = load_digits()
    pixels = numpy.rint(found.images * (255 / WHITE)).astype(numpy.uint8)
    labels = found.target.astype(numpy.int64)
    together = Pile(torch.from_numpy(pixels)[:, None], torch.from_numpy(labels))
    stay, test = held_out(NAME, len(labels), TEST, into=INTO_TEST)
    train, validation = with_validation(NAME, together.chosen(stay), VALIDATION)
    origin = Origin(NAME, "scikit-learn", sha256_of((pixels.tobytes(), labels.tobytes())))
    return assembled(
        origin, tuple(map(str, range(10))), (train, validation, together.chosen(test)), image_size=image_size
    )
