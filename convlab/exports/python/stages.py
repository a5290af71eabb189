"""Stages: downsampling and a loop over blocks, as one class for all stages that differ in numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from convlab.exports.python.classes import FORWARD, class_text, statement, under
from convlab.exports.python.descriptions import stage_doc
from convlab.exports.python.likeness import alike
from convlab.exports.python.loops import blocks_in_order, drops_path
from convlab.exports.python.modules import expression
from convlab.exports.python.naming import Names
from convlab.exports.python.nodes import Given, Make, Node, Value
from convlab.exports.python.scopes import Scope
from convlab.exports.python.vectors import Parameter

RATES, DEPTH = "rates", "depth"


@final
@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """A stage: its first block, what the others are, and what every second one is where blocks take turns."""

    width_in: int
    width: int
    depth: int
    downsample: Node | None
    first: Make
    other: Make | None = None
    turn: Make | None = None

    def resembles(self, stage: Stage) -> bool:
        """Whether two stages can be one class."""
        downsample = self.downsample is None or stage.downsample is None or alike(self.downsample, stage.downsample)
        other = self.other is None or stage.other is None or self.other.maker == stage.other.maker
        turns = 1 in (self.depth, stage.depth) or (self.turn is None) == (stage.turn is None)
        return downsample and self.first.maker == stage.first.maker and other and turns

    @property
    def drops_path(self) -> bool:
        """Whether some block drops paths."""
        return drops_path(self.first) or drops_path(self.other)


def stage_groups(stages: Sequence[Stage]) -> list[list[Stage]]:
    """Stages by the classes that they can be."""
    groups: list[list[Stage]] = []
    for stage in stages:
        for group in groups:
            if all(stage.resembles(other) for other in group):
                group.append(stage)
                break
        else:
            groups.append([stage])
    return groups


def classes_of_stages(stages: Sequence[Stage], names: Names) -> tuple[list[str], list[Make]]:
    """The classes of all stages, and the calls that make them, in order."""
    groups = stage_groups(stages)
    texts: list[str] = []
    made: dict[Stage, Make] = {}
    for group in groups:
        kind = group[0].first.maker.rstrip("0123456789").removesuffix("Block") or "Custom"
        title = "Stage" if len(groups) == 1 else f"{kind}Stage"
        text, makes = stage_class(group, names.free(title))
        texts.append(text)
        made |= zip(group, makes, strict=True)
    return texts, [made[stage] for stage in stages]


def stage_class(stages: Sequence[Stage], name: str) -> tuple[str, list[Make]]:
    """The class of similar stages, and the call that makes each."""
    first = _Writer(stages, frozenset())
    first.text(name)
    writer = _Writer(stages, first.scope.used_once())
    text = writer.text(name)
    given = writer.given()
    return text, [Make(name, tuple(one.argument(index) for one in given)) for index in range(len(stages))]


@final
class _Writer:
    """Writes the class of similar stages once; its scope fills as it goes."""

    def __init__(self, stages: Sequence[Stage], once: frozenset[str]) -> None:
        self.stages = stages
        widths = {"width": [stage.width for stage in stages], "width_in": [stage.width_in for stage in stages]}
        if widths["width"] == widths["width_in"]:
            del widths["width_in"]
        self.scope = Scope(widths, once=once)
        self.length = RATES if any(stage.drops_path for stage in stages) else DEPTH

    def text(self, name: str) -> str:
        downsample = self._downsample()
        blocks = blocks_in_order(self.stages, self.scope, self.length)
        start = [line for text in ("super().__init__()", *self.scope.locals()) for line in statement(text)]
        body = [*start, *downsample, *statement(blocks, "self.blocks = ")]
        declared = [parameter.declaration() for parameter in self.given()]
        run = "self.blocks(self.downsample(x))" if downsample else "self.blocks(x)"
        doc = stage_doc(
            downsamples=bool(downsample),
            changes=any(stage.other not in (None, stage.first) for stage in self.stages),
            rates=self.length == RATES,
        )
        return class_text(name, doc, declared, body, {FORWARD: statement(f"return {run}")})

    def given(self) -> list[Parameter]:
        """What a stage is given: its widths, its depth or its blocks' rates of drop path, and what its blocks ask for."""
        found = [parameter for parameter in self.scope.given() if parameter.name != "drop_path"]
        place = sum(parameter.name in self.scope.known for parameter in found)
        if self.length == RATES:
            values: tuple[Value, ...] = tuple(Given(RATES) for _ in self.stages)
            found.insert(place, Parameter(RATES, "Sequence[float]", values))
        elif any(stage.depth > 1 for stage in self.stages):
            found.insert(place, Parameter(DEPTH, "int", tuple(stage.depth for stage in self.stages)))
        return found

    def _downsample(self) -> list[str]:
        nodes = [stage.downsample for stage in self.stages]
        if not any(nodes):
            return []
        made = expression(nodes, self.scope)
        condition = self.scope.condition("downsample", [node is not None for node in nodes])
        if not condition:
            return statement(made, "self.downsample = ")
        return [*statement("self.downsample: nn.Module = nn.Identity()"), *under(condition, made, "self.downsample = ")]
