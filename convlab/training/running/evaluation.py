"""Evaluating: the cross-entropy and accuracy of a network on a split, and its accuracy on the images of each cue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from convlab.training.batches.batches import Batch


@final
@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of a split: nats an image, and shares from 0 to 1."""

    loss: float
    accuracy: float
    cue_accuracy: Mapping[str, float] = field(default_factory=dict)


@torch.inference_mode()
def evaluate(
    model: nn.Module, batches: Iterable[Batch], *, cues: Mapping[str, Tensor], autocast: torch.autocast
) -> Evaluation:
    """Judge a network on the batches of a whole split, in the split's order; ``cues`` say of each image whether it asks for one.

    The network is put into evaluation mode, so that batch norms use their running statistics, and back. A device is waited for at the
    end alone.
    """
    was_training = model.training
    model.eval()
    losses, hits = [], []
    try:
        for batch in batches:
            with autocast:
                scores = model(batch.images)
            losses.append(F.cross_entropy(scores.float(), batch.targets, reduction="none"))
            hits.append(scores.argmax(1) == batch.targets)
    finally:
        model.train(was_training)
    loss = torch.cat(losses).cpu().double().mean()
    hit = torch.cat(hits).cpu()
    return Evaluation(float(loss), _share(hit), {name: _share(hit[asked]) for name, asked in cues.items()})


def _share(hits: Tensor) -> float:
    return float(hits.double().mean())
