"""What is wrong with values, at paths of what was given: collected before anybody knows in which file and line that is."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

from convlab.errors import Problem, quote
from convlab.language.addresses import PLURALS, UNUSED, suggestion, users
from convlab.language.knobs import Refused

Path = tuple[str | int, ...]


class Fault(NamedTuple):
    """Something wrong at a path; ``of`` says whether its value or its key is meant."""

    path: Path
    problem: Problem
    of: str = "value"


MOST = 100
"""As many faults are told at once; more would be no help, and a file may hold thousands."""


class Faults:
    """The faults of one assignment, in the order in which they were met."""

    def __init__(self) -> None:
        self.met: list[Fault] = []

    def add(self, path: Path, problem: Problem, of: str = "value") -> None:
        """Note a problem under a path."""
        dotted = ".".join(map(str, path))
        if len(self.met) < MOST:
            self.met.append(Fault(path, dataclasses.replace(problem, path=dotted), of))

    def refused(self, path: Path, found: Refused) -> None:
        """A value that its knob does not take."""
        self.add((*path, *found.item), Problem(found.code, found.message, label=found.label, help=found.help))

    def unknown(self, path: Path, where: str, words: tuple[str, ...]) -> None:
        """A key that a place does not know."""
        if len(self.met) == MOST:
            return
        key = str(path[-1])
        if key in ("base", "format") and len(path) == 1:
            message, label, help = f"{key} is no knob: it belongs to a file", "", "name another file or preset instead"
        else:
            message, label = f"{where} has no knob {quote(key)}", suggestion(key, words)
            help = f"keys: {', '.join(sorted(words))}"
        self.add(path, Problem("unknown-key", message, label=label, help=help), "key")

    def unused(self, path: Path, section: str, kind: str) -> None:
        """A knob that means nothing for the kind."""
        knob = str(path[-1])
        message = f"{section} kind {quote(kind)} does not use {knob}"
        help = f"kinds that use it: {', '.join(users(section, knob))}"
        if kind == "custom":
            help += f"; a custom {section} says it in its layers"
        self.add(path, Problem("unknown-key", message, help=help), "key")

    def not_a_table(self, path: Path, value: Any) -> None:
        """A value where a table of knobs is due."""
        key = ".".join(map(str, path))
        help = f"write [{key}] and its knobs below it, or {key}.KNOB = VALUE"
        if key == "stages":
            help = "write [stages.2] and its knobs below it, or stages.2.depth = 9"
        label = ""
        if path[-1] in {section for section, _ in UNUSED} and isinstance(value, str):
            label = f"write {key}.kind = {quote(value)}"
        elif key == "image" and isinstance(value, int):
            label = f"write image.size = {quote(value)}"
        elif value and isinstance(value, list) and isinstance(value[0], dict):
            label = f"[[{key}]] makes a list of tables"
        self.add(path, Problem("wrong-type", f"{key} is a table, not {quote(value)}", label=label, help=help))

    def missing(self, names: list[str]) -> None:
        """Depths or widths that nobody gives."""
        examples = {"depths": "depths = [3, 3, 9, 3]", "widths": "widths = [96, 192, 384, 768]"}
        written = " and ".join(examples[name] for name in names)
        message = f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} missing"
        help = f'write {written}, or inherit from a preset: base = "convnext_t"'
        self.add((), Problem("missing-key", message, help=help))

    def wrong_count(self, path: Path, given: int, stages: int) -> None:
        """A list that does not hold one value a stage."""
        message = f"{path[-1]} has {counted(given, 'value')} for {counted(stages, 'stage')}"
        label = "one value, or a list of one" if stages == 1 else f"one value, or {stages}"
        macro = len(path) == 1 and path[0] in PLURALS
        help = "another number of stages needs depths and widths" if macro else ""
        self.add(path, Problem("wrong-length", message, label=label, help=help))

    def no_stage(self, path: Path, count: int) -> None:
        """A stage that is not there."""
        label = "there is only stage 0" if count == 1 else f"stages are 0 to {count - 1}, or -1 from the end, or *"
        self.add(path, Problem("out-of-range", f"there is no stage {quote(str(path[-1]))}", label=label), "key")


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 value, 2 values."""
    return f"{number} {noun}{'s' * (number != 1)}"
