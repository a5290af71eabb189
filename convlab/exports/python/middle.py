"""How a network makes its stages: one, several of one class in a loop, or several classes one by one with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from convlab.exports.python.classes import statement
from convlab.exports.python.layout import Expression, call, lines, plural
from convlab.exports.python.loops import blocks_in_order
from convlab.exports.python.modules import expression
from convlab.exports.python.nodes import Argument, Given, Make
from convlab.exports.python.plan import Plan
from convlab.exports.python.scopes import Scope
from convlab.exports.python.stages import DEPTH, RATES

PLURALS = {name: f"{name}s" for name in ("depth", "width", "stride", "kernel_size", "dilation")}
"""What a network is given as one number a stage, and what these are called together."""

SCHEDULE = "schedule"
"""The rates of drop path of all stages."""


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
    settings: tuple[Setting, ...] = ()


def middle_of(plan: Plan, makes: Sequence[Make]) -> Middle:
    """The middle of a network; ``makes`` are the calls that make its stages, where these have classes."""
    if plan.bare:
        return _bare(plan)
    if len(makes) == 1:
        return _single(plan, makes[0])
    names = {argument.name for argument in makes[0].arguments}
    uniform = len({make.maker for make in makes}) == 1 and names <= {*PLURALS, "width_in", RATES}
    return _looped(plan, makes) if uniform else _listed(plan, makes)


def _bare(plan: Plan) -> Middle:
    """A single stage whose blocks are the network's own."""
    [stage] = plan.stages
    scope = Scope(_before(plan) | {"width": [stage.width]}, in_place=True)
    found = _single_rates(plan)
    if stage.downsample is not None:
        found += statement(expression([stage.downsample], scope), "self.downsample = ")
    blocks = blocks_in_order([stage], scope, RATES if stage.drops_path else DEPTH)
    return _sized(plan, [*found, *statement(blocks, "self.blocks = ")])


def _single(plan: Plan, make: Make) -> Middle:
    there = tuple(
        replace(argument, value=Given(argument.name)) if argument.name in (DEPTH, RATES) else argument
        for argument in make.arguments
    )
    scope = Scope(_before(plan) | {"width": [plan.stages[0].width]}, in_place=True)
    stage = expression([replace(make, arguments=there)], scope)
    return _sized(plan, [*_single_rates(plan), *statement(call("nn.Sequential", stage), "self.stages = ")])


def _single_rates(plan: Plan) -> list[str]:
    return statement("rates = drop_path_rates(drop_path, [depth])[0]") if plan.stages[0].drops_path else []


def _before(plan: Plan) -> dict[str, list[int]]:
    """The width before a single stage, by its name."""
    return {"width" if plan.stem_width == plan.stages[0].width else "stem_width": [plan.stem_width]}


def _sized(plan: Plan, statements: list[str]) -> Middle:
    """A network of a single stage, which is given its sizes."""
    [stage] = plan.stages
    sizes = {"depth": stage.depth, "width": stage.width, "stem_width": plan.stem_width}
    settings = tuple(Setting(name, "int", str(size)) for name, size in sizes.items())
    return Middle(statements, _before(plan), {"width": [stage.width]}, settings)


def _looped(plan: Plan, makes: Sequence[Make]) -> Middle:
    """Stages of one class: whatever differs from stage to stage, the network is given a list of."""
    names = [argument.name for argument in makes[0].arguments]
    values: dict[str, list[object]] = {"depth": [stage.depth for stage in plan.stages]}
    values["width"] = [stage.width for stage in plan.stages]
    values |= {name: [make[name] for make in makes] for name in names if name in PLURALS and name not in values}
    before = "widths[0]" if plan.stem_width == plan.stages[0].width else "stem_width"
    found = statement(f"{SCHEDULE} = drop_path_rates(drop_path, depths)") if RATES in names else []
    found += statement("self.stages = nn.Sequential()")
    found += statement(f"width_in = {before}") if "width_in" in names else []
    sources = {name: PLURALS[name] for name in values if name in names}
    found += _loop(sources | ({RATES: SCHEDULE} if RATES in names else {}))
    arguments = [name if name in ("width", "width_in", DEPTH, RATES) else f"{name}={name}" for name in names]
    found += lines(call("self.stages.append", call(makes[0].maker, *arguments)), depth=3)
    found += lines("width_in = width", depth=3) if "width_in" in names else []
    settings = [Setting(PLURALS[name], "Sequence[int]", plural(tuple(there))) for name, there in values.items()]
    settings.append(Setting("stem_width", "int", str(plan.stem_width)))
    return Middle(found, {before: [plan.stem_width]}, {"widths[-1]": [plan.stages[-1].width]}, tuple(settings))


def _loop(sources: dict[str, str]) -> list[str]:
    """The head of a loop over one list, or over several side by side."""
    [first, *others] = sources.items()
    if not others:
        return statement(f"for {first[0]} in {first[1]}:")
    return statement(call("zip", *sources.values(), "strict=True"), f"for {', '.join(sources)} in ", ":")


def _listed(plan: Plan, makes: Sequence[Make]) -> Middle:
    """Stages one by one, with their numbers."""
    depths = plural(tuple(stage.depth for stage in plan.stages))
    drops_path = any(stage.drops_path for stage in plan.stages)
    found = statement(call("drop_path_rates", "drop_path", depths), f"{SCHEDULE} = ") if drops_path else []
    stages = []
    for index, make in enumerate(makes):
        rates = Argument(RATES, Given(f"{SCHEDULE}[{index}]"))
        there = tuple(rates if argument.name == RATES else argument for argument in make.arguments)
        stages.append(expression([replace(make, arguments=there)], Scope({}, in_place=True)))
    return Middle([*found, *statement(call("nn.Sequential", *stages), "self.stages = ")], {}, {})
