"""Workers that prepare pictures: processes, and threads that hear them. Images come straight into the tensor of their batch."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, final

import torch

from convlab.training.batches.preparation import Pictures, Preparation, channels_of
from convlab.training.batches.processes import Process
from convlab.training.batches.serving import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_WORKERS: Final = 16
LARGEST_CHUNK: Final = 32
"""Images that one worker prepares in a row."""


@final
@dataclass(frozen=True, eq=False, slots=True)
class Filling:
    """A batch that is being prepared."""

    pixels: torch.Tensor
    chunks: Sequence[Future[None]]

    def result(self) -> torch.Tensor:
        """Its pixels (uint8, N x H x W x C), when all are there. Raises ConvlabError for a picture that cannot be read."""
        for chunk in self.chunks:
            chunk.result()
        return self.pixels

    def cancel(self) -> None:
        """Leave what is not begun."""
        for chunk in self.chunks:
            chunk.cancel()


def usual_workers() -> int:
    """As many workers as this process may use processors, shared with the other processes of a distributed training on this machine."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(MOST_WORKERS, processors // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))


@final
class Workers:
    """``count`` processes that prepare pictures alike, started when they are first needed; 0: this process does it, when it is asked."""

    def __init__(self, preparation: Preparation, count: int, *, pinned: bool = False) -> None:
        self.count = count
        self._preparation, self._pinned = preparation, pinned
        self._numbers: dict[int, tuple[int, Pictures]] = {}
        self._end: Callable[[], object] | None = None

    def chunks(self, images: int) -> int:
        """Into how many pieces of work a batch is cut."""
        return -(-images // self._chunk(images))

    def fill(self, pictures: Pictures, epoch: int, images: NDArray[np.int64]) -> Filling:
        """A batch of these images, whose preparation begins as soon as a worker has time."""
        shape = (len(images), self._preparation.height, self._preparation.width, channels_of(pictures))
        pixels = torch.empty(shape, dtype=torch.uint8, pin_memory=self._pinned)
        size = self._chunk(len(images))
        starts = range(0, len(images), size)
        return Filling(
            pixels, [self._submit(pictures, epoch, images[at : at + size], pixels[at : at + size]) for at in starts]
        )

    def close(self) -> None:
        """End the processes, without waiting for what they do; they start again when they are needed again."""
        if self._end is not None:
            self._end()
            self._end = None

    def _chunk(self, images: int) -> int:
        return max(1, min(LARGEST_CHUNK, -(-images // self.count))) if self.count else max(1, images)

    def _submit(self, pictures: Pictures, epoch: int, images: NDArray[np.int64], out: torch.Tensor) -> Future[None]:
        if not self.count:
            return _at_once(self._preparation, pictures, epoch, images, out)
        if self._end is None:
            self._start()
        # The pictures are kept, so that no others can come to have their id.
        number, _ = self._numbers.setdefault(id(pictures), (len(self._numbers), pictures))
        return self._threads.submit(_heard, self._idle, pictures, Task(number, None, epoch, images), out)

    def _start(self) -> None:
        processes = [Process(self._preparation) for _ in range(self.count)]
        self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="convlab-pictures")
        self._idle: SimpleQueue[Process] = SimpleQueue()
        for process in processes:
            self._idle.put(process)
        self._end = weakref.finalize(self, _ended, self._threads, processes)


def _at_once(
    preparation: Preparation, pictures: Pictures, epoch: int, images: NDArray[np.int64], out: torch.Tensor
) -> Future[None]:
    for place, image in enumerate(images.tolist()):
        out[place] = torch.from_numpy(preparation.prepared(pictures, epoch, image).copy())
    done: Future[None] = Future()
    done.set_result(None)
    return done


def _heard(idle: SimpleQueue[Process], pictures: Pictures, task: Task, out: torch.Tensor) -> None:
    """Have an idle process do the task. There are as many of them as threads, so one is always there."""
    process = idle.get()
    try:
        process.prepare(pictures, task, out)
    finally:
        idle.put(process)


def _ended(threads: ThreadPoolExecutor, processes: Sequence[Process]) -> None:
    threads.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    # A thread whose process is gone reads the end of its output at once.
    threads.shutdown(wait=True)
    for process in processes:
        process.close()
