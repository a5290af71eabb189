"""The walk from ResNet-50 to ConvNeXt-T for who goes along it: what is said of the step that a design is."""

from __future__ import annotations

from convlab.costs import Profile, profile
from convlab.session.walking import Step, start_of, steps
from convlab.views.cards import delta
from convlab.views.knob_texts import path_text


def step_text(step: Step, costs: Profile) -> str:
    """The step, what the paper reached there, what it turned, and what that did to the figures; ``costs`` are those of its design."""
    said = step.published
    paper = f"paper: {said.top1:.1f} % top-1, {said.printed_gmacs:.2f} G"
    text = f"Walk {step.order} of {len(steps())}, {said.group}: {said.step}; {paper}."
    start = start_of(costs.design)
    if start is None:
        return text
    turned = ", ".join(f"{path} = {path_text(path, value)}" for path, value in step.turns)
    return f"{text} Against step {step.base}: {change_text(costs, profile(start))}. Turned: {turned}."


def change_text(costs: Profile, before: Profile) -> str:
    """What a step did to multiply-adds and parameters."""
    return f"MACs {delta(costs.macs, before.macs).text}, params {delta(costs.params, before.params).text}"
