"""Divergence: noticed without waiting for the device in every step, and traced to the layer that began it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, final

import torch
from torch import Tensor, nn

from convlab.training.keeping.trained import DIVERGED

LEAST_SCALE: Final = 2.0**-14
"""Where float16's loss scale ends up below this, no scale whatever kept the gradients finite."""

LARGEST: Final = "largest gradient"
VALIDATION: Final = "the validation loss"
GRADIENT: Final = "the gradient"
WEIGHT: Final = "a weight"
"""What is not finite after a step, rather than in it."""


@final
class DivergedError(Exception):
    """A step's loss or gradient is not finite; ``what`` is the word for it, ``layer`` the weight's name where it is known already."""

    def __init__(self, step: int, what: str, layer: str = "") -> None:
        super().__init__(f"step {step}: {what}")
        self.step, self.what, self.layer = step, what, layer


@final
@dataclass(eq=False)
class Watch:
    """Losses and norms of gradients of the steps since the last reading; they stay on the device until then."""

    scaled: bool = False
    """Whether gradients that are not finite are usual: float16's scale is found by trying, and such steps are left out."""
    _losses: list[Tensor] = field(default_factory=list)
    _norms: list[Tensor] = field(default_factory=list)

    def note(self, loss: Tensor, norm: Tensor) -> None:
        """Take in a step's figures. Nothing is waited for."""
        self._losses.append(loss)
        self._norms.append(norm.to(loss.device))

    def read(self, step: int, *, scale: float = 1.0) -> list[float]:
        """The losses since the last reading, the last of them that of ``step``; the device is waited for.

        Raises ``DivergedError`` with the first step whose loss or gradient is not finite.
        """
        if not self._losses:
            return []
        losses, norms = torch.stack([torch.stack(self._losses), torch.stack(self._norms)]).tolist()
        self._losses, self._norms = [], []
        first = step - len(losses) + 1
        for number, (loss, norm) in enumerate(zip(losses, norms, strict=True), first):
            if not math.isfinite(loss):
                raise DivergedError(number, "the loss")
            if not self.scaled and not math.isfinite(norm):
                raise DivergedError(number, GRADIENT)
        if self.scaled and scale < LEAST_SCALE:
            raise DivergedError(step, GRADIENT)
        return losses  # type: ignore[no-any-return]


class Culprit(NamedTuple):
    """What is not finite first: the ``output``, the ``gradient`` of the output, or a weight's gradient, of a layer by its path."""

    what: str
    path: str


@contextmanager
def observed(model: nn.Module) -> Iterator[list[Culprit]]:
    """Within, forward and backward passes of the model note what is not finite, in the order in which it comes about.

    Layers that write into their input's memory are seen as they were when they ended. It is slow: the device is waited for at every layer.
    """
    found: list[Culprit] = []
    hooks: list[Any] = []

    def of(what: str, path: str) -> Callable[[Tensor], None]:
        def look(tensor: Tensor) -> None:
            if not bool(tensor.isfinite().all()):
                found.append(Culprit(what, path))

        return look

    def after(path: str) -> Callable[[nn.Module, Any, Any], None]:
        def look(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                of("output", path)(output)
                if output.requires_grad:
                    hooks.append(output.register_hook(of("gradient", path)))  # type: ignore[no-untyped-call]

        return look

    for path, module in model.named_modules():
        if path:
            hooks.append(module.register_forward_hook(after(path)))
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            hooks.append(parameter.register_hook(of("gradient", name)))  # type: ignore[no-untyped-call]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def largest_gradient(model: nn.Module) -> Culprit:
    """The parameter with the largest gradient: where all are finite, but the sum of their squares is not."""
    sizes = {name: float(each.grad.abs().max()) for name, each in model.named_parameters() if each.grad is not None}
    return Culprit(LARGEST, max(sizes, key=sizes.__getitem__))


def sentence(diverged: DivergedError, checkpoint: str, culprit: Culprit | None = None) -> str:
    """What a person is told of a training that diverged."""
    where = ""
    if diverged.layer:
        where = f", first in {diverged.layer}"
    elif culprit is not None and culprit.what == LARGEST:
        where = f", largest in {culprit.path}"
    elif culprit is not None:
        where = f", first in the {culprit.what} of {culprit.path}"
    when = "after" if diverged.what in (VALIDATION, WEIGHT) else "of"
    last = f"the last good checkpoint is {checkpoint}" if checkpoint else "there was no checkpoint before it"
    return f"{DIVERGED}: {diverged.what} {when} step {diverged.step + 1} is not finite{where}; {last}"
