"""What a training under way tells: its progress, and its result as far as it came."""

from __future__ import annotations

import math

from convlab.progress import Progress
from convlab.training.keeping.trained import Trained
from convlab.training.running.evaluation import Evaluation
from convlab.training.running.member import Member


def progress(member: Member) -> Progress:
    """Where it stands; figures: step, samples, and the others as soon as they are known."""
    state, steps, batch = member.state, member.batches.steps, member.recipe.batch
    figures = {
        "step": float(state.step),
        "samples": float(state.step * batch),
        "learning_rate": member.schedule.learning_rate(state.step - 1, steps) if state.step else math.nan,
        "loss": state.last_loss,
        "images_per_second": state.images_per_second,
        "validation_loss": state.curve[-1].validation_loss if state.curve else math.nan,
        "accuracy": state.curve[-1].validation_accuracy if state.curve else math.nan,
    }
    known = {name: value for name, value in figures.items() if math.isfinite(value)}
    what = f"{member.name}, seed {member.seed}: step {state.step:,} of {steps:,}"
    what += f", loss {known['loss']:.2f}" if "loss" in known else ""
    what += f", {known['images_per_second']:,.0f} images/s" if "images_per_second" in known else ""
    left = (steps - state.step) * batch / state.images_per_second  # NaN while the rate is
    subject = f"{member.name}#{member.seed}"
    return Progress(state.step, steps, what, member.seconds, left if math.isfinite(left) else None, known, subject)


def trained(member: Member, test: Evaluation | None = None, *, failure: str = "", stopped: bool = False) -> Trained:
    """What there is of it."""
    state = member.state
    last = state.curve[-1] if state.curve else None
    return Trained(
        name=member.name,
        design=member.design,
        seed=member.seed,
        recipe=member.recipe,
        curve=tuple(state.curve),
        validation_loss=last.validation_loss if last else math.nan,
        validation_accuracy=last.validation_accuracy if last else math.nan,
        test_loss=test.loss if test else math.nan,
        test_accuracy=test.accuracy if test else math.nan,
        cue_accuracy=state.cue_accuracy,
        images_per_second=state.images_per_second,
        seconds=member.seconds,
        training_seconds=state.stepping_seconds,
        evaluating_seconds=state.evaluating_seconds,
        steps=state.step,
        checkpoint=member.checkpoint,
        failure=failure,
        stopped=stopped,
        micro_batch=member.micro.size,
        notes=(*state.notes, *member.micro.notes),
    )
