"""A step of a training, which is all that happens to its weights, and a look at a split."""

from __future__ import annotations

import time

from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from convlab.training.data.datasets import Split
from convlab.training.optimization.schedules import set_learning_rate
from convlab.training.running.evaluation import Evaluation, evaluate
from convlab.training.running.member import Member


def step(member: Member, *, reads: bool) -> None:
    """One step: forward, loss, backward, optimizer, schedule, average of the weights."""
    state, recipe, number = member.state, member.recipe, member.state.step
    state.whole = False
    loss = member.micro.backward(
        member.batches, number, seed=member.noise(number), autocast=member.autocast, scaler=state.scaler
    )
    state.scaler.unscale_(state.optimizer)
    parameters = [parameter for parameter in state.model.parameters() if parameter.grad is not None]
    norm = get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    if recipe.clip_norm:
        clip_grads_with_norm_(parameters, recipe.clip_norm, norm)
    member.watch.note(member.group.mean(loss), norm)
    if reads:
        losses = member.watch.read(number, scale=state.scaler.get_scale())
        state.loss_sum, state.loss_count = sum(losses, state.loss_sum), state.loss_count + len(losses)
        state.last_loss = losses[-1]
    set_learning_rate(state.optimizer, member.schedule.learning_rate(number, member.batches.steps))
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    if state.average is not None:
        state.average.update(state.model, number)
    state.step += 1
    state.whole = True


def evaluated(member: Member, split: Split) -> Evaluation:
    """The figures of the judged network, the first process's in all. Images that fitted in training fit here."""
    began = time.monotonic()
    batches = member.batches.evaluation(split, size=member.micro.size)
    found = member.group.shared(evaluate(member.state.judged, batches, cues=split.cues, autocast=member.autocast))
    member.state.evaluating_seconds += time.monotonic() - began
    return found
