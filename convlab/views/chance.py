"""Chance in the figures of trainings: splits of too few pictures, and designs that guess."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from convlab.views.notes import Note

if TYPE_CHECKING:
    from convlab.training.data.datasets import Dataset, Split
    from convlab.training.verdicts.ranking import Ranking

FEW = 500
"""Of fewer pictures an accuracy may be off by 4 points and more."""

NORMAL = 1.96
"""Standard errors to either side of a 95 % interval."""


def chance_notes(ranking: Ranking, data: Dataset) -> list[Note]:
    """What the number of pictures alone may have done to accuracies, and who is no better than a guess; of ranked designs only."""
    if not ranking.places:
        return []
    notes = []
    sizes = {"validation": len(data.validation), "test": len(data.test)}
    few = {name: count for name, count in sizes.items() if count < FEW}
    if few:
        told = " and ".join(f"{count} {name}" for name, count in few.items())
        points = " and ".join(f"{100 * sampling_error(0.5, count):.0f}" for count in few.values())
        message = f"{told} pictures: by the choice of pictures alone an accuracy may be off by ± {points} points"
        notes.append(Note("", message, f"{FEW} pictures and more tell designs apart"))
    guessed = guess(data.validation)
    most = guessed + sampling_error(guessed, len(data.validation))
    lost = [place.name for place in ranking.places if place.accuracy.mean <= most]
    if lost:
        who = "all" if len(lost) == len(ranking.places) > 1 else ", ".join(lost)
        message = f"{who}: no better than a guess, which is right in {100 * guessed:.1f} % of the pictures"
        notes.append(Note("", message, "a larger budget (--epochs, --samples), or another learning rate"))
    return notes


def sampling_error(share: float, count: int) -> float:
    """Half of the 95 % interval of a share that was found in so many pictures, from 0 to 1."""
    return NORMAL * math.sqrt(share * (1 - share) / count)


def guess(split: Split) -> float:
    """The share of the most frequent class: what always naming it comes to."""
    return int(split.labels.bincount().max()) / len(split)
