"""An exported network beside the model: the same images through both, for several batch sizes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from convlab.errors import ConvlabError, Problem
from convlab.exports.origin import Check

if TYPE_CHECKING:
    from torch import Tensor

    from convlab.models import ConvNet

BATCHES = (1, 3)
TOLERANCE = 1e-4
"""The largest difference that is taken for rounding, relative to the largest output."""


def compare(model: ConvNet, run: Callable[[Tensor], Tensor], *, what: str) -> Generator[str, None, tuple[Check, ...]]:
    """Compare what ``run`` gives with the model's output, for each batch size. Raises ConvlabError where they differ."""
    found = []
    for batch in BATCHES:
        yield f"comparing {what} with the model, batch {batch}"
        found.append(Check(what, _difference(model, run, batch), batch))
        if not found[-1].difference <= TOLERANCE:
            raise _differs(found[-1])
    return tuple(found)


def _difference(model: ConvNet, run: Callable[[Tensor], Tensor], batch: int) -> float:
    import torch

    generator = torch.Generator().manual_seed(batch)
    images = torch.randn(batch, *model.design.image.shape, generator=generator)
    with torch.inference_mode():
        expected = model(images)
        if not torch.isfinite(expected).all():
            raise _not_finite()
        found = run(images)
        largest = expected.abs().max()
        difference = (found - expected).abs().max()
        return float(difference / largest if largest else difference)


def _differs(check: Check) -> ConvlabError:
    where = f"{check.what}, batch {check.batch}"
    amount = f"{check.difference:.1e} of the largest output, over {TOLERANCE:g}"
    message = f"{where}: the outputs differ from the model's by {amount}; nothing is written"
    help = "outputs that almost cancel can do that; with other weights it may pass"
    return ConvlabError(Problem("differs", message, help=help))


def _not_finite() -> ConvlabError:
    message = "the model's output holds infinities or NaN, with which nothing can be compared"
    return ConvlabError(
        Problem("not-finite", message, help="other weights, or look for a layer without a norm"), exit_code=3
    )
