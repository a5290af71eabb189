"""A running average of the weights, which is often better than the last ones (Polyak and Juditsky, 1992)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor, nn


@final
class ExponentialAverage:
    """The weights of a network averaged over its steps with exponentially falling shares, in float32, by timm's ModelEmaV3.

    Buffers are averaged too (those of whole numbers copied), so that ``model`` can be judged and saved as it is. The average takes the
    weights of the first step whole. Its state is its weights: what comes after is a function of them and of the step.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        from timm.utils.model_ema import ModelEmaV3

        self._average = ModelEmaV3(model, decay=decay, dtype=torch.float32)

    @property
    def model(self) -> nn.Module:
        """The network with the averaged weights, in evaluation mode; it shares nothing with the one that is trained."""
        model: nn.Module = self._average.module
        return model

    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after step 0, 1, ...; of a compiled or distributed network give the bare one."""
        self._average.update(model, step=step + 1)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint has to keep."""
        return dict(self.model.state_dict())

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a kept state."""
        self.model.load_state_dict(state)
