"""Data sets: what one is, with its splits, classes, statistics and checksum, in memory or in files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from torch import Tensor

    from convlab.progress import Work


class Contents(ABC):
    """Encoded pictures (PNG, JPEG, ...) in files, read one by one; it pickles, so that worker processes can read too."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, index: int) -> bytes:
        """The encoded picture. Raises ConvlabError where it cannot be read."""

    @abstractmethod
    def name(self, index: int) -> str:
        """What messages call the picture."""

    @abstractmethod
    def listing(self) -> Iterator[str]:
        """The names of the pictures, or of the files that hold them, and their bytes: the same on every machine."""

    @abstractmethod
    def stamps(self) -> Iterator[str]:
        """When those files were changed, in the same order: who changes one changes its stamp."""

    @abstractmethod
    def in_any_order(self) -> Work[Contents]:
        """The same pictures in a form that is quick to read in any order, made once and kept where this form is not."""


@final
@dataclass(frozen=True, eq=False)
class Files:
    """Pictures that stay on the disk until they are asked for, each of its own size."""

    contents: Contents
    channels: int = 3

    def __len__(self) -> int:
        return len(self.contents)

    def picture(self, index: int) -> Tensor:
        """The decoded picture: uint8, channels x height x width, of its own size. Raises ConvlabError for a damaged one."""
        from convlab.training.data.pictures import decoded

        return decoded(self.contents.read(index), self.contents.name(index), channels=self.channels)


@final
@dataclass(frozen=True, eq=False)
class Split:
    """Pictures and their labels.

    ``images`` is one uint8 tensor, N x C x H x W, in main memory, or ``Files`` where that would be too large;
    ``labels`` int64, N; ``cues`` say of each image which cue it asks for (bool, N), {} where the set has none.
    """

    images: Tensor | Files
    labels: Tensor
    cues: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)


@final
@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set: selection looks at ``validation``; ``test`` is looked at once, when all is decided.

    ``mean`` and ``std`` are of the training pictures, one value a channel, on the scale 0..1; ``checksum`` is the SHA-256 of what was
    read; ``source`` the place, or "generated"; ``note`` what a reader should know, such as why ``auto`` chose this set.
    """

    name: str
    classes: tuple[str, ...]
    channels: int
    height: int
    width: int
    train: Split
    validation: Split
    test: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    checksum: str
    source: str
    note: str = ""

    @property
    def streams(self) -> bool:
        """Whether pictures are read from the disk as training goes on."""
        return isinstance(self.train.images, Files)
