"""The class of the whole network: a stem, what makes the stages, a head, and how images run through them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from convlab.exports.python.classes import FORWARD, class_text, statement
from convlab.exports.python.descriptions import network_doc
from convlab.exports.python.initialization import initialization
from convlab.exports.python.middle import Setting, middle_of
from convlab.exports.python.modules import expression
from convlab.exports.python.nodes import Make, written
from convlab.exports.python.plan import Plan
from convlab.exports.python.running import finished, nested, run
from convlab.exports.python.scopes import IMAGE, Scope
from convlab.language.design import Design


def network_class(
    design: Design, plan: Plan, makes: Sequence[Make], name: str, *, linear_2d: bool
) -> tuple[str, list[Setting]]:
    """The class of the network, whose stages ``makes`` make, and what it is given."""
    middle = middle_of(plan, makes)
    stem = Scope(middle.before | {IMAGE: [design.image.channels]}, derives=design.stem.kind == "deep", in_place=True)
    head = Scope(middle.after, derives=False, in_place=not middle.after)
    body = [
        *statement("super().__init__()"),
        *statement(expression([plan.stem], stem), "self.stem = "),
        *middle.statements,
        *(line for path, node in plan.head for line in statement(expression([node], head), f"self.{path} = ")),
        *statement("self.initialize()"),
    ]
    text = "\n".join(body)
    settings = [*middle.settings, *_settings_of_head(head), *_usual(design)]
    settings = [one for one in settings if re.search(rf"\b{one.name}\b", text)]
    methods = {"initialize(self) -> None": initialization(design.initialization, linear_2d=linear_2d), **_forward(plan)}
    doc = network_doc(design, {one.name for one in settings})
    return class_text(name, doc, [one.declaration() for one in settings], body, methods), settings


def _settings_of_head(head: Scope) -> list[Setting]:
    """The widths of the head's own layers."""
    return [Setting(name, "int", str(head.widths[name][0])) for name in head.given_widths]


def _usual(design: Design) -> tuple[Setting, ...]:
    """What every network may be given."""
    return (
        Setting(IMAGE, "int", default=str(design.image.channels)),
        Setting("classes", "int", "classes", str(design.head.classes)),
        Setting("drop_path", "float", written(design.drop_path), "0.0"),
    )


def _forward(plan: Plan) -> dict[str, list[str]]:
    """The methods that run the parts: up to the last feature map, and all of them."""
    names = ["stem", "stages"]
    if plan.bare:
        names = ["stem", *["downsample"] * (plan.stages[0].downsample is not None), "blocks"]
    head = finished(run(plan.head, "self.forward_features(x)", "x"), "x", "x")
    doc = statement('"""The last feature map."""')
    return {
        FORWARD.replace("forward", "forward_features"): [*doc, *statement(f"return {nested(names, 'x')}")],
        FORWARD: [line for text in head for line in statement(text)],
    }
