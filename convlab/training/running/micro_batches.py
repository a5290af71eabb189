"""Micro-batches: a step's batch goes through the network in pieces where memory is short, and its gradient stays the whole batch's."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convlab.costs import Profile, profile
from convlab.errors import ConvlabError, Problem
from convlab.language.design import Design
from convlab.measurement.running.failures import out_of_memory, release
from convlab.models.memory import free_bytes
from convlab.training.running.arithmetic import sow

if TYPE_CHECKING:
    from convlab.training.batches.batches import Batch, Batches
    from convlab.training.recipes.recipe import Recipe
    from convlab.training.running.distributed import Group

COPIES_OF_WEIGHTS = 4
"""Weights, gradients and AdamW's two averages."""

ALLOCATED = 1.25
"""So many times the counted bytes of its maps a step takes on the CPU: 0.8 to 1.2 were measured, of ResNets the most."""


@final
class TooLittleMemoryError(Exception):
    """Not even one image at a time fits."""


def asked_size(recipe: Recipe, world: int) -> int:
    """The micro-batch of one of ``world`` processes that the recipe asks for."""
    return max(1, -(-recipe.batch // (world * recipe.accumulation)))


def first_size(design: Design, recipe: Recipe, *, device: torch.device, world: int) -> int:
    """The micro-batch to begin with: the recipe's, or half of it as often as counting alone says that memory will not do.

    On the CPU, Linux would rather end the process than refuse memory, so that trying is no way to find out there.
    """
    size = asked_size(recipe, world)
    free = free_bytes(device)
    if free is None:
        return size
    found = profile(design)
    element = 4 if recipe.dtype == "float32" else 2
    needed = _likely if device.type == "cpu" else _least
    free = free // world if device.type == "cpu" else free
    while size > 1 and needed(found, size, element) > free:
        size = -(-size // 2)
    return size


def _least(found: Profile, size: int, element: int) -> int:
    """What a step needs at the very least: autocast keeps some maps in 4 bytes, half of all is what it cannot do without."""
    return COPIES_OF_WEIGHTS * found.params * 4 + found.saved_bytes(size) * element // 4


def _likely(found: Profile, size: int, element: int) -> int:
    """What a step takes besides: the maps that are at work with those that are kept, and what the allocator loses between them."""
    maps = found.saved_bytes(size) * element // 4 + found.peak_bytes(size, element)
    return COPIES_OF_WEIGHTS * found.params * 4 + int(ALLOCATED * maps)


def _refuse_uneven(group: Group, what: str) -> None:
    """Raise ConvlabError where memory was refused to one of several processes: the others would wait for it for ever."""
    if group.world > 1:
        message = f"{what} not fit one of the {group.world} devices"
        help = "raise accumulation in the recipe: all processes have to cut their batches alike"
        raise ConvlabError(Problem("too-big", message, help=help, path="accumulation"))


def refuse_other_than_memory(error: Exception, group: Group) -> None:
    """Raise an error again, but not that of a device with too little memory, unless others wait for it."""
    if not out_of_memory(error):
        raise error
    _refuse_uneven(group, "a step does")


@torch.no_grad()
def _copy(source: list[Tensor], target: list[Tensor]) -> None:
    if source:
        torch._foreach_copy_(target, source)


@final
class MicroBatches:
    """Forward and backward of whole batches, in pieces of ``size`` images; where the device refuses memory the pieces are halved.

    Each piece's loss is its sum over the images divided by the batch's, so that the gradients add up to exactly the gradient of the
    batch's mean. Batch norms however normalise by the piece that they see, and count each in their running statistics: with pieces,
    another network is trained where there are batch norms. The size is part of the result.
    """

    def __init__(self, model: nn.Module, network: nn.Module, *, size: int, recipe: Recipe, group: Group) -> None:
        self.size = size
        self._model, self._network, self._group = model, network, group
        self._share, self._smoothing = recipe.batch // group.world, recipe.label_smoothing
        self._asked, self._place = asked_size(recipe, group.world), group.device
        self._buffers = [list(model.buffers()), [buffer.clone() for buffer in model.buffers()]]

    def backward(
        self, batches: Batches, step: int, *, seed: int, autocast: torch.autocast, scaler: torch.amp.GradScaler
    ) -> Tensor:
        """The mean loss of a step's batch, on the device and not waited for; its gradients are added to the parameters'.

        Memory may be refused in any step: the optimizer's averages come with the first one, other programs whenever they like. Running
        statistics are then put back to what they were, and drop path and dropout draw from ``seed`` again. Raises
        ``TooLittleMemoryError`` where one image does not fit, and ConvlabError where the devices of several processes are too small.
        """
        found, kept = self._buffers
        _copy(found, kept)
        while True:
            sow(seed, self._place)
            try:
                return self._pieces(batches, step, autocast=autocast, scaler=scaler)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
            self._halve()
            _copy(kept, found)

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be told of batches that were cut because of the memory."""
        if self.size >= self._asked:
            return ()
        told = f"the memory does not hold {self._asked} images at once: micro-batches of {self.size}"
        told += ", gradients of the whole batch as before"
        norms = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in self._model.modules())
        return (f"{told}; batch norms saw {self.size} images at a time" if norms else told,)

    def _pieces(self, batches: Batches, step: int, *, autocast: torch.autocast, scaler: torch.amp.GradScaler) -> Tensor:
        losses, seen = [], 0
        for piece in batches.pieces(step, self.size):
            seen += len(piece.images)
            with self._group.accumulating(self._network, last=seen == self._share):
                losses.append(self._loss(piece, autocast) / self._share)
                scaler.scale(losses[-1]).backward()  # type: ignore[no-untyped-call]
        return torch.stack([loss.detach() for loss in losses]).sum()

    def _loss(self, piece: Batch, autocast: torch.autocast) -> Tensor:
        """The sum of the images' cross-entropies, always in float32."""
        with autocast:
            scores = self._network(piece.images)
        return F.cross_entropy(scores.float(), piece.targets, reduction="sum", label_smoothing=self._smoothing)

    def _halve(self) -> None:
        """Make the pieces smaller. Outside of the handler, whose traceback would keep the step's maps alive."""
        for parameter in self._model.parameters():
            parameter.grad = None
        release(str(self._place))
        _refuse_uneven(self._group, f"{self.size} images at once do")
        if self.size == 1:
            raise TooLittleMemoryError
        self.size = -(-self.size // 2)
