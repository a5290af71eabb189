"""What is exported: a design, where its weights come from, and what a format writes of it."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, final

from convlab.language.design import Design

if TYPE_CHECKING:
    from torch import Tensor, nn

    from convlab.models import ConvNet
    from convlab.weights.given import Weights as Given

Weights: TypeAlias = "str | os.PathLike[str] | Mapping[str, Tensor] | nn.Module | None"
"""A file of weights, the name of published ones, a state dict, a model, or none: the initial weights of a seed."""


class Check(NamedTuple):
    """What was read back and compared; ``difference`` is relative to the largest output of a batch, 0 where all bits are equal."""

    what: str
    difference: float
    batch: int | None = None


class Built(NamedTuple):
    """A model to be exported, and the paths of weights that were asked for and not found: they are random."""

    model: ConvNet
    random: tuple[str, ...]


class Written(NamedTuple):
    """The files that an export consists of, the checks that they passed, and the weights that were not found."""

    files: tuple[Path, ...]
    checks: tuple[Check, ...] = ()
    random: tuple[str, ...] = ()


Steps = Generator[str, None, Written]
"""An export under way: it tells what it does next, and ends with what it wrote."""


@final
@dataclass(frozen=True, eq=False)
class Origin:
    """A design and its weights; ``base`` is what a TOML file is to inherit from, ``folded`` takes batch norms into convolutions.

    ``ignore`` are beginnings of paths whose weights stay random.
    """

    design: Design
    weights: Weights = None
    seed: int = 0
    base: str = ""
    folded: bool = False
    ignore: tuple[str, ...] = ()

    def __repr__(self) -> str:
        folded = ", folded" if self.folded else ""
        return f"Origin({self.design.name!r}, weights {self.weights_text}{folded})"

    @property
    def weights_text(self) -> str:
        """Where the weights come from, without the folders of this machine."""
        if self.weights is None:
            return f"random, seed {self.seed}"
        if isinstance(self.weights, Mapping):
            return "given as a state dict"
        if not isinstance(self.weights, str | os.PathLike):
            return "given as a model"
        path = Path(self.weights)
        return path.name if path.exists() else str(path)

    def build(self) -> Built:
        """The evaluated model on the CPU, with the weights. Raises ConvlabError where they cannot be read or do not fit."""
        from convlab.models import build, fold

        model = build(self.design, channels_last=False, seed=self.seed).eval()
        random = () if self.weights is None else _fill(model, self.weights, self.ignore)
        return Built(fold(model) if self.folded else model, random)


def _fill(model: ConvNet, weights: Given, ignore: tuple[str, ...]) -> tuple[str, ...]:
    """Put weights into a model; the paths of those that stay as they were, since they are ignored or their kind of file lacks them."""
    from convlab.weights.loading import load_weights

    report = load_weights(model, weights, ignore=ignore)
    return tuple(line.path for line in (*report.missing, *report.ignored) if line.path)
