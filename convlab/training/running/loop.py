"""The loop: one network trained on one data set by one recipe. ``_step`` is all that happens to its weights; around it they are judged,
saved, and traced back where they diverge."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from convlab.language.design import Design
from convlab.models.builder import available
from convlab.progress import Work
from convlab.training.data.datasets import Dataset, Split
from convlab.training.keeping.identity import identity
from convlab.training.keeping.results import finished, keep_result
from convlab.training.keeping.trained import Point, Trained
from convlab.training.optimization.schedules import set_learning_rate
from convlab.training.recipes.recipe import Recipe
from convlab.training.running.arithmetic import kernels
from convlab.training.running.distributed import Group
from convlab.training.running.divergence import (
    GRADIENT,
    VALIDATION,
    DivergedError,
    largest_gradient,
    observed,
    sentence,
)
from convlab.training.running.evaluation import Evaluation, evaluate
from convlab.training.running.initializing import turned
from convlab.training.running.interrupts import held
from convlab.training.running.member import Member, begun
from convlab.training.running.micro_batches import MicroBatches, TooLittleMemoryError
from convlab.training.running.reporting import progress, trained

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
    every evaluation. Ctrl-C, between steps, writes a checkpoint and returns what there is; closing the generator writes one too.
    A network that diverges, or whose single images do not fit the memory, is a result with a ``failure``. torch's global generators
    are seeded anew in every step. Raises ConvlabError where the design does not fit the data, what is resumed is another training, or
    a checkpoint can be neither written nor read.
    """
    group = group or Group(0, 1, available(device))
    design, place = turned(design, recipe), Path(folder)
    if resume and (before := finished(place, identity(design, recipe, data, seed=seed))):
        return before
    failure, lasting, stopped, test = "", True, False, None
    with kernels(recipe, group.device):
        member = begun(design, data, recipe, seed=seed, folder=place, group=group, resume=resume, weights=weights)
        try:
            yield from _train(member, keep, save_s, show_s)
            test = _evaluated(member, data.test)
        except KeyboardInterrupt:
            stopped = True
            _put_away(member)
        except GeneratorExit:
            _put_away(member)
            raise
        except DivergedError as found:
            failure = _traced(member, found)
        except TooLittleMemoryError:
            failure = f"out of memory: a single image does not fit {group.device} in training"
            lasting = False  # another time there may be more
        finally:
            member.batches.close()
    result = trained(member, test, failure=failure, stopped=stopped)
    if group.first and lasting and not stopped:
        keep_result(result, place, member.identity)
    return result


def _train(member: Member, keep: Callable[[Trained], None] | None, save_s: float, show_s: float) -> Work[None]:
    """Steps, evaluations and checkpoints, up to the end of the budget."""
    state, steps = member.state, member.batches.steps
    looks = _looks(steps, member.recipe.evaluations)
    while True:
        if state.step in looks and (not state.curve or state.curve[-1].step < state.step):
            _look(member)
            member.save()
            if keep is not None and state.step < steps:
                keep(trained(member))
        elif member.group.shared(time.monotonic() - member.saved_at > save_s):
            member.save()
        yield progress(member)
        if state.step == steps:
            return
        _stretch(member, next(look for look in looks if look > state.step), show_s)


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
    with held() as pressed:
        while True:
            last = min(until, state.step + member.stride)
            while state.step < last:
                _step(member, reads=state.step == last - 1)
            passed = time.monotonic() - began
            if member.group.device.type != "cpu":
                stride = min(MOST_STRIDE, max(1, int(READ_S * (state.step - first) / passed)))
                member.stride = member.group.shared(stride)
            if state.step == until or member.group.any(pressed() or passed >= show_s):
                break
        elsewhere = member.group.any(pressed())
    if elsewhere:
        raise KeyboardInterrupt
    if member.warm:
        state.training_seconds += passed
        state.samples_timed += (state.step - first) * member.recipe.batch
    member.warm = True


def _step(member: Member, *, reads: bool) -> None:
    """One step: forward, loss, backward, optimizer, schedule, average of the weights."""
    state, recipe, step = member.state, member.recipe, member.state.step
    state.whole = False
    loss = member.micro.backward(
        member.batches, step, seed=member.noise(step), autocast=member.autocast, scaler=state.scaler
    )
    state.scaler.unscale_(state.optimizer)
    parameters = [parameter for parameter in state.model.parameters() if parameter.grad is not None]
    norm = get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    if recipe.clip_norm:
        clip_grads_with_norm_(parameters, recipe.clip_norm, norm)
    member.watch.note(member.group.mean(loss), norm)
    if reads:
        losses = member.watch.read(step, scale=state.scaler.get_scale())
        state.loss_sum, state.loss_count = sum(losses, state.loss_sum), state.loss_count + len(losses)
        state.last_loss = losses[-1]
    set_learning_rate(state.optimizer, member.schedule.learning_rate(step, member.batches.steps))
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    if state.average is not None:
        state.average.update(state.model, step)
    state.step += 1
    state.whole = True


def _look(member: Member) -> None:
    """Add a point to the curve. Raises ``DivergedError`` where the judged network does not give finite figures."""
    state = member.state
    found = _evaluated(member, member.data.validation)
    if not math.isfinite(found.loss):
        raise DivergedError(state.step - 1, VALIDATION)
    samples = state.step * member.recipe.batch
    training_loss = state.loss_sum / state.loss_count if state.loss_count else math.nan
    state.curve.append(Point(state.step, samples, member.seconds, training_loss, found.loss, found.accuracy))
    state.cue_accuracy = dict(found.cue_accuracy)
    state.loss_sum, state.loss_count = 0.0, 0


def _evaluated(member: Member, split: Split) -> Evaluation:
    """The figures of the judged network, the first process's in all. Images that fitted in training fit here."""
    batches = member.batches.evaluation(split, size=member.micro.size)
    return member.group.shared(evaluate(member.state.judged, batches, cues=split.cues, autocast=member.autocast))


def _traced(member: Member, found: DivergedError) -> str:
    """What is told of a divergence: the network becomes what it was before that step, and takes it once more under observation."""
    last = member.checkpoint.name if member.checkpoint else ""
    if found.layer or member.group.world > 1:
        return sentence(found, last)
    if found.what == VALIDATION:
        with observed(member.state.judged) as culprits:
            _evaluated(member, member.data.validation)
        return sentence(found, last, *culprits[:1])
    if member.state.step != found.step:
        member.rewind()
        while member.state.step < found.step:
            _step(member, reads=False)
    state, step = member.state, found.step
    state.optimizer.zero_grad(set_to_none=True)
    eager = MicroBatches(state.model, state.model, size=member.micro.size, recipe=member.recipe, group=member.group)
    with observed(state.model) as culprits:
        eager.backward(member.batches, step, seed=member.noise(step), autocast=member.autocast, scaler=state.scaler)
    largest = largest_gradient(state.model) if found.what == GRADIENT else None
    return sentence(found, last, culprits[0] if culprits else largest)
