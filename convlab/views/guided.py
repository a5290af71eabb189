"""The walk from ResNet-50 to ConvNeXt-T for who goes along it: a sentence on the step that a design is."""

from __future__ import annotations

from convlab.session.walking import Step, steps
from convlab.views.tables import value_text


def step_text(step: Step) -> str:
    """The step, what the paper reached there, and what it turned."""
    said = step.published
    turned = ", ".join(f"{path} = {value_text(value)}" for path, value in step.turns)
    changed = f" Turned: {turned}." if step.base else ""
    paper = f"paper: {said.top1:.1f} % top-1, {said.printed_gmacs:.2f} G"
    return f"Walk {step.order} of {len(steps())}, {said.group}: {said.step}; {paper}.{changed}"
