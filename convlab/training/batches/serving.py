"""A worker process: it prepares the pictures that it is asked for, one after the other, until its input ends.

Every answer is a byte, then the image's pixels or, after ``REFUSED``, a pickled exception. A process that dies in the middle of a picture
has thus said by how many images it sent which one it was.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from convlab.errors import ConvlabError
from convlab.training.batches.preparation import Pictures, Preparation, name_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

READY: Final = b"R"
PREPARED: Final = b"P"
REFUSED: Final = b"E"


class Task(NamedTuple):
    """Images of a split to prepare for an epoch; ``pictures`` come along where the process does not know them yet."""

    number: int
    pictures: Pictures | None
    epoch: int
    images: NDArray[np.int64]


def main() -> None:
    """Serve on standard input and output; what libraries print goes to standard error."""
    warnings.simplefilter("ignore")  # Pillow's, of odd metadata
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(sys.stdin.buffer, answers)
    except BrokenPipeError:
        os._exit(0)  # whoever asked is gone, and nobody is left to flush to


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer tasks until there are no more."""
    preparation: Preparation = pickle.load(questions)
    known: dict[int, Pictures] = {}
    answers.write(READY)
    answers.flush()
    while True:
        try:
            task: Task = pickle.load(questions)
        except EOFError:
            return
        if task.pictures is not None:
            known[task.number] = task.pictures
        _answer(preparation, known[task.number], task, answers)


def _answer(preparation: Preparation, pictures: Pictures, task: Task, answers: BinaryIO) -> None:
    for image in task.images.tolist():
        try:
            pixels = preparation.prepared(pictures, task.epoch, image).tobytes()
        except Exception as error:
            if not isinstance(error, ConvlabError):
                error = RuntimeError(f"{name_of(pictures, image)}: {traceback.format_exc()}")
            answers.write(REFUSED + pickle.dumps(error))
            answers.flush()
            return
        answers.write(PREPARED)
        answers.write(pixels)
        answers.flush()


if __name__ == "__main__":
    main()
