"""What is given on the command line, read: checked by knobs, refused with a caret as in a file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from convlab.errors import ConvlabError, Place, Problem, quote
from convlab.language.acceptance import accepted
from convlab.language.design import Design, Image
from convlab.language.files import load
from convlab.language.knobs import Knob, Refused, knobs_of
from convlab.language.validation import faults

THREADS = Knob("threads", "option", "integer", 0, "threads of the CPU", low=1, high=4096)
BATCH = Knob("batch", "option", "integer", 1, "images at a time", low=1, high=1_000_000)
PORT = Knob("port", "option", "integer", 8000, "port of this machine", low=1, high=65535)
SEED = Knob("seed", "option", "integer", 0, "seed of the random numbers", low=0, high=2**63 - 1)

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_SIZE = re.compile(r"-?[0-9]{1,9}([xX]-?[0-9]{1,9})?")


def design_of(name: str, sets: Sequence[str] | None, image: str | None = None) -> Design:
    """The design of an argument, with knobs turned and another image size put in. Raises ConvlabError."""
    if not name.strip():
        problem = Problem("usage", "the name of a design is empty", help="convlab presets lists them")
        raise ConvlabError(problem, exit_code=2)
    design = load(name, sets=sets or ())
    return design if image is None else resized(design, image)


def resized(design: Design, text: str) -> Design:
    """The design for another image size, as "224" or "192x256". Raises ConvlabError."""
    design = dataclasses.replace(design, image=dataclasses.replace(design.image, size=size_of(text)))
    broken = faults(design)
    if broken:
        raise ConvlabError(*(dataclasses.replace(problem, place=_place("--image", text)) for problem in broken))
    return design


def size_of(text: str) -> int | tuple[int, int]:
    """An image size, as "224" or "192x256". Raises ConvlabError."""
    place = _place("--image", text)
    if not _SIZE.fullmatch(text):
        problem = Problem("wrong-type", f"{quote(text)} is no image size", place, "N or HxW, such as 224 or 192x256")
        raise ConvlabError(problem, exit_code=2)
    sides = [int(word) for word in re.split("[xX]", text)]
    size: int | tuple[int, int] = _checked(knobs_of(Image)["size"], sides[0] if len(sides) == 1 else sides, place)
    return size


def number_of(knob: Knob, text: str | None) -> int:
    """The whole number of an option, its default where it is not given. Raises ConvlabError."""
    if text is None:
        return int(knob.default)
    return int(_checked(knob, _number(text), _place(f"--{knob.name}", text)))


def figure_of(knob: Knob, text: str | None) -> float:
    """The number of an option, its default where it is not given. Raises ConvlabError."""
    if text is None:
        return float(knob.default)
    try:
        value: float | str = float(text)
    except ValueError:
        value = text
    return float(_checked(knob, value, _place(f"--{knob.name}", text)))


def choice_of(option: str, text: str, choices: tuple[str, ...]) -> str:
    """The word of an option, where it is one of the choices. Raises ConvlabError."""
    knob = Knob(option, "option", "choice", choices[0], "what to choose", choices=choices)
    return str(_checked(knob, text, _place(f"--{option}", text)))


def _place(option: str, text: str) -> Place:
    return Place(option, 1, 1, text, len(text))


def _number(word: str) -> int | str:
    return int(word) if _WHOLE.fullmatch(word.strip()) else word


def _checked(knob: Knob, value: Any, place: Place) -> Any:
    found = accepted(knob, value)
    if isinstance(found, Refused):
        raise ConvlabError(Problem(found.code, found.message, place, found.label, found.help, knob.name), exit_code=2)
    return found
