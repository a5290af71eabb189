"""A design as its source is planned: the stem, the stages, and the parts after them, read from the layer tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from convlab.exports.python.extraction import extracted
from convlab.exports.python.naming import Names, block_name
from convlab.exports.python.nodes import Argument, Body, Given, Make, Node, Series
from convlab.exports.python.reading import Reader
from convlab.exports.python.scopes import HIDDEN, MERGED
from convlab.exports.python.stages import Stage
from convlab.language.design import Design, Part, lower
from convlab.layers import Chain, Layer, Repeat, Shape, SpaceToDepth

CLASSES = Given("classes")


@final
@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """The network in order; ``head`` holds the parts behind the last feature map, ``classes`` the classes of the blocks.

    ``bare``: the one stage's blocks are attributes of the network itself.
    """

    stem: Node
    stem_width: int
    stages: list[Stage]
    head: list[tuple[str, Node]]
    bare: bool
    classes: list[str]


@final
@dataclass(frozen=True, eq=False, slots=True)
class _Blocks:
    """A stage before its blocks are classes: its first block and the one after it, and whether the two take turns."""

    downsample: Node | None
    width_in: int
    width: int
    depth: int
    first: Body
    second: Body | None
    takes_turns: bool


def planned(design: Design, names: Names) -> Plan:
    """The plan of a design."""
    stem, *parts = lower(design).parts
    first = Reader(word="stem_width").node(stem.tree, design.image.shape)
    x = stem.tree.output(design.image.shape)
    body, head = [part for part in parts if not part.head], [part for part in parts if part.head]
    drops_path = design.drop_path > 0
    stages: list[_Blocks] = []
    start = x
    for trees in _stages(body):
        block = design.stages[len(stages)].block
        reader = Reader(block_name(block), drop_path=drops_path)
        stages.append(_read_stage(trees, x, reader))
        for tree in trees:
            x = tree.output(x)
    last: list[tuple[str, Node]] = []
    for part in head:
        last.append((part.path, Reader(word="head_width").node(part.tree, x)))
        x = part.tree.output(x)
    if design.head.classes:
        last[-1] = (last[-1][0], _with_classes(last[-1][1]))
    silent = design.initialization == "kaiming_normal"
    first, finished, classes = _finished(first, stages, names, silent=silent)
    return Plan(first, start.channels, finished, last, body[-1].path == "blocks", classes)


def _stages(parts: list[Part]) -> list[list[Layer]]:
    """Downsampling, where there is one, and blocks of every stage."""
    if parts[-1].path == "blocks":
        return [[part.tree for part in parts]]
    found = []
    for part in parts:
        assert isinstance(part.tree, Chain)
        found.append([tree for _, tree in part.tree.children])
    return found


def _read_stage(trees: list[Layer], x: Shape, reader: Reader) -> _Blocks:
    *before, blocks = trees
    width_in = x.channels
    downsample = replace(reader, word=_word(before[0])).node(before[0], x) if before else None
    x = before[0].output(x) if before else x
    assert isinstance(blocks, Chain)
    order: list[Layer] = []
    for _, tree in blocks.children:
        order += [block for _, block in tree.turns()] * tree.count if isinstance(tree, Repeat) else [tree]
    first = reader.block(order[0], x)
    y = order[0].output(x)
    second = None
    if len(order) > 1:
        second = first if order[1] is order[0] else reader.block(order[1], y)
    takes_turns = any(isinstance(tree, Repeat) and tree.period > 1 for _, tree in blocks.children)
    return _Blocks(downsample, width_in, y.channels, len(order), first, second, takes_turns)


def _word(downsample: Layer) -> str:
    """What a width inside a downsampling is called: one of merged patches, or a hidden one."""
    assert isinstance(downsample, Chain)
    return MERGED if any(isinstance(layer, SpaceToDepth) for _, layer in downsample.children) else HIDDEN


def _finished(stem: Node, stages: list[_Blocks], names: Names, *, silent: bool) -> tuple[Node, list[Stage], list[str]]:
    """The stem and the stages with calls in the places of their blocks, and the classes that these call."""
    nodes = [node for stage in stages for node in (stage.downsample, stage.first, stage.second) if node is not None]
    made, classes = extracted([stem, *nodes], names, silent=silent)
    found = {id(node): new for node, new in zip(nodes, made[1:], strict=True)}
    finished = []
    for stage in stages:
        first, second = found[id(stage.first)], None if stage.second is None else found[id(stage.second)]
        assert isinstance(first, Make)
        assert second is None or isinstance(second, Make)
        other, turn = (None, second) if stage.takes_turns else (second, None)
        downsample = None if stage.downsample is None else found[id(stage.downsample)]
        finished.append(Stage(stage.width_in, stage.width, stage.depth, downsample, first, other, turn))
    return made[0], finished, classes


def _with_classes(node: Node) -> Node:
    """The head, whose last linear layer puts out as many classes as the caller says."""
    match node:
        case Series():
            *others, (name, last) = node.children
            return Series((*others, (name, _with_classes(last))))
        case Make():
            there = tuple(Argument(one.name, CLASSES) if one.name == "width" else one for one in node.arguments)
            return replace(node, arguments=there)
        case _:
            raise AssertionError("heads are rows of modules")
