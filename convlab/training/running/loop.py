"""The loop: one network trained on one data set by one recipe. Between its steps it is judged, saved and told of, and whatever ends it,
it ends in a result."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from convlab.language.design import Design
from convlab.models.builder import available
from convlab.progress import Work
from convlab.training.data.datasets import Dataset
from convlab.training.keeping.folders import RESULT, held_alone
from convlab.training.keeping.identity import identity
from convlab.training.keeping.results import finished, keep_result
from convlab.training.keeping.trained import Point, Trained
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.arithmetic import kernels
from convlab.training.running.distributed import Group
from convlab.training.running.divergence import VALIDATION, DivergedError
from convlab.training.running.evaluation import Evaluation
from convlab.training.running.fine_tuning import origin_of
from convlab.training.running.initializing import turned
from convlab.training.running.member import Member, begun, refuse_misfit
from convlab.training.running.micro_batches import TooLittleMemoryError, refuse_other_than_memory
from convlab.training.running.reporting import progress, trained
from convlab.training.running.stepping import evaluated, step
from convlab.training.running.tracing import explained

if TYPE_CHECKING:
    from convlab.weights.given import Weights

__all__ = ["Point", "Trained", "train_one"]

SAVE_S: Final = 60.0
"""A checkpoint is written at every evaluation, and when so many seconds have gone by since the last one."""

SHOW_S: Final = 0.1
"""Seconds from one progress to the next, at the least."""

READ_S: Final = 0.25
"""How often the losses of a GPU are read: it is waited for then, and only then."""

MOST_STRIDE: Final = 100


def train_one(
    design: Design,
    data: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    folder: str | os.PathLike[str],
    device: str | torch.device = "auto",
    group: Group | None = None,
    resume: bool = False,
    weights: Weights | None = None,
    keep: Callable[[Trained], None] | None = None,
    save_s: float = SAVE_S,
    show_s: float = SHOW_S,
) -> Work[Trained]:
    """Train a design that fits the data, as it is, with its checkpoints and its result in ``folder``.

    ``resume`` goes on from the newest checkpoint, on a CPU to the same weights bit for bit, or from the first step where there is none;
    a training that is finished is returned as it is. ``weights`` are what the network begins from. ``keep`` is handed what there is after
    every evaluation, in the first of several processes. Ctrl-C or SIGTERM, between steps, write a checkpoint and return what there is;
    closing the generator writes one too. A network that diverges, or that the memory does not hold, is a result with a ``failure``.
    torch's global generators are seeded anew in every step. Raises ConvlabError where the design does not fit the data, what is resumed
    is another training, another one is at work in the folder, or a checkpoint can be neither written nor read.
    """
    group = group or Group(0, 1, available(device))
    design, place = turned(design, recipe, loaded=weights is not None), Path(folder)
    refuse_misfit(design, data)

    def done() -> Trained | None:
        if not (place / RESULT).is_file():
            return None
        return finished(place, identity(design, recipe, data, seed=seed, weights=origin_of(weights)))

    if resume and (before := group.decided(done)):
        return before
    with kernels(recipe, group.device), _alone(place, group):
        try:
            member = begun(design, data, recipe, seed=seed, folder=place, group=group, resume=resume, weights=weights)
        except (RuntimeError, MemoryError) as error:
            refuse_other_than_memory(error, group)
            failure = f"out of memory: the network does not fit {group.device}"
            return Trained(design.name or design.key[:8], design, seed, recipe, failure=failure)
        return (yield from _ended(member, keep=keep, save_s=save_s, show_s=show_s))


@contextmanager
def _alone(folder: Path, group: Group) -> Iterator[None]:
    """The folder is this training's alone; of several processes the first one's."""
    with ExitStack() as held:
        group.decided(lambda: held.enter_context(held_alone(folder)))
        yield


def _ended(member: Member, *, keep: Callable[[Trained], None] | None, save_s: float, show_s: float) -> Work[Trained]:
    """The training up to its end or to what ended it, and its result, which is kept where another time it would be the same."""
    failure, lasting, stopped, test = "", True, False, None
    try:
        test = yield from _train(member, keep=keep, save_s=save_s, show_s=show_s)
    except KeyboardInterrupt:
        stopped = True
        _put_away(member)
    except GeneratorExit:
        _put_away(member)
        raise
    except DivergedError as found:
        failure, stopped = explained(member, found)
    except TooLittleMemoryError:
        failure, lasting = f"out of memory: a single image does not fit {member.group.device} in training", False
    except (RuntimeError, MemoryError) as error:
        refuse_other_than_memory(error, member.group)
        rest = f"out of memory: {member.group.device} does not hold what a step or an evaluation needs besides"
        failure, lasting = f"{rest} micro-batches of {member.micro.size}", False
    finally:
        member.batches.close()
    stopped = stopped or member.interrupts.pressed
    result = trained(member, test, failure=failure, stopped=stopped)
    if member.group.first and lasting and not stopped:
        keep_result(result, member.folder, member.identity)
    return result


def _train(member: Member, *, keep: Callable[[Trained], None] | None, save_s: float, show_s: float) -> Work[Evaluation]:
    """Steps, evaluations and checkpoints, up to the end of the budget, and the test split."""
    state, steps, interrupts = member.state, member.batches.steps, member.interrupts
    looks = _looks(steps, member.recipe.evaluations)
    while True:
        with interrupts.held_by_many():
            if state.step in looks and (not state.curve or state.curve[-1].step < state.step):
                _look(member)
                member.save()
                if keep is not None and member.group.first and state.step < steps:
                    keep(trained(member))
            elif member.group.shared(time.monotonic() - member.saved_at > save_s):
                member.save()
            shown = progress(member)
            interrupts.agree()
        try:
            yield shown
        except KeyboardInterrupt:
            interrupts.pressed = True
        if state.step == steps:
            break
        _stretch(member, next(look for look in looks if look > state.step), show_s)
    with interrupts.held_by_many():
        interrupts.agree()
        test = evaluated(member, member.data.test)
        interrupts.agree()
    return test


def _put_away(member: Member) -> None:
    """Write a last checkpoint; weights that are not finite are none, and whoever resumes will hear of them."""
    with suppress(DivergedError):
        member.save()


def _looks(steps: int, evaluations: int) -> list[int]:
    """After which steps the validation split is looked at: as often as asked for, evenly, the last time at the end."""
    return sorted({max(1, round(steps * number / evaluations)) for number in range(1, evaluations + 1)})


def _stretch(member: Member, until: int, show_s: float) -> None:
    """Steps up to the next evaluation, or until somebody should hear of them; all of their losses are read."""
    state, began = member.state, time.monotonic()
    first = state.step
    until = until if member.warm else first + 1
    with member.interrupts.held():
        member.interrupts.agree()
        while True:
            last = min(until, state.step + member.stride)
            while state.step < last:
                step(member, reads=state.step == last - 1)
            passed = time.monotonic() - began
            if member.group.device.type != "cpu":
                stride = min(MOST_STRIDE, max(1, int(READ_S * (state.step - first) / passed)))
                member.stride = member.group.shared(stride)
            if state.step == until or member.group.any(member.interrupts.pressed or passed >= show_s):
                break
        member.interrupts.agree()
    state.stepping_seconds += passed
    if member.warm:
        state.training_seconds += passed
        state.samples_timed += (state.step - first) * member.recipe.batch
    member.warm = True


def _look(member: Member) -> None:
    """Add a point to the curve. Raises ``DivergedError`` where the judged network does not give finite figures."""
    state = member.state
    found = evaluated(member, member.data.validation)
    if not math.isfinite(found.loss):
        raise DivergedError(state.step - 1, VALIDATION)
    samples = state.step * member.recipe.batch
    training_loss = state.loss_sum / state.loss_count if state.loss_count else math.nan
    state.curve.append(Point(state.step, samples, member.seconds, training_loss, found.loss, found.accuracy))
    state.cue_accuracy = dict(found.cue_accuracy)
    state.loss_sum, state.loss_count = 0.0, 0
