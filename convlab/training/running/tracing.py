"""Tracing: what is told of a training that diverged, with the layer that began it where that can be found."""

from __future__ import annotations

from convlab.training.running.divergence import (
    GRADIENT,
    VALIDATION,
    Culprit,
    DivergedError,
    largest_gradient,
    observed,
    sentence,
)
from convlab.training.running.member import Member
from convlab.training.running.micro_batches import MicroBatches, TooLittleMemoryError, refuse_other_than_memory
from convlab.training.running.stepping import evaluated, step


def explained(member: Member, found: DivergedError) -> tuple[str, bool]:
    """What is told of a divergence, and whether Ctrl-C ended the search for its layer; too little memory may end that too."""
    last = member.checkpoint.name if member.checkpoint else ""
    if member.group.any(member.interrupts.pressed):
        return sentence(found, last), True
    try:
        return sentence(found, last, _traced(member, found)), False
    except KeyboardInterrupt:
        return sentence(found, last), True
    except TooLittleMemoryError:
        return sentence(found, last), False
    except (RuntimeError, MemoryError) as error:
        refuse_other_than_memory(error, member.group)
        return sentence(found, last), False


def _traced(member: Member, found: DivergedError) -> Culprit | None:
    """The layer that began a divergence: the network becomes what it was before that step, and takes it once more under observation."""
    if found.layer or member.group.world > 1:
        return None
    if found.what == VALIDATION:
        with observed(member.state.judged) as culprits:
            evaluated(member, member.data.validation)
        return culprits[0] if culprits else None
    if member.state.step != found.step:
        member.rewind()
        while member.state.step < found.step:
            step(member, reads=False)
    state, number = member.state, found.step
    state.optimizer.zero_grad(set_to_none=True)
    eager = MicroBatches(state.model, state.model, size=member.micro.size, recipe=member.recipe, group=member.group)
    with observed(state.model) as culprits:
        eager.backward(member.batches, number, seed=member.noise(number), autocast=member.autocast, scaler=state.scaler)
    largest = largest_gradient(state.model) if found.what == GRADIENT else None
    return culprits[0] if culprits else largest
