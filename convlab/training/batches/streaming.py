"""Sets that are read from the disk, or whose pictures Pillow has to change: workers prepare the batches that come next."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

import numpy as np

from convlab.training.batches.placing import placed
from convlab.training.batches.preparation import JUDGED, Pictures
from convlab.training.batches.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Tensor

    from convlab.training.batches.order import Order
    from convlab.training.batches.workers import Filling, Workers


@final
class Stream(Source):
    """The part ``span`` of each batch of ``order``, prepared ahead up to before the step ``end``.

    A step that does not follow is no error: what was prepared ahead is dropped, and its images are the same.
    """

    def __init__(
        self,
        pictures: Pictures,
        order: Order,
        workers: Workers,
        *,
        span: tuple[int, int],
        end: int,
        device: torch.device,
    ) -> None:
        self._pictures, self._order, self._workers = pictures, order, workers
        self._span, self._end, self._device = span, end, device
        self._ahead: dict[int, Filling] = {}

    def training(self, step: int, start: int, stop: int) -> Tensor:
        first = self._span[0]
        return placed(self._filling(step).result()[start - first : stop - first], self._device)

    def close(self) -> None:
        for filling in self._ahead.values():
            filling.cancel()
        self._ahead.clear()

    def _filling(self, step: int) -> Filling:
        """The step's batch, while those after it are begun as well. The step's own is kept until another is asked for."""
        steps = range(step, min(max(self._end, step + 1), step + 1 + steps_ahead(self._workers, self._span)))
        for other in [other for other in self._ahead if other not in steps]:
            self._ahead.pop(other).cancel()
        for other in steps:
            if other not in self._ahead:
                images = self._order.images(other)[slice(*self._span)]
                self._ahead[other] = self._workers.fill(self._pictures, self._order.epoch(other), images)
        return self._ahead[step]


def judged(pictures: Pictures, workers: Workers, *, size: int, device: torch.device) -> Iterator[Tensor]:
    """All pictures in their order, ``size`` at a time, as they are judged: uint8, N x H x W x C, on the device."""
    starts = iter(range(0, len(pictures), size))
    ahead = 1 + steps_ahead(workers, (0, size))
    begun: deque[Filling] = deque()
    try:
        while True:
            for start in starts:
                images = np.arange(start, min(start + size, len(pictures)))
                begun.append(workers.fill(pictures, JUDGED, images))
                if len(begun) == ahead:
                    break
            if not begun:
                return
            yield placed(begun.popleft().result(), device)
    finally:
        for filling in begun:
            filling.cancel()


def steps_ahead(workers: Workers, span: tuple[int, int]) -> int:
    """How many batches to begin before they are needed, so that every worker has the next piece of work waiting."""
    return -(-2 * workers.count // workers.chunks(span[1] - span[0]))
