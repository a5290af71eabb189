"""Where the pixels of training batches come from: what a set that lies on the device and one that is prepared by workers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Source(ABC):
    """Images of the training split, cut, moved and mirrored as the recipe says."""

    @abstractmethod
    def training(self, step: int, start: int, stop: int) -> Tensor:
        """Those of a step's batch from one place in it to before another: uint8, N x H x W x C, on the device."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what was prepared ahead; what is asked for afterwards is prepared anew."""
