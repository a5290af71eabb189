"""How layers are run one after the other: a convolution, its norm and its activation on one line."""

from __future__ import annotations

from collections.abc import Iterable

from convlab.exports.python.layout import LINE_LENGTH
from convlab.exports.python.nodes import LIGHT, Make, Node

LONGEST = LINE_LENGTH - 8

PASSING = LIGHT | {"global_pool", "flatten"}
"""What is called in the same line as the layer before it."""


def run(row: Iterable[tuple[str, Node]], source: str, target: str) -> list[str]:
    """The statements that run the attributes of a row on ``source`` and leave ``target``; none for an empty row."""
    statements = []
    for names in _groups(list(row)):
        statements += _run_together(names, source, target)
        source = target
    return statements


def finished(statements: list[str], target: str, result: str) -> list[str]:
    """Statements that end with a result; where the last one only made it, it is returned at once."""
    last = f"{target} = "
    if result == target and statements and statements[-1].startswith(last):
        return [*statements[:-1], f"return {statements[-1].removeprefix(last)}"]
    return [*statements, f"return {result}"]


def nested(names: Iterable[str], source: str) -> str:
    """Attributes called on each other: the first on the source."""
    for name in names:
        source = f"self.{name}({source})"
    return source


def _run_together(names: list[str], source: str, target: str) -> list[str]:
    text = f"{target} = {nested(names, source)}"
    if len(text) <= LONGEST or len(names) == 1:
        return [text]
    return [*_run_together(names[:-1], source, target), f"{target} = self.{names[-1]}({target})"]


def _groups(row: list[tuple[str, Node]]) -> list[list[str]]:
    """Names by line: each layer of weights with the norms and activations after it, the first also with those before it."""
    groups: list[list[str]] = []
    weighty = False
    for name, node in row:
        light = isinstance(node, Make) and node.maker in PASSING
        if not groups or (weighty and not light):
            groups.append([])
            weighty = False
        groups[-1].append(name)
        weighty = weighty or not light
    return groups
