"""The class of the whole network: stem, stages in a loop where they are of one class, and head."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from convlab.exports.python.classes import FORWARD, class_text, statement
from convlab.exports.python.descriptions import network_doc
from convlab.exports.python.initialization import initialization
from convlab.exports.python.layout import Expression, call, lines, plural
from convlab.exports.python.loops import blocks_in_order
from convlab.exports.python.modules import expression
from convlab.exports.python.nodes import Argument, Given, Make
from convlab.exports.python.numbers import Parameter, Scope
from convlab.exports.python.plan import Plan
from convlab.exports.python.running import finished, run
from convlab.exports.python.stages import DEPTH, RATES
from convlab.language.design import Design

PLURALS = {name: f"{name}s" for name in ("depth", "width", "stride", "kernel_size", "dilation")}
"""What a network is given as one number a stage, and what these are called together."""


@final
@dataclass(frozen=True, slots=True)
class Setting:
    """An argument of the network's class: its type, its default, and what the design's function gives."""

    name: str
    type: str
    value: Expression = ""
    default: str = ""

    def declaration(self) -> str:
        """How it stands in the signature."""
        return f"{self.name}: {self.type}" + (f" = {self.default}" if self.default else "")


@final
@dataclass(frozen=True, slots=True)
class Middle:
    """The statements that make a network's stages, the names of its widths before and after them, and its settings."""

    statements: list[str]
    before: dict[str, list[int]]
    after: dict[str, list[int]]
    settings: tuple[Setting, ...]


def network_class(
    design: Design, plan: Plan, makes: Sequence[Make], name: str, *, linear_2d: bool
) -> tuple[str, list[Setting]]:
    """The class of the network, whose stages ``makes`` make, and what it is given."""
    if len(plan.stages) == 1:
        middle = _one(plan, makes)
    elif _is_uniform(makes):
        middle = _looped(plan, makes)
    else:
        middle = _listed(plan, makes)
    image = {"channels": [design.image.channels]}
    stem = Scope(middle.before | image, derives=design.stem.kind == "deep", in_place=True)
    head = Scope(middle.after, derives=False, in_place=not middle.after)
    body = statement("super().__init__()")
    body += statement(expression([plan.stem], stem), "self.stem = ")
    body += middle.statements
    for path, node in plan.head:
        body += statement(expression([node], head), f"self.{path} = ")
    body += statement("self.initialize()")
    more = [Setting(one.name, one.type, repr(one.values[0])) for one in head.given() if _is_own(one, middle)]
    ends = (
        Setting("channels", "int", default=str(design.image.channels)),
        Setting("classes", "int", "classes", str(design.head.classes)),
        Setting("drop_path", "float", repr(design.drop_path), "0.0"),
    )
    text = "\n".join(body)
    settings = [one for one in (*middle.settings, *more, *ends) if re.search(rf"\b{one.name}\b", text)]
    methods = {"initialize(self) -> None": initialization(design.initialization, linear_2d=linear_2d), **_forward(plan)}
    doc = network_doc(design, {one.name for one in settings})
    return class_text(name, doc, [one.declaration() for one in settings], body, methods), settings


def _is_own(parameter: Parameter, middle: Middle) -> bool:
    return parameter.name not in middle.after and not isinstance(parameter.values[0], Given)


def _is_uniform(makes: Sequence[Make]) -> bool:
    """Whether all stages are of one class and differ in what has a plural."""
    names = {argument.name for argument in makes[0].arguments}
    return len({make.maker for make in makes}) == 1 and names <= {*PLURALS, "width_in", RATES}


def _looped(plan: Plan, makes: Sequence[Make]) -> Middle:
    names = [argument.name for argument in makes[0].arguments]
    listed = ["depth", "width", *(name for name in names if name in PLURALS and name not in ("depth", "width"))]
    values = {"depth": [stage.depth for stage in plan.stages]}
    values |= {name: [make[name] for make in makes] for name in listed if name != "depth"}
    before = "widths[0]" if plan.stem_width == plan.stages[0].width else "stem_width"
    arguments = [name if name in ("width", "width_in", DEPTH, RATES) else f"{name}={name}" for name in names]
    zipped = [name for name in listed if name in names]
    if RATES in names:
        zipped.append(RATES)
    sources = ["schedule" if name == RATES else PLURALS[name] for name in zipped]
    found = statement("drop_path_rates(drop_path, depths)", "schedule = ") if RATES in names else []
    found += statement("self.stages = nn.Sequential()")
    found += statement(before, "width_in = ") if "width_in" in names else []
    if len(zipped) == 1:
        found += statement(f"for {zipped[0]} in {sources[0]}:")
    else:
        found += statement(call("zip", *sources, "strict=True"), f"for {', '.join(zipped)} in ", ":")
    found += lines(call("self.stages.append", call(makes[0].maker, *arguments)), depth=3)
    found += lines("width_in = width", depth=3) if "width_in" in names else []
    settings = [Setting(PLURALS[name], "Sequence[int]", plural(tuple(values[name]))) for name in listed]
    settings.append(Setting("stem_width", "int", str(plan.stem_width)))
    return Middle(found, {before: [plan.stem_width]}, {"widths[-1]": [plan.stages[-1].width]}, tuple(settings))


def _one(plan: Plan, makes: Sequence[Make]) -> Middle:
    """A single stage, which may be the network's own."""
    [stage] = plan.stages
    widths = {"width": [stage.width]}
    before = widths if plan.stem_width == stage.width else {"stem_width": [plan.stem_width]}
    scope = Scope(before | widths, in_place=True)
    found = statement("rates = drop_path_rates(drop_path, [depth])[0]") if stage.drops_path else []
    if plan.bare:
        if stage.downsample is not None:
            found += statement(expression([stage.downsample], scope), "self.downsample = ")
        found += statement(blocks_in_order([stage], scope, RATES if stage.drops_path else DEPTH), "self.blocks = ")
    else:
        [make] = makes
        there = tuple(_as_given(argument) for argument in make.arguments)
        found += statement(call("nn.Sequential", expression([replace(make, arguments=there)], scope)), "self.stages = ")
    sizes = {"depth": stage.depth, "width": stage.width, "stem_width": plan.stem_width}
    return Middle(found, before, widths, tuple(Setting(name, "int", str(size)) for name, size in sizes.items()))


def _listed(plan: Plan, makes: Sequence[Make]) -> Middle:
    """Stages one by one, with their numbers."""
    depths = plural(tuple(stage.depth for stage in plan.stages))
    found = (
        statement(call("drop_path_rates", "drop_path", depths), "schedule = ")
        if any(stage.drops_path for stage in plan.stages)
        else []
    )
    stages = []
    for index, make in enumerate(makes):
        there = tuple(
            Argument(RATES, Given(f"schedule[{index}]")) if argument.name == RATES else argument
            for argument in make.arguments
        )
        stages.append(expression([replace(make, arguments=there)], Scope({}, in_place=True)))
    found += statement(call("nn.Sequential", *stages), "self.stages = ")
    return Middle(found, {}, {}, ())


def _as_given(argument: Argument) -> Argument:
    return replace(argument, value=Given(argument.name)) if argument.name in (DEPTH, RATES) else argument


def _forward(plan: Plan) -> dict[str, list[str]]:
    names = ["stem", "stages"]
    if plan.bare:
        names = ["stem", "downsample", "blocks"] if plan.stages[0].downsample is not None else ["stem", "blocks"]
    features = "x"
    for name in names:
        features = f"self.{name}({features})"
    head = finished(run(plan.head, "self.forward_features(x)", "x"), "x", "x")
    return {
        "forward_features(self, x: Tensor) -> Tensor": [
            *statement('"""The last feature map."""'),
            *statement(f"return {features}"),
        ],
        FORWARD: [line for text in head for line in statement(text)],
    }
